import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import fc from 'fast-check';
import test from 'ava';
import {
  readGguf,
  writeGguf,
  type GgufInput,
  type GgufItem,
  type GgufValue,
} from '../../../lib/formats/index.js';
import {temporaryFolder} from '../folder.js';
import {code, entry, f32, file, info, int, text, u32, u64} from './by-hand.js';

/** A tensor whose elements come in one piece. */
function input(
  name: string,
  shape: readonly number[],
  bytes: Uint8Array,
  type: GgufInput['type'] = 'float32',
): GgufInput {
  return {
    name,
    type,
    shape,
    data: async function* pieces() {
      yield bytes;
    },
  };
}

const everyValue = new Map<string, GgufValue>([
  ['a.u8', {type: 'uint8', value: 255}],
  ['a.i8', {type: 'int8', value: -1}],
  ['a.u16', {type: 'uint16', value: 0x1234}],
  ['a.i16', {type: 'int16', value: -2}],
  ['a.u32', {type: 'uint32', value: 0xfedcba98}],
  ['a.i32', {type: 'int32', value: -3}],
  ['a.f32', {type: 'float32', value: 0.5}],
  ['a.bool', {type: 'bool', value: true}],
  ['a.text', {type: 'string', value: 'é\u0000x'}],
  ['a.u64', {type: 'uint64', value: 2n ** 64n - 1n}],
  ['a.i64', {type: 'int64', value: -4n}],
  ['a.f64', {type: 'float64', value: 0.1}],
  [
    'a.list',
    {
      type: 'array',
      of: 'array',
      value: [
        {type: 'array', of: 'string', value: ['x', '']},
        {type: 'array', of: 'bool', value: [true, false]},
      ],
    },
  ],
]);

const everyEntry = [
  entry('a.u8', 0, int(255, 1)),
  entry('a.i8', 1, int(-1, 1)),
  entry('a.u16', 2, int(0x1234, 2)),
  entry('a.i16', 3, int(-2, 2)),
  entry('a.u32', 4, int(0xfedcba98, 4)),
  entry('a.i32', 5, int(-3, 4)),
  entry('a.f32', 6, f32(0.5)),
  entry('a.bool', 7, int(1, 1)),
  entry('a.text', 8, text('é\u0000x')),
  entry('a.u64', 10, u64(-1n)),
  entry('a.i64', 11, u64(-4n)),
  entry('a.f64', 12, Buffer.from(new Float64Array([0.1]).buffer)),
  entry(
    'a.list',
    9,
    u32(9),
    u64(2),
    Buffer.concat([u32(8), u64(2), text('x'), text('')]),
    Buffer.concat([u32(7), u64(2), int(1, 1), int(0, 1)]),
  ),
];

test('the bytes written are those that the format describes, and are read back', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  const matrix = Buffer.from(new Float32Array([1, 2, 3, 4, 5, 6]).buffer);
  const quantised = Buffer.alloc(2 * 34, 7);
  await writeGguf(path, {
    metadata: everyValue,
    tensors: [
      input('b', [2, 3], matrix),
      input('a', [3], Buffer.from([1, 2, 3, 4, 5, 6]), 'bfloat16'),
      input('q', [2, 32], quantised, 'q8_0'),
    ],
  });
  const data = Buffer.alloc(160);
  matrix.copy(data);
  Buffer.from([1, 2, 3, 4, 5, 6]).copy(data, 32);
  quantised.copy(data, 64);
  const infos = [info('b', [3, 2], 0, 0), info('a', [3], 30, 32), info('q', [32, 2], 8, 64)];
  t.deepEqual(await readFile(path), file({entries: everyEntry, infos, data}));

  const back = await readGguf(path);
  t.deepEqual([...back.metadata], [...everyValue]);
  t.deepEqual(
    [...back.tensors],
    [
      ['b', {type: 'float32', shape: [2, 3], bytes: 24}],
      ['a', {type: 'bfloat16', shape: [3], bytes: 6}],
      ['q', {type: 'q8_0', shape: [2, 32], bytes: 68}],
    ],
  );
  t.deepEqual([...new Float32Array((await back.read('b')).buffer)], [1, 2, 3, 4, 5, 6]);
  t.deepEqual(Buffer.from(await back.read('q')), quantised);
});

