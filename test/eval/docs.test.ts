/** The page of the documentation runs. */
import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {parseSuite} from '../../lib/config/index.js';
import {folderWith} from '../data/corpora.js';

const dist = fileURLToPath(new URL('../../', import.meta.url));

test('the suites, the encoder and the program of docs/evaluation.md work', async (t) => {
  const page = await readFile(join(dist, '../docs/evaluation.md'), 'utf8');
  const blocks = (kind: string): string[] =>
    Array.from(page.matchAll(new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``, 'g')), ([, block]) => block!);
  const suites = blocks('yaml').map((yaml) => parseSuite(yaml));
  t.deepEqual(
    suites.map(({tasks}) => tasks.length),
    [6, 1],
  );
  const [encoder, program] = [...blocks('javascript'), ...blocks('ts')];
  const folder = await folderWith(t, {'encoder.mjs': encoder!});
  const inPlace = program!.replace(
    "'crossmap/eval'",
    `'${pathToFileURL(join(dist, 'lib/eval/index.js')).href}'`,
  );
  await writeFile(join(folder, 'program.mjs'), inPlace);
  const {stdout} = await promisify(execFile)(process.execPath, ['program.mjs'], {cwd: folder});
  t.regex(stdout, /^true letters_L0_no-idf_version=crossmap-\d+\.\d+\n$/);
});
