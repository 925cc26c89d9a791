/**
 * Each instruction that runtime/cuda/device wraps, on the emulator, against the tables of the PTX ISA: registers are
 * laid out and read here, by those tables, and share no code with the emulator.
 */
import test from 'ava';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {rounding} from '../support/rounding.js';
import {asFloats, floatBits, runSimt} from '../support/simt-test.js';

const lanes = Array.from({length: 32}, (_, lane) => lane);

// ---- ldmatrix. PTX ISA, "ldmatrix": thread 8 m + r gives the address of row r of matrix m. Thread 4 r + c receives
// elements 2 c and 2 c + 1 of row r, in the low and the high half; with .trans, of the transposed matrix.

for (const [count, isTransposed] of [
  [4, false],
  [4, true],
  [2, false],
  [2, true],
] as const)
  test(`ldmatrix x${count}${isTransposed ? ' transposed' : ''} gives each lane its pair of each matrix`, (t) => {
    // Rows in an order that no layout has by chance; the lanes that give no address point elsewhere.
    const rows = lanes.map((lane) => (lane * 37 + 5) % 128);
    const element = (matrix: number, row: number, column: number) => rows[8 * matrix + row]! * 8 + column;
    const expected = lanes.flatMap((lane) =>
      Array.from({length: count}, (_, matrix) => {
        const r = Math.floor(lane / 4);
        const c = lane % 4;
        const [low, high] = isTransposed
          ? [element(matrix, 2 * c, r), element(matrix, 2 * c + 1, r)]
          : [element(matrix, r, 2 * c), element(matrix, r, 2 * c + 1)];
        return low + high * 2 ** 16;
      }),
    );
    const name = `ldmatrix/x${count}${isTransposed ? '-transposed' : ''}`;
    const run = runSimt(name, {input: rows.map((row) => row * 16)});
    t.deepEqual(run.reports, []);
    t.deepEqual(run.output, expected);
  });

// ---- mma. PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type" and "... for mma.m16n8k8":
// groupID = lane >> 2, threadID_in_group = lane % 4.

type Fragments = Readonly<{
  /** [row, column] of element i of a lane's fragment. */
  a: (group: number, thread: number, i: number) => readonly [number, number];
  b: (group: number, thread: number, i: number) => readonly [number, number];
  elements: Readonly<{a: number; b: number}>;
  depth: number;
}>;

const k16: Fragments = {
  // row = groupID for ai where 0 <= i < 2 or 4 <= i < 6, else groupID + 8
  // col = threadID_in_group * 2 + (i & 1), + 8 for ai where i >= 4
  a: (group, thread, i) => [group + (i % 4 < 2 ? 0 : 8), thread * 2 + (i & 1) + (i >= 4 ? 8 : 0)],
  // row = threadID_in_group * 2 + (i & 1), + 8 for bi where i >= 2; col = groupID
  b: (group, thread, i) => [thread * 2 + (i & 1) + (i >= 2 ? 8 : 0), group],
  elements: {a: 8, b: 4},
  depth: 16,
};

const k8tf32: Fragments = {
  // row = groupID for a0 and a2, groupID + 8 for a1 and a3; col = threadID_in_group, + 4 for a2 and a3
  a: (group, thread, i) => [group + (i % 2 === 0 ? 0 : 8), thread + (i < 2 ? 0 : 4)],
  // row = threadID_in_group, + 4 for b1; col = groupID
  b: (group, thread, i) => [thread + (i === 0 ? 0 : 4), group],
  elements: {a: 4, b: 2},
  depth: 8,
};

// Of both: row = groupID for c0 and c1, groupID + 8 for c2 and c3; col = threadID_in_group * 2 + (i & 1)
const accumulator = (group: number, thread: number, i: number) =>
  [group + (i < 2 ? 0 : 8), thread * 2 + (i & 1)] as const;

const half = {
  bfloat16: (value: number) => floatBits([value])[0]! >>> 16,
  // Whole numbers up to 8, which is all that is asked for here: sign, exponent + 15, fraction.
  float16: (value: number) => {
    if (value === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(value)));
    const fraction = (Math.abs(value) / 2 ** exponent - 1) * 2 ** 10;
    return (value < 0 ? 0x8000 : 0) + (exponent + 15) * 2 ** 10 + fraction;
  },
};

const pairs = (values: readonly number[]) =>
  Array.from({length: values.length / 2}, (_, i) => values[2 * i]! + values[2 * i + 1]! * 2 ** 16);

