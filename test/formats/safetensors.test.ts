import {readdir, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import fc from 'fast-check';
import test from 'ava';
import {readSafetensors, writeSafetensors, type SafetensorsInput} from '../../lib/formats/index.js';
import {repeatedKey} from '../../lib/formats/json-keys.js';
import {temporaryFolder} from './folder.js';

/** A file by hand, as the format describes it, sharing no code with the writer. */
function file(header: string, data = new Uint8Array(0), length = Buffer.byteLength(header)): Buffer {
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([start, Buffer.from(header), data]);
}
const f32 = (name: string, shape: number[], begin: number, end: number): string =>
  `"${name}":{"dtype":"F32","shape":${JSON.stringify(shape)},"data_offsets":[${begin},${end}]}`;

test('a file made by hand is read', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  const data = new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6, 7]).buffer);
  const header = `{"__metadata__":{"by":"hand"},${f32('b', [2, 3], 4, 28)}, "a" : {"dtype":"F32","shape":[],"data_offsets":[0,4]}}   `;
  await writeFile(path, file(header, data));
  const {metadata, tensors, read} = await readSafetensors(path);
  t.deepEqual(metadata, {by: 'hand'});
  t.deepEqual(
    [...tensors],
    [
      ['a', {dtype: 'float32', shape: [], bytes: 4}],
      ['b', {dtype: 'float32', shape: [2, 3], bytes: 24}],
    ],
  );
  t.deepEqual([...new Float32Array((await read('a')).buffer)], [1]);
  t.deepEqual([...new Float32Array((await read('b')).buffer)], [2, 3, 4, 5, 6, 7]);
});

test('the bytes written are those that the format describes', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  await writeSafetensors(
    path,
    [
      {name: 'z', dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 2, 3)},
      {name: 'é"', dtype: 'bfloat16', shape: [1, 2], data: async () => Uint8Array.of(4, 5, 6, 7)},
      {name: 'b', dtype: 'int64', shape: [1], data: Promise.resolve(Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0))},
    ],
    {step: '3'},
  );
  const header = `{"__metadata__":{"step":"3"},"b":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"é\\"":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]},"z":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}`;
  const padded = header + ' '.repeat((8 - (Buffer.byteLength(header) % 8)) % 8);
  t.deepEqual(await readFile(path), file(padded, Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0, 4, 5, 6, 7, 1, 2, 3)));
});

const dtypes = {float32: 4, bfloat16: 2, float16: 2, int32: 4, int64: 8, uint8: 1} as const;
const tensorArbitrary = fc
  .record({
    name: fc.string({unit: 'grapheme', maxLength: 12}).filter((name) => name !== '__metadata__'),
    dtype: fc.constantFrom(...(Object.keys(dtypes) as (keyof typeof dtypes)[])),
    shape: fc.array(fc.nat(4), {maxLength: 3}),
    seed: fc.nat(255),
  })
  .map(({name, dtype, shape, seed}) => {
    const bytes = shape.reduce((product, size) => product * size, dtypes[dtype]);
    return {name, dtype, shape, data: Uint8Array.from({length: bytes}, (_, index) => seed + index)};
  });
const tensorsArbitrary = fc.uniqueArray(tensorArbitrary, {selector: ({name}) => name, maxLength: 6});

test('what is written is read back: every dtype, empty tensors, odd names', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  const metadataArbitrary = fc.dictionary(fc.string({unit: 'grapheme'}), fc.string());
  await fc.assert(
    fc.asyncProperty(tensorsArbitrary, metadataArbitrary, async (tensors, metadata) => {
      await writeSafetensors(path, tensors, metadata);
      const back = await readSafetensors(path);
      t.deepEqual({...back.metadata}, {...metadata});
      t.is(back.tensors.size, tensors.length);
      for (const {name, dtype, shape, data} of tensors) {
        t.deepEqual(back.tensors.get(name), {dtype, shape, bytes: data.length});
        t.deepEqual(await back.read(name), data);
      }
    }),
    {seed: 2, numRuns: 60},
  );
});

test('the order in which tensors come changes nothing, and each is aligned to its elements', async (t) => {
  const folder = await temporaryFolder(t);
  await fc.assert(
    fc.asyncProperty(tensorsArbitrary, async (tensors) => {
      await writeSafetensors(join(folder, 'a'), tensors);
      await writeSafetensors(join(folder, 'b'), tensors.toReversed());
      const bytes = await readFile(join(folder, 'a'));
      t.deepEqual(bytes, await readFile(join(folder, 'b')));
      const length = Number(bytes.readBigUInt64LE());
      t.is(length % 8, 0);
      const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
        string,
        {data_offsets: [number, number]}
      >;
      for (const {name, dtype} of tensors)
        t.is((header[name]?.data_offsets[0] ?? NaN) % dtypes[dtype], 0, name);
    }),
    {seed: 3, numRuns: 40},
  );
});