test('the alignment that the metadata name is obeyed', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  const metadata = new Map<string, GgufValue>([['general.alignment', {type: 'uint32', value: 8}]]);
  const tensors = [input('a', [1], Buffer.alloc(4, 1)), input('b', [1], Buffer.alloc(4, 2))];
  await writeGguf(path, {metadata, tensors});
  const entries = [entry('general.alignment', code.u32, u32(8))];
  const data = Buffer.from([1, 1, 1, 1, 0, 0, 0, 0, 2, 2, 2, 2, 0, 0, 0, 0]);
  const infos = [info('a', [1], 0, 0), info('b', [1], 0, 8)];
  t.deepEqual(await readFile(path), file({entries, infos, data, alignment: 8}));
  t.deepEqual([...(await (await readGguf(path)).read('b'))], [2, 2, 2, 2]);
});

test('a file without the padding behind its last tensor, or behind its header, is whole', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  await writeFile(path, file({infos: [info('a', [1], 0, 0)], data: Buffer.alloc(4, 9)}));
  t.deepEqual([...(await (await readGguf(path)).read('a'))], [9, 9, 9, 9]);
  await writeFile(path, file({alignment: 1}));
  t.is((await readGguf(path)).tensors.size, 0);
});

test('a header longer than what is read first is read', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  const value = Array.from({length: 100_000}, (_, index) => `token ${index}`);
  const metadata = new Map<string, GgufValue>([['tokens', {type: 'array', of: 'string', value}]]);
  await writeGguf(path, {metadata, tensors: [input('a', [1], Buffer.alloc(4, 5))]});
  const back = await readGguf(path);
  t.deepEqual(back.metadata, metadata);
  t.deepEqual([...(await back.read('a'))], [5, 5, 5, 5]);
});

const key = fc
  .stringMatching(/^[a-z_]{1,8}(\.[a-z0-9_]{1,8}){0,2}$/)
  .filter((name) => name !== 'general.alignment');
const scalars = {
  uint8: fc.nat(255),
  int16: fc.integer({min: -(2 ** 15), max: 2 ** 15 - 1}),
  uint32: fc.nat(2 ** 32 - 1),
  float32: fc.float({noNaN: true}),
  float64: fc.double(),
  bool: fc.boolean(),
  string: fc.string({unit: 'grapheme'}),
  uint64: fc.bigInt({min: 0n, max: 2n ** 64n - 1n}),
  int64: fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}),
} as const;
const valueArbitrary = fc
  .constantFrom(...(Object.keys(scalars) as (keyof typeof scalars)[]))
  .chain((type) => {
    const item: fc.Arbitrary<GgufItem> = scalars[type];
    const scalar = item.map((value) => ({type, value}) as GgufValue);
    return fc.oneof(
      scalar,
      fc.array(item, {maxLength: 5}).map((value): GgufValue => ({type: 'array', of: type, value})),
    );
  });
const sizes = {float32: 4, float16: 2, bfloat16: 2, int8: 1, int64: 8} as const;
const tensorArbitrary = fc
  .record({
    name: fc.string({unit: 'grapheme', maxLength: 12}),
    type: fc.constantFrom(...(Object.keys(sizes) as (keyof typeof sizes)[])),
    shape: fc.array(fc.nat(4), {maxLength: 4}),
    seed: fc.nat(255),
  })
  .map(({name, type, shape, seed}) => {
    const length = shape.reduce((product, size) => product * size, sizes[type]);
    return {name, type, shape, bytes: Uint8Array.from({length}, (_, index) => seed + index)};
  });
const contentArbitrary = fc.record({
  entries: fc.uniqueArray(fc.tuple(key, valueArbitrary), {selector: ([name]) => name, maxLength: 6}),
  tensors: fc.uniqueArray(tensorArbitrary, {selector: ({name}) => name, maxLength: 5}),
});