const matrix = (rows: number, columns: number, seed: number) => {
  const values = wholeNumbers(rows * columns, 17, seed).map((value) => value - 8);
  return Array.from({length: rows}, (_, row) => values.slice(row * columns, (row + 1) * columns));
};

function product(name: string, fragments: Fragments, pack: (values: readonly number[]) => number[]) {
  const a = matrix(16, fragments.depth, 1);
  const b = matrix(fragments.depth, 8, 2);
  const c = matrix(16, 8, 3);
  const input = lanes.flatMap((lane) => {
    const [group, thread] = [lane >> 2, lane % 4];
    const pick = (from: number[][], at: readonly [number, number]) => from[at[0]]![at[1]]!;
    const elements = (count: number, each: (i: number) => number) =>
      Array.from({length: count}, (_, i) => each(i));
    return [
      ...pack(elements(fragments.elements.a, (i) => pick(a, fragments.a(group, thread, i)))),
      ...pack(elements(fragments.elements.b, (i) => pick(b, fragments.b(group, thread, i)))),
      ...floatBits(elements(4, (i) => pick(c, accumulator(group, thread, i)))),
    ];
  });
  const expected = lanes.flatMap((lane) =>
    [0, 1, 2, 3].map((i) => {
      const [row, column] = accumulator(lane >> 2, lane % 4, i);
      return c[row]![column]! + a[row]!.reduce((sum, value, k) => sum + value * b[k]![column]!, 0);
    }),
  );
  const run = runSimt(name, {input});
  return {run, expected};
}

const products = [
  ['mma/bfloat16', k16, (values: readonly number[]) => pairs(values.map(half.bfloat16))],
  ['mma/float16', k16, (values: readonly number[]) => pairs(values.map(half.float16))],
  ['mma/tf32', k8tf32, (values: readonly number[]) => floatBits(values)],
] as const;

for (const [name, fragments, pack] of products)
  test(`${name} multiplies fragments that lie as the PTX ISA says`, (t) => {
    const {run, expected} = product(name, fragments, pack);
    t.deepEqual(run.reports, []);
    t.deepEqual(asFloats(run.output), expected);
  });

test('fragments that lie otherwise give another product', (t) => {
  const [, fragments, pack] = products[0];
  const {run, expected} = product('mma/wrong-layout', fragments, pack);
  t.deepEqual(run.reports, []);
  t.notDeepEqual(asFloats(run.output), expected);
});

test('mma does not read the 13 lowest bits of a tf32 factor', (t) => {
  const [name, fragments] = products[2];
  const {run, expected} = product(name, fragments, (values) =>
    floatBits(values).map((bits) => (bits === 0 ? 0 : (bits | 0x1fff) >>> 0)),
  );
  t.deepEqual(asFloats(run.output), expected);
});

// ---- cp.async. PTX ISA, "cp.async": bytes of the destination beyond src-size are filled with zeros.

for (const bytes of [4, 8, 16])
  test(`cp.async of ${bytes} bytes fills with zeros, and does not read, what is not valid`, (t) => {
    const words = bytes / 4;
    const run = runSimt(`copy-zero-fill/${bytes}`);
    t.deepEqual(run.reports, []);
    t.deepEqual(
      run.output,
      Array.from({length: 64 * words}, (_, i) => (Math.floor(i / words) % 3 === 0 ? 0 : i + 1)),
    );
  });

// ---- numbers

test('exp2Fast is 2^x to 2 units in the last place, and 0 where that is subnormal', (t) => {
  const x = [...normalNumbers(200, 1, 20).map(Math.fround), 0, -0, 1, -1, 127, -125.5];
  const y = asFloats(runSimt('function/exp2Fast', {input: floatBits(x)}).output);
  x.forEach((each, i) => {
    const exact = 2 ** each;
    t.true(Math.abs(y[i]! - exact) <= 2 * 2 ** (Math.floor(Math.log2(exact)) - 23), `2^${each}: ${y[i]}`);
  });
  const edges = asFloats(
    runSimt('function/exp2Fast', {input: floatBits([-127, -149, -Infinity, 128, Infinity, NaN])}).output,
  );
  t.deepEqual(edges, [0, 0, 0, Infinity, Infinity, NaN]);
});

