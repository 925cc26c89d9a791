/** The page of the documentation runs. */
import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {collect, smallRun, tinyConfig, writeCorpus} from '../../train/tiny-run.js';
import {temporaryFolder} from '../folder.js';

const dist = fileURLToPath(new URL('../../../', import.meta.url));

test('the program of docs/gguf.md exports a run', async (t) => {
  const page = await readFile(join(dist, '../docs/gguf.md'), 'utf8');
  const program = /```ts\n([^]*?)```/.exec(page)?.[1] ?? '';
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const steps = ['training.steps=2', 'training.checkpointEvery=2', 'training.warmupSteps=1'];
  await collect(tinyConfig(folder, [...smallRun, ...steps], 'runs/train'));
  const inPlace = program.replaceAll(
    /'crossmap\/(\w+)'/g,
    (_, name: string) => `'${pathToFileURL(join(dist, 'lib', name, 'index.js')).href}'`,
  );
  await writeFile(join(folder, 'program.mjs'), inPlace);
  const {stdout} = await promisify(execFile)(process.execPath, ['program.mjs'], {cwd: folder});
  t.regex(stdout, /^llama \[ \d+, 16 \]\n$/);
});