const inputsOf = (
  tensors: readonly {name: string; type: GgufInput['type']; shape: number[]; bytes: Uint8Array}[],
) => tensors.map(({name, type, shape, bytes}) => input(name, shape, bytes, type));

test('what is written is read back: every kind of value, empty tensors, odd names', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  await fc.assert(
    fc.asyncProperty(contentArbitrary, async ({entries, tensors}) => {
      await writeGguf(path, {metadata: new Map(entries), tensors: inputsOf(tensors)});
      const back = await readGguf(path);
      t.deepEqual([...back.metadata], entries);
      t.deepEqual(
        [...back.tensors.keys()],
        tensors.map(({name}) => name),
      );
      for (const {name, type, shape, bytes} of tensors) {
        t.deepEqual(back.tensors.get(name), {type, shape, bytes: bytes.length});
        t.deepEqual(await back.read(name), bytes);
      }
    }),
    {seed: 2, numRuns: 60},
  );
});

const runs = Number(process.env['CROSSMAP_FUZZ_RUNS'] ?? 400);

/** The bytes of whole files. */
async function wholeFiles(folder: string, count: number): Promise<Buffer[]> {
  const contents = fc.sample(contentArbitrary, {seed: 3, numRuns: count});
  const files: Buffer[] = [];
  for (const {entries, tensors} of contents) {
    await writeGguf(join(folder, 'whole'), {metadata: new Map(entries), tensors: inputsOf(tensors)});
    files.push(await readFile(join(folder, 'whole')));
  }
  return files;
}

interface Damage {
  readonly kind: 'byte' | 'cut' | 'extend' | 'long';
  readonly at: number;
  readonly byte: number;
}

function damaged(whole: Buffer, {kind, at, byte}: Damage): Buffer {
  const place = at % whole.length;
  if (kind === 'cut') return whole.subarray(0, place);
  if (kind === 'extend') return Buffer.concat([whole, Buffer.alloc(1 + (at % 99), byte)]);
  const bytes = Buffer.from(whole);
  const end = Math.min(place + (kind === 'byte' ? 1 : 8), whole.length);
  return bytes.fill(kind === 'byte' ? byte : 0xff, place, end);
}

test('a damaged file is refused with ERR_FORMAT or holds tensors that fit it, never another error', async (t) => {
  const folder = await temporaryFolder(t);
  const files = await wholeFiles(folder, 20);
  const path = join(folder, 'damaged');
  const damage = fc.record({
    kind: fc.constantFrom('byte', 'cut', 'extend', 'long'),
    at: fc.noBias(fc.nat()),
    byte: fc.nat(255),
  });
  const seen = {refused: 0, read: 0};
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), damage, async (whole, how) => {
      const bytes = damaged(whole, how);
      await writeFile(path, bytes);
      try {
        const {tensors, read} = await readGguf(path);
        let sum = 0;
        for (const name of tensors.keys()) sum += (await read(name)).length;
        t.true(sum <= bytes.length);
        seen.read++;
      } catch (error) {
        t.is((error as {code?: unknown}).code, 'ERR_FORMAT', String(error));
        seen.refused++;
      }
    }),
    {seed: 4, numRuns: runs},
  );
  t.true(seen.refused > runs / 4 && seen.read > runs / 20, JSON.stringify(seen));
});

const four = Buffer.alloc(4);

test('a tensor that is not there and a file that is not there are named', async (t) => {
  const path = join(await temporaryFolder(t), 'a.gguf');
  await writeFile(path, file({}));
  const {read} = await readGguf(path);
  await t.throwsAsync(read('q'), {code: 'ERR_ARGUMENT', message: `GGUF file ${path} has no tensor "q"`});
  const error = await t.throwsAsync(readGguf(`${path}x`), {code: 'ERR_IO'});
  t.true(error?.message.startsWith(`GGUF file ${path}x cannot be read: ENOENT`));
});

