import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {gzipSync} from 'node:zlib';
import test from 'ava';
import {withStandardInput} from '../../lib/data/corpus/standard-input.js';
import {configIn, folderWith} from './corpora.js';

const yaml = 'data: {monolingual: [{language: en, files: [en.txt, "-"]}]}\nobjectives: {recipe: mono}';

test('what standard input gives is kept in a file, packed as it came, and takes its place', async (t) => {
  const folder = await folderWith(t, {'en.txt': 'water.\n'});
  const config = configIn(folder, yaml);
  const bytes = gzipSync('moon.\n');
  const options = {folder: join(folder, 'data'), isReplaced: false};
  const filled = await withStandardInput(config, {
    ...options,
    input: Readable.from([bytes.subarray(0, 9), bytes.subarray(9)]),
  });
  const file = join(folder, 'data.stdin');
  t.deepEqual(filled.data.monolingual?.[0]?.files, [join(folder, 'en.txt'), file]);
  t.deepEqual(await readFile(file), bytes);

  // Later runs go on from it, and touch standard input only if they are to.
  const silent = new Readable({read: () => t.fail('standard input was read')});
  t.deepEqual(await withStandardInput(config, {...options, input: silent}), filled);
  await withStandardInput(config, {
    ...options,
    isReplaced: true,
    input: Readable.from([Buffer.from('sun.\n')]),
  });
  t.is(await readFile(file, 'utf8'), 'sun.\n');
  await withStandardInput(config, {...options, isReplaced: true, input: Readable.from([])});
  t.is(await readFile(file, 'utf8'), 'sun.\n');
});

test('standard input that gives nothing is an error where nothing was kept, and leaves no file', async (t) => {
  const folder = await folderWith(t, {});
  const config = configIn(folder, yaml);
  const options = {folder: join(folder, 'data'), isReplaced: true};
  for (const input of [
    Readable.from([]),
    Object.assign(Readable.from([Buffer.from('typed')]), {isTTY: true}),
  ])
    await t.throwsAsync(withStandardInput(config, {...options, input}), {
      code: 'ERR_DATA',
      message: /standard input \(-\), which is empty: pipe it in/,
    });
  t.false(existsSync(join(folder, 'data.stdin')));
});

test('a configuration without standard input is left alone', async (t) => {
  const folder = await folderWith(t, {});
  const config = configIn(folder, yaml.replace(', "-"', ''));
  const input = new Readable({read: () => t.fail('standard input was read')});
  t.is(await withStandardInput(config, {folder, isReplaced: true, input}), config);
});
