/** The page of the documentation runs. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import test from 'ava';
import {prepareData} from '../../lib/data/index.js';
import {configIn, folderWith, sentences, smallFiles} from './corpora.js';

const dist = fileURLToPath(new URL('../../', import.meta.url));

test('the configuration and the program of docs/data.md work together', async (t) => {
  const page = await readFile(join(dist, '../docs/data.md'), 'utf8');
  const [yaml, program] = ['yaml', 'ts'].map(
    (kind) => new RegExp(`\`\`\`${kind}\n([^]*?)\`\`\``).exec(page)![1]!,
  );
  const folder = await folderWith(t, {...smallFiles, 'train.yaml': yaml!});
  // The package is not installed where the program runs: its sub-paths are the folders of lib.
  const inPlace = program!.replace(
    /'crossmap\/(\w+)'/g,
    (_, path) => `'${pathToFileURL(join(dist, `lib/${path}/index.js`)).href}'`,
  );
  await writeFile(join(folder, 'program.mjs'), inPlace);
  const {stdout} = await promisify(execFile)(process.execPath, ['program.mjs'], {cwd: folder});
  t.regex(stdout, /^cs: \d+ tokens, \d\.\d epochs\nen: \d+ tokens, \d\.\d epochs\n$/);
});

test('the configuration of stages in docs/data.md has a curriculum', async (t) => {
  const page = await readFile(join(dist, '../docs/data.md'), 'utf8');
  const yaml = Array.from(page.matchAll(/```yaml\n([^]*?)```/g), ([, text]) => text!).find((text) =>
    text.includes('stages:'),
  );
  const records = Array.from({length: 40}, (_, i) =>
    JSON.stringify({
      en: sentences('en', 5000 + 3 * i, 2).join('\n'),
      cs: sentences('cs', 5000 + 3 * i, 2).join('\n'),
    }),
  );
  const folder = await folderWith(t, {...smallFiles, 'en-cs.documents.jsonl': records.join('\n')});
  const {report} = await prepareData(configIn(folder, yaml!, ['data.filters.nearDuplicates=off']));
  t.deepEqual(
    report.pairs.map(({name, read}) => [name, read]),
    [
      ['sentences', 300],
      ['documents', 40],
    ],
  );
  t.true(report.pairs.every(({epochs}) => epochs > 0));
});
