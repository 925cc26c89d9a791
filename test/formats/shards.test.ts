import {mkdir, readdir, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {
  openTensors,
  writeTensorFiles,
  writeSafetensors,
  type SafetensorsInput,
} from '../../lib/formats/index.js';
import {temporaryFolder} from './folder.js';

const input = (name: string, elements: number, first = 0): SafetensorsInput => ({
  name,
  dtype: 'uint8',
  shape: [elements],
  data: async () => Uint8Array.from({length: elements}, (_, i) => first + i),
});
const inputs = [input('a', 4, 1), input('b', 4, 5), input('c', 9, 9), input('d', 1, 18)];
const index = 'model.safetensors.index.json';

interface Index {
  metadata?: {total_size: number};
  weight_map: Record<string, unknown>;
}

async function sharded(t: ExecutionContext, edit?: (index: Index) => object): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeTensorFiles(folder, inputs, {maxShardBytes: 8});
  if (edit === undefined) return folder;
  const content = JSON.parse(await readFile(join(folder, index), 'utf8')) as Index;
  await writeFile(join(folder, index), JSON.stringify(edit(content)));
  return folder;
}

test('tensors that exceed a file go into several, in their order, with an index', async (t) => {
  const folder = await sharded(t);
  const [first, second, third] = [1, 2, 3].map((n) => `model-0000${n}-of-00003.safetensors`);
  t.deepEqual((await readdir(folder)).sort(), [first, second, third, index]);
  t.deepEqual(JSON.parse(await readFile(join(folder, index), 'utf8')), {
    metadata: {total_size: 18},
    weight_map: {a: first, b: first, c: second, d: third},
  });
  const {tensors, read} = await openTensors(folder);
  t.deepEqual([...tensors.keys()].sort(), ['a', 'b', 'c', 'd']);
  t.deepEqual([...(await read('b'))], [5, 6, 7, 8]);
  t.deepEqual([...(await read('d'))], [18]);
  await t.throwsAsync(read('e'), {code: 'ERR_ARGUMENT', message: /has no tensor "e"/});
});

test('tensors that fit are one file without an index', async (t) => {
  const folder = await temporaryFolder(t);
  await writeTensorFiles(folder, inputs, {maxShardBytes: 18});
  t.deepEqual(await readdir(folder), ['model.safetensors']);
  t.deepEqual([...(await (await openTensors(folder)).read('c'))].slice(0, 2), [9, 10]);
});

test('a tensor is read when its turn to be written has come', async (t) => {
  const folder = await temporaryFolder(t);
  let open = 0;
  const data = async (): Promise<Uint8Array> => {
    t.is(++open, 1);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
    return new Uint8Array(4);
  };
  const lazy = ['x', 'y', 'z'].map((name) => ({name, dtype: 'uint8', shape: [4], data}) as const);
  await writeTensorFiles(folder, lazy, {maxShardBytes: 8});
  t.is((await openTensors(folder)).tensors.size, 3);
});

const second = 'model-00002-of-00003.safetensors';
const withFile = (file: unknown) => (content: Index) => ({weight_map: {...content.weight_map, c: file}});

