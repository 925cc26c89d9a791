/** The page of the documentation runs. */
import {execFile} from 'node:child_process';
import {cp, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {parseConfig} from '../../../lib/config/index.js';
import {collect, only, tinyConfig, writeCorpus} from '../../train/tiny-run.js';
import {temporaryFolder} from '../folder.js';

const dist = fileURLToPath(new URL('../../../', import.meta.url));

test('the program and the configuration of docs/models.md work together', async (t) => {
  const page = await readFile(join(dist, '../docs/models.md'), 'utf8');
  const [yaml, program] = ['yaml', 'ts'].map(
    (kind) => new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(page)![1]!,
  );
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const short = ['training.steps=3', 'training.warmupSteps=1', 'evaluation.pairs=0', 'evaluation.samples=0'];
  await collect(tinyConfig(folder, short, 'run'));
  await cp(join(folder, 'run'), join(folder, 'runs', 'train'), {recursive: true});
  const inPlace = program!
    .replace("'crossmap/train'", `'${pathToFileURL(join(dist, 'lib/train/index.js')).href}'`)
    .replace('using model', 'const model'); // which Node learns later than TypeScript
  await writeFile(join(folder, 'program.mjs'), inPlace);
  const {stdout} = await promisify(execFile)(process.execPath, ['program.mjs'], {cwd: folder});
  t.is(stdout, "true [ 'cs', 'en' ]\n");
  const events = await collect(
    parseConfig(yaml!, {file: join(folder, 'on.yaml'), set: [`output=${join(folder, 'on')}`]}),
  );
  t.deepEqual(
    only(events, 'step').map(({loss}) => Number.isFinite(loss)),
    [true, true, true],
  );
});