test('a damaged file is refused with ERR_FORMAT or holds tensors that fit it, never another error', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  const damage = fc.record({
    kind: fc.constantFrom('header', 'data', 'cut', 'extend'),
    at: fc.noBias(fc.nat()),
    byte: fc.nat(255),
  });
  const seen = {refused: 0, read: 0};
  await fc.assert(
    fc.asyncProperty(tensorsArbitrary, damage, async (tensors, {kind, at, byte}) => {
      await writeSafetensors(path, tensors, {some: 'text'});
      let bytes = await readFile(path);
      const dataStart = 8 + Number(bytes.readBigUInt64LE());
      if (kind === 'header') bytes[at % dataStart] = byte;
      if (kind === 'data' && bytes.length > dataStart)
        bytes[dataStart + (at % (bytes.length - dataStart))] = byte;
      if (kind === 'cut') bytes = bytes.subarray(0, at % bytes.length);
      if (kind === 'extend') bytes = Buffer.concat([bytes, Buffer.alloc(1 + (at % 9), byte)]);
      await writeFile(path, bytes);
      try {
        const {tensors: found, read} = await readSafetensors(path);
        let sum = 0;
        for (const name of found.keys()) sum += (await read(name)).length;
        t.is(sum, bytes.length - 8 - Number(bytes.readBigUInt64LE()));
        t.true(kind === 'header' || kind === 'data');
        seen.read++;
      } catch (error) {
        t.is((error as {code?: unknown}).code, 'ERR_FORMAT', String(error));
        t.not(kind, 'data');
        seen.refused++;
      }
    }),
    {seed: 4, numRuns: 400},
  );
  t.true(seen.refused > 100 && seen.read > 50, JSON.stringify(seen));
});

/** Malformed files, each with what the error says after the path. */
const malformed: readonly (readonly [string, Buffer, string])[] = [
  ['an empty file', Buffer.alloc(0), 'has 0 bytes; a header needs 8 at least'],
  [
    'a header length beyond the limit',
    file('{}', undefined, 100_000_001),
    'has a header of 100000001 bytes; 100000000 is the longest allowed',
  ],
  [
    'a header length beyond the file',
    file('{}', undefined, 3),
    'ends inside its header: 10 bytes, the header alone has 8 + 3',
  ],
  ['a header that starts with a space', file(' {}'), 'has a header that does not start with {'],
  ['text behind the header', file('{} x'), 'has a header that is not valid JSON: '],
  [
    'bytes that are not UTF-8',
    Buffer.concat([file('{"', undefined, 5), Buffer.from([0xff, 0x22, 0x7d])]),
    'has a header that is not valid JSON: ',
  ],
  [
    'a name twice',
    file(`{${f32('a', [0], 0, 0)},${f32('\\u0061', [0], 0, 0)}}`),
    'has a header that is not valid JSON: "a" stands there twice',
  ],
  [
    'a member twice',
    file('{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    'has a header that is not valid JSON: "dtype" stands there twice',
  ],
  [
    'metadata that is no text',
    file('{"__metadata__":{"a":1}}'),
    'has a __metadata__ that is not a map of strings',
  ],
  [
    'an entry without a shape',
    file('{"a":{"dtype":"F32","data_offsets":[0,0]}}'),
    'has no proper entry for tensor "a": shape ',
  ],
  [
    'an entry with a stranger',
    file('{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"x":1}}'),
    'has no proper entry for tensor "a": ',
  ],
  ['a negative size', file(`{${f32('a', [-1], 0, 4)}}`), 'has no proper entry for tensor "a": shape.0 '],
  [
    'an unknown dtype',
    file('{"a":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}}'),
    'gives tensor "a" the dtype F64; crossmap reads F32, F16, BF16, I32, I64, U8',
  ],
  [
    'bytes that do not fit the shape',
    file(`{${f32('a', [2], 0, 4)}}`, new Uint8Array(4)),
    'gives tensor "a" 4 bytes; F32 [2] has 8',
  ],
  [
    'a shape beyond all memory',
    file(`{${f32('a', [2 ** 40, 2 ** 40], 0, 4)}}`, new Uint8Array(4)),
    `gives tensor "a" 4 bytes; F32 [${2 ** 40}, ${2 ** 40}] has ${2 ** 82}`,
  ],
  [
    'offsets that run backwards',
    file(`{${f32('a', [1], 4, 0)}}`, new Uint8Array(4)),
    'gives tensor "a" -4 bytes; F32 [1] has 4',
  ],
  [
    'a hole',
    file(`{${f32('a', [1], 0, 4)},${f32('b', [1], 8, 12)}}`, new Uint8Array(12)),
    'has tensor "b" at byte 8 of the data, which leaves a hole before it: 4 expected',
  ],
  [
    'an overlap',
    file(`{${f32('a', [2], 0, 8)},${f32('b', [1], 4, 8)}}`, new Uint8Array(8)),
    'has tensor "b" at byte 4 of the data, which overlaps what lies before it: 8 expected',
  ],
  [
    'data cut off',
    file(`{${f32('a', [2], 0, 8)}}`, new Uint8Array(7)),
    'is cut off: its tensors need 8 bytes of data, it has 7',
  ],
  [
    'bytes behind the last tensor',
    file(`{${f32('a', [2], 0, 8)}}`, new Uint8Array(9)),
    'has 1 bytes behind its last tensor',
  ],
];
for (const [what, bytes, says] of malformed)
  test(`refused: ${what}`, async (t) => {
    const path = join(await temporaryFolder(t), 'a.safetensors');
    await writeFile(path, bytes);
    const error = await t.throwsAsync(readSafetensors(path), {code: 'ERR_FORMAT'});
    t.true(error?.message.startsWith(`safetensors file ${path} ${says}`), error?.message);
  });

test('a file that shrinks after its header was read is ERR_FORMAT, not short data', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  await writeFile(path, file(`{${f32('a', [2], 0, 8)}}`, new Uint8Array(8)));
  const {read} = await readSafetensors(path);
  await truncate(path, (await readFile(path)).length - 3);
  await t.throwsAsync(read('a'), {
    code: 'ERR_FORMAT',
    message: `safetensors file ${path} is cut off: tensor "a" has 5 of 8 bytes`,
  });
});