// PTX ISA, "cvt": .rna rounds to nearest, ties away from zero. 1 + 2^-11 lies halfway between two numbers of 10 bits.
test('roundToTf32 rounds to 10 bits, ties away from zero', (t) => {
  const cases: readonly (readonly [number, number])[] = [
    [1, 1],
    [1 + 2 ** -11, 1 + 2 ** -10],
    [-1 - 2 ** -11, -1 - 2 ** -10],
    [1 + 2 ** -10 + 2 ** -11, 1 + 2 ** -9],
    [1 + 2 ** -11 - 2 ** -20, 1],
    [2 - 2 ** -12, 2],
    [-0, -0],
    [Infinity, Infinity],
  ];
  const input = floatBits(cases.map(([value]) => value));
  t.deepEqual(
    asFloats(runSimt('function/roundToTf32', {input}).output),
    cases.map(([, rounded]) => rounded),
  );
});

const values = [
  ...normalNumbers(300, 5, 100).map(Math.fround),
  0,
  1 + 2 ** -8,
  1 + 3 * 2 ** -8,
  65504,
  65520,
  2 ** -24,
];

test('round to bfloat16 is to nearest, ties to even', (t) => {
  const {output} = runSimt('function/toBFloat16', {input: floatBits(values)});
  t.deepEqual(asFloats(output.map((bits) => bits * 2 ** 16)), values.map(rounding.bfloat16));
});

/** The number that a float16 is: sign, 5 bits of exponent with bias 15, 10 of fraction. */
function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

test('round to float16 is to nearest, ties to even', (t) => {
  const {output} = runSimt('function/toFloat16', {input: floatBits(values)});
  t.deepEqual(output.map(float16Value), values.map(rounding.float16));
});

test('each 16-bit number is widened to itself', (t) => {
  const all = Array.from({length: 2 ** 16}, (_, bits) => bits);
  t.deepEqual(asFloats(runSimt('function/fromFloat16', {input: all}).output), all.map(float16Value));
  t.deepEqual(
    asFloats(runSimt('function/fromBFloat16', {input: all}).output),
    asFloats(all.map((bits) => bits * 2 ** 16)),
  );
});

test('a pair holds its first number in the low half', (t) => {
  const input = floatBits([1.5]);
  t.deepEqual(runSimt('function/packBFloat16', {input}).output, [0x3fc0 + 0x4000 * 2 ** 16]);
  t.deepEqual(runSimt('function/packFloat16', {input}).output, [0x3e00 + 0x4000 * 2 ** 16]);
});

// ---- lanes. PTX ISA, "shfl.sync": a lane whose source lies outside of its segment keeps its own value.

test('shuffles, votes and reductions exchange what the PTX ISA says', (t) => {
  const x = lanes.map((lane) => lane * 3 + 1);
  const segment = (lane: number) => lane - (lane % 8);
  const from = (source: (lane: number) => number) => lanes.map((lane) => x[source(lane)]!);
  const all = (value: number) => lanes.map(() => value);
  const bits = (vote: (value: number) => boolean, count = 32) =>
    x.slice(0, count).reduce((mask, value, lane) => mask + (vote(value) ? 2 ** lane : 0), 0);
  const sum = x.reduce((total, value) => total + value);
  const even = (value: number) => value % 2 === 0;
  const expected = [
    from(() => 5),
    from((lane) => segment(lane) + ((lane + 9) % 8)),
    from((lane) => (lane < 3 ? lane : lane - 3)),
    from((lane) => (lane % 8 < 3 ? lane : lane - 3)),
    from((lane) => (lane + 3 > 31 ? lane : lane + 3)),
    from((lane) => ((lane % 8) + 3 > 7 ? lane : lane + 3)),
    from((lane) => lane ^ 6),
    from((lane) => ((lane ^ 9) >= segment(lane) + 8 ? lane : lane ^ 9)),
    all(bits((value) => value % 3 === 0)),
    all(1),
    all(0),
    all(sum),
    all(x.at(-1)!),
    all(sum),
    lanes.map((lane) => (lane < 16 ? bits(even, 16) : 0)),
    all(x.filter(even).length),
    all(1),
    all(0),
  ];
  const run = runSimt('lanes', {input: x});
  t.deepEqual(run.reports, []);
  expected.forEach((each, i) => {
    t.deepEqual(run.output.slice(32 * i, 32 * i + 32), each, `instruction ${i}`);
  });
});

test('atomic operations of several blocks are all counted', (t) => {
  for (const settings of ['', 'seed=3,workers=2']) {
    const {output, reports} = runSimt('atomics', {settings});
    t.deepEqual(reports, []);
    t.deepEqual(output.slice(0, 5), [356, 3, 255, 5, 7]);
    t.deepEqual(asFloats(output.slice(5)), [129]);
  }
});