for (const [title, edit, message] of [
  ['a path upwards', withFile('../x.safetensors'), /names the file "\.\.\/x\.safetensors"/],
  ['an absolute path', withFile('/etc/x.safetensors'), /names the file "\/etc\/x/],
  ['a path of Windows', withFile('..\\x.safetensors'), /names the file/],
  ['a name with a zero', withFile('x\0.safetensors'), /names the file/],
  ['a name that is too long', withFile(`${'x'.repeat(5000)}.safetensors`), /which is not there/],
  ['a file that is not there', withFile('x.safetensors'), /names x\.safetensors, which is not there/],
  ['a file of another kind', withFile('config.json'), /name of a \.safetensors file is needed/],
  ['a file that is no name', withFile(7), /gives "c" the file 7/],
  ['a tensor in another file', withFile('model-00001-of-00003.safetensors'), /says that .*00001.* has "c"/],
  ['no map', () => ({}), /has no weight_map/],
  ['a map that is a list', () => ({weight_map: ['x.safetensors']}), /has no weight_map/],
  ['an empty map', () => ({weight_map: {}}), /names no tensor/],
  [
    'a tensor that the file lacks',
    ({weight_map}: Index) => ({weight_map: {...weight_map, e: second}}),
    /says that .*00002.* has "e", which it has not/,
  ],
  [
    'a tensor that it does not know',
    ({weight_map: {a, c, d}}: Index) => ({weight_map: {a, c, d}}),
    /00001-of-00003\.safetensors has "b"; .* knows nothing of it/,
  ],
] as const)
  test(`an index is refused for ${title}`, async (t) => {
    const folder = await sharded(t, edit);
    await t.throwsAsync(openTensors(folder), {code: 'ERR_FORMAT', message});
  });

for (const [title, text, message] of [
  ['a key twice', '{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}', /"a" stands there twice/],
  [
    'a key of JavaScript',
    '{"weight_map":{"__proto__":"x.safetensors"}}',
    /names x\.safetensors, which is not/,
  ],
  ['no JSON', '{"weight_map":NaN}', /is not valid JSON/],
  ['a list', '[]', /is not valid JSON: it is not an object/],
  ['depth', `{"weight_map":${'['.repeat(1e6)}`, /too deep/],
] as const)
  test(`the text of an index is refused for ${title}`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, index), text);
    await t.throwsAsync(openTensors(folder), {code: 'ERR_FORMAT', message});
  });

test('a tensor that two files have is refused', async (t) => {
  const folder = await sharded(t);
  await writeSafetensors(join(folder, second), [input('c', 9), input('a', 4)]);
  await t.throwsAsync(openTensors(folder), {
    code: 'ERR_FORMAT',
    message: /00002-of-00003\.safetensors has "a"; .* says that model-00001/,
  });
});

test('a file that is not UTF-8, a folder and a folder without weights are refused', async (t) => {
  const folder = await temporaryFolder(t);
  await t.throwsAsync(openTensors(folder), {
    code: 'ERR_FORMAT',
    message: /has neither model\.safetensors nor/,
  });
  await writeFile(join(folder, index), Uint8Array.of(0x7b, 0xff, 0x7d));
  await t.throwsAsync(openTensors(folder), {code: 'ERR_FORMAT', message: /is not UTF-8/});
  await mkdir(join(folder, 'model.safetensors'));
  await t.throwsAsync(openTensors(folder), {code: 'ERR_FORMAT', message: /model\.safetensors is not a file/});
});

test('links are followed in the folder and into the blobs of a cache, and nowhere else', async (t) => {
  const outside = await temporaryFolder(t);
  const folder = await sharded(t);
  const file = join(folder, second);
  await rename(file, join(folder, 'real.safetensors'));
  await symlink('real.safetensors', file);
  t.is((await openTensors(folder)).tensors.size, 4);
  await rename(join(folder, 'real.safetensors'), join(outside, 'real.safetensors'));
  await rm(file);
  await symlink(join(outside, 'real.safetensors'), file);
  await t.throwsAsync(openTensors(folder), {
    code: 'ERR_FORMAT',
    message: /is a link that leads out of the folder/,
  });

  const cache = join(await temporaryFolder(t), 'models--me--mine');
  const snapshot = join(cache, 'snapshots', 'main');
  await mkdir(snapshot, {recursive: true});
  await mkdir(join(cache, 'blobs'));
  for (const name of await readdir(folder))
    if (name !== second) await rename(join(folder, name), join(snapshot, name));
  await rename(join(outside, 'real.safetensors'), join(cache, 'blobs', 'abc'));
  await symlink('../../blobs/abc', join(snapshot, second));
  t.deepEqual([...(await (await openTensors(snapshot)).read('c'))].slice(0, 2), [9, 10]);
});