const fourBytes = input('a', [1], four);
const metadataOf = (value: GgufValue): Map<string, GgufValue> => new Map([['a', value]]);
const unwritable: readonly (readonly [string, {metadata?: Map<string, GgufValue>; tensors?: GgufInput[]}])[] =
  [
    ['tensor "a" has a name that is taken', {tensors: [fourBytes, fourBytes]}],
    [
      `tensor "${'é'.repeat(32)}" has a name of more than 63 bytes`,
      {tensors: [input('é'.repeat(32), [1], four)]},
    ],
    ['tensor "a" needs 8 bytes for float32 [2]; got 4', {tensors: [input('a', [2], four)]}],
    ['tensor "a" needs 0 bytes for float32 [0]; got 4', {tensors: [input('a', [0], four)]}],
    [
      'tensor "a" has shape [1.5], which is not 4 whole numbers at most, in range, with rows of whole blocks',
      {tensors: [input('a', [1.5], four)]},
    ],
    [
      'tensor "a" has shape [1, 1, 1, 1, 1], which is not 4 whole numbers at most, in range, with rows of whole blocks',
      {tensors: [input('a', [1, 1, 1, 1, 1], four)]},
    ],
    [
      'tensor "a" has shape [31], which is not 4 whole numbers at most, in range, with rows of whole blocks',
      {tensors: [input('a', [31], four, 'q4_0')]},
    ],
    [
      'tensor "a" has type float8, which is not known',
      {tensors: [input('a', [4], four, 'float8' as 'float32')]},
    ],
    ['metadata a has a value that is no uint8: 256', {metadata: metadataOf({type: 'uint8', value: 256})}],
    ['metadata a has a value that is no int32: 0.5', {metadata: metadataOf({type: 'int32', value: 0.5})}],
    [
      'metadata a has a value that is no float32: 1e+39',
      {metadata: metadataOf({type: 'float32', value: 1e39})},
    ],
    ['metadata a has a value that is no uint64: -1', {metadata: metadataOf({type: 'uint64', value: -1n})}],
    [
      'metadata a has a value that is no bool: 1',
      {metadata: metadataOf({type: 'array', of: 'bool', value: [true, 1]})},
    ],
    [
      '"a b" is no key: printable ASCII without spaces',
      {metadata: new Map([['a b', {type: 'bool', value: true}]])},
    ],
    ['"\\ud800" is no well-formed text', {metadata: metadataOf({type: 'string', value: '\ud800'})}],
    [
      'metadata general.alignment must be a uint32 power of two of 8 at least',
      {metadata: new Map([['general.alignment', {type: 'uint32', value: 24}]])},
    ],
  ];
for (const [
  index,
  [message, {metadata = new Map<string, GgufValue>(), tensors = []}],
] of unwritable.entries())
  test(`not written, and the old file stays: ${message} (${index})`, async (t) => {
    const folder = await temporaryFolder(t);
    const path = join(folder, 'a.gguf');
    await writeFile(path, 'old');
    await t.throwsAsync(writeGguf(path, {metadata, tensors}), {
      code: 'ERR_ARGUMENT',
      message: `writeGguf: ${message}`,
    });
    t.is(await readFile(path, 'utf8'), 'old');
    t.deepEqual(await readdir(folder), ['a.gguf']);
  });

test('pieces are asked for one at a time, and the failure of one is told as it is', async (t) => {
  const folder = await temporaryFolder(t);
  const memory = new Uint8Array(4);
  const pieces = (name: string): GgufInput => ({
    name,
    type: 'float32',
    shape: [2],
    data: async function* inOneMemory() {
      yield memory.fill(1);
      yield memory.fill(2);
      if (name === 'c') throw new RangeError('no more');
    },
  });
  const path = join(folder, 'a');
  await writeGguf(path, {metadata: new Map(), tensors: [pieces('a'), pieces('b')]});
  t.deepEqual([...(await (await readGguf(path)).read('b'))], [1, 1, 1, 1, 2, 2, 2, 2]);
  await t.throwsAsync(writeGguf(join(folder, 'b'), {metadata: new Map(), tensors: ['a', 'c'].map(pieces)}), {
    instanceOf: RangeError,
    message: 'no more',
  });
  t.deepEqual(await readdir(folder), ['a']);
});