test('a tensor that is not there and a file that is not there are named', async (t) => {
  const path = join(await temporaryFolder(t), 'a.safetensors');
  await writeFile(path, file('{}'));
  const {read} = await readSafetensors(path);
  await t.throwsAsync(read('q'), {
    code: 'ERR_ARGUMENT',
    message: `safetensors file ${path} has no tensor "q"`,
  });
  const error = await t.throwsAsync(readSafetensors(`${path}x`), {code: 'ERR_IO'});
  t.true(error?.message.startsWith(`safetensors file ${path}x cannot be read: ENOENT`));
});

const one = Uint8Array.of(1);
const unwritable: readonly (readonly [string, readonly SafetensorsInput[]])[] = [
  [
    'tensor "a" has a name that is taken',
    [
      {name: 'a', dtype: 'uint8', shape: [1], data: one},
      {name: 'a', dtype: 'uint8', shape: [1], data: one},
    ],
  ],
  [
    'tensor "__metadata__" has a name that is taken',
    [{name: '__metadata__', dtype: 'uint8', shape: [1], data: one}],
  ],
  ['tensor "a" needs 4 bytes for float32 [1]; got 1', [{name: 'a', dtype: 'float32', shape: [1], data: one}]],
  [
    'tensor "a" needs 4 bytes for float32 [1]; got 1',
    [{name: 'a', dtype: 'float32', shape: [1], data: async () => one}],
  ],
  [
    'tensor "a" has shape [1.5], which is not one of whole numbers in range',
    [{name: 'a', dtype: 'uint8', shape: [1.5], data: one}],
  ],
  [
    'tensor "a" has dtype float64, which is not known',
    [{name: 'a', dtype: 'float64' as 'float32', shape: [1], data: one}],
  ],
];
for (const [index, [message, tensors]] of unwritable.entries())
  test(`not written, and the old file stays: ${message} (${index})`, async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.safetensors');
    await writeFile(path, 'old');
    await t.throwsAsync(writeSafetensors(path, tensors), {
      code: 'ERR_ARGUMENT',
      message: `writeSafetensors: ${message}`,
    });
    t.is(await readFile(path, 'utf8'), 'old');
    t.deepEqual(await readdir(folder), ['a.safetensors']);
  });

test('data is asked for one tensor at a time, and its failure is told as it is', async (t) => {
  const folder = await temporaryFolder(t);
  let open = 0;
  const lazily = (name: string): SafetensorsInput => ({
    name,
    dtype: 'uint8',
    shape: [1],
    data: async () => {
      t.is(++open, 1);
      await new Promise(setImmediate);
      open--;
      if (name === 'c') throw new RangeError('no more');
      return one;
    },
  });
  await t.throwsAsync(writeSafetensors(join(folder, 'a'), ['a', 'b', 'c'].map(lazily)), {
    instanceOf: RangeError,
    message: 'no more',
  });
  t.deepEqual(await readdir(folder), []);
});

test('repeatedKey finds what JSON.parse hides, however it is spelt, and nothing else', (t) => {
  t.is(repeatedKey('{"a":{"b":1},"b":[{"b":1},{"b":2}],"c":"b"}'), undefined);
  t.is(repeatedKey('{"x":[1,{"k\\"":1,"y":"}","\\u006b\\"" \n : 2}]}'), 'k"');
  fc.assert(
    fc.property(fc.json(), (text) => repeatedKey(text) === undefined),
    {seed: 5},
  );
  t.is(repeatedKey(`{"a":"${'\\\\'.repeat(1e6)}","a":"${'\\"'.repeat(1e6)}"}`), 'a');
});
