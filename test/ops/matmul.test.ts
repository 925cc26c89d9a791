import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {native} from '../../lib/native.js';
import {linear, matmul, normal} from '../../lib/ops/index.js';
import {Tensor, setThreads, tensor, zeros} from '../../lib/tensor/index.js';
import {runModule} from '../support/module.js';
import {normalNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
} from '../support/ops.js';
import type {Round} from '../support/rounding.js';

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** The sum of products in float64; only the result is an intermediate to round. */
function reference(
  a: readonly number[],
  b: readonly number[],
  {m, n, k, transposeA = false, transposeB = false}: Sizes,
  round: Round = (value) => value,
): number[] {
  const at = (row: number, column: number): number => {
    let sum = 0;
    for (let l = 0; l < k; l++)
      sum += a[transposeA ? l * m + row : row * k + l]! * b[transposeB ? column * k + l : l * n + column]!;
    return round(sum);
  };
  return Array.from({length: m * n}, (_, index) => at(Math.floor(index / n), index % n));
}

function shapes({m, n, k, transposeA = false, transposeB = false}: Sizes): {a: number[]; b: number[]} {
  return {a: transposeA ? [k, m] : [m, k], b: transposeB ? [n, k] : [k, n]};
}

const transposes = [
  {transposeA: false, transposeB: false},
  {transposeA: true, transposeB: false},
  {transposeA: false, transposeB: true},
  {transposeA: true, transposeB: true},
] as const;

// Micro-tiles have 14, 6 or (AMX) 32 rows and 8, 16 or 32 columns of vectors of 4, 8 or 16, words of bfloat16 have two elements of k, tiles have 112 or 48
// rows and 256 columns, blocks of k 512 or 1024 elements.
const sizes: readonly (readonly [m: number, n: number, k: number])[] = [
  [1, 1, 1],
  [5, 7, 2],
  [6, 8, 3],
  [7, 9, 15],
  [13, 15, 16],
  [14, 16, 17],
  [15, 17, 31],
  [27, 31, 33],
  [28, 32, 1],
  [29, 33, 4],
  [47, 65, 127],
  [49, 127, 128],
  [111, 129, 5],
  [113, 255, 9],
  [1, 257, 64],
  [130, 1, 65],
  [3, 5, 511],
  [3, 5, 513],
  [2, 3, 1025],
];

for (const [m, n, k] of sizes)
  onEachDevice(floatDTypes, `matmul [${m}, ${k}] x [${k}, ${n}]`, async (t, {device, dtype}) => {
    for (const transpose of transposes) {
      const each = {m, n, k, ...transpose};
      const shape = shapes(each);
      const a = representable(normalNumbers(m * k, 1), dtype);
      const b = representable(normalNumbers(k * n, 2), dtype);
      const y = matmul(
        tensor(a, {shape: shape.a, device, dtype}),
        tensor(b, {shape: shape.b, device, dtype}),
        transpose,
      );
      t.deepEqual(y.shape, [m, n]);
      t.is(y.dtype, dtype);
      await asGoodAsPlain(t, y, (round) => reference(a, b, each, round));
    }
  });

/** Whole numbers, whose sums are exact in any order. */
const wholeNumbers = (count: number, seed: number): number[] => normalNumbers(count, seed, 2).map(Math.round);

const resultDTypes = ['float32', 'bfloat16'] as const;

/** A product of bfloat16 on the CPU, as each dtype of results. */
async function productOfWhole(
  each: Sizes,
): Promise<Readonly<Record<(typeof resultDTypes)[number], Float32Array>>> {
  const {m, n, k, transposeA = false, transposeB = false} = each;
  const shape = shapes(each);
  const a = tensor(wholeNumbers(m * k, 1), {shape: shape.a, dtype: 'bfloat16', device: 'cpu'});
  const b = tensor(wholeNumbers(k * n, 2), {shape: shape.b, dtype: 'bfloat16', device: 'cpu'});
  const options = {transposeA, transposeB};
  const float32 = native.matmul(a.native, b.native, {...options, dtype: 'float32'});
  return {float32: await Tensor.fromNative(float32).floats(), bfloat16: await matmul(a, b, options).floats()};
}

// Both sides of AMX tiles of 16 and 32 rows and columns, and of steps of 32 elements of k; each transposition in turn.
test('products of bfloat16 are exact around the edges of tiles', async (t) => {
  const edges = [1, 15, 16, 17, 31, 32, 33, 63, 65];
  const cases = edges.flatMap((m) => edges.flatMap((n) => edges.map((k) => ({m, n, k}))));
  for (const [index, sizesOf] of cases.entries()) {
    const each = {...sizesOf, ...transposes[index % transposes.length]!};
    const {m, n, k} = each;
    const wanted = reference(wholeNumbers(m * k, 1), wholeNumbers(k * n, 2), each);
    const got = await productOfWhole(each);
    for (const dtype of resultDTypes) closeTo(t, got[dtype], representable(wanted, dtype), 0);
  }
});

// Blocks of k have at most 384 elements, tasks 256 rows and columns; a result of more than 2 MiB is written past the caches.
for (const [m, n, k] of [
  [257, 33, 385],
  [31, 257, 383],
  [65, 63, 1537],
  [1057, 1024, 33],
] as const)
  for (const transpose of transposes)
    test(`products of bfloat16 [${m}, ${k}] x [${k}, ${n}] are exact, ${JSON.stringify(transpose)}`, async (t) => {
      const got = await productOfWhole({m, n, k, ...transpose});
      const a = wholeNumbers(m * k, 1);
      const b = wholeNumbers(k * n, 2);
      for (const row of new Set([0, 15, 16, 30, 31, 32, 256, m - 1].filter((each) => each < m))) {
        const rowOfA = Array.from(
          {length: k},
          (_, l) => a[transpose.transposeA ? l * m + row : row * k + l]!,
        );
        const wanted = reference(rowOfA, b, {m: 1, n, k, transposeB: transpose.transposeB});
        for (const dtype of resultDTypes)
          closeTo(t, got[dtype].subarray(row * n, (row + 1) * n), representable(wanted, dtype), 0);
      }
    });

test('matmul of whole numbers is the same on every instruction set', async (t) => {
  const code = `
    import {createHash} from 'node:crypto';
    import {matmul} from 'lib/ops/index.js';
    import {tensor} from 'lib/tensor/index.js';
    const whole = (count, step) => Array.from({length: count}, (_, index) => ((index * step) % 7) - 3);
    const hash = createHash('sha256');
    for (const dtype of ['float32', 'bfloat16', 'float16'])
      for (const [m, n, k] of [[1, 40, 70], [50, 70, 90], [300, 290, 400]]) {
        const a = tensor(whole(m * k, 5), {shape: [m, k], dtype});
        hash.update(await matmul(a, tensor(whole(k * n, 3), {shape: [k, n], dtype})).data());
      }
    console.log(hash.digest('hex'));`;
  const sets = ['baseline', 'avx2', 'avx512', 'amx'];
  const [first, ...others] = await Promise.all(
    sets.map((set) => runModule(code, {env: {CROSSMAP_ISA: set}})),
  );
  t.regex(first!.printed, /^[0-9a-f]{64}$/);
  for (const other of others) t.deepEqual(other, first);
});

// More rows and columns than one packed super-block has, and a sum deeper than its 8 MiB hold: checked by products with a vector, which
// are sums themselves: (a b) v = a (b v).
onEachDevice(
  floatDTypes,
  'matmul beyond one super-block is associative with a vector',
  async (t, {dtype}) => {
    for (const [m, n, k] of [
      [2017, 2049, 40],
      [300, 260, 9001],
    ] as const) {
      const a = normal([m, k], {seed: 1, dtype});
      const b = normal([k, n], {seed: 2, dtype});
      const [af, bf, yf] = await Promise.all([a.floats(), b.floats(), matmul(a, b).floats()]);
      const v = normalNumbers(n, 3);
      const bv = Array.from({length: k}, (_, l) =>
        v.reduce((sum, each, j) => sum + each * bf[l * n + j]!, 0),
      );
      const wanted = Array.from({length: m}, (_, i) =>
        bv.reduce((sum, each, l) => sum + each * af[i * k + l]!, 0),
      );
      const got = Array.from({length: m}, (_, i) =>
        v.reduce((sum, each, j) => sum + each * yf[i * n + j]!, 0),
      );
      // Each element of the product is rounded to the dtype: errors of half a unit of sqrt(k) times |v|, 4.5 deviations of their sum.
      const unit = {float32: 2 ** -18, bfloat16: 2 ** -9, float16: 2 ** -12}[dtype];
      closeTo(t, got, wanted, 4.5 * unit * Math.sqrt(k) * Math.sqrt(n) * 1.5);
    }
  },
);

for (const transpose of transposes)
  onEachDevice(
    floatDTypes,
    `matmul gradients, transposeA ${transpose.transposeA}, transposeB ${transpose.transposeB}`,
    (t, on) => {
      const each = {m: 17, n: 19, k: 15, ...transpose};
      const shape = shapes(each);
      return gradientsMatch(t, on, {
        inputs: {
          a: {shape: shape.a, values: normalNumbers(each.m * each.k, 1)},
          b: {shape: shape.b, values: normalNumbers(each.k * each.n, 2)},
        },
        op: (a, b) => matmul(a, b, transpose),
        reference: (a, b) => reference(a, b, each),
      });
    },
  );

onEachDevice(floatDTypes, 'linear is x times the transposed weight', async (t, {device, dtype}) => {
  const each = {m: 33, n: 18, k: 21, transposeB: true};
  const x = representable(normalNumbers(each.m * each.k, 1), dtype);
  const weight = representable(normalNumbers(each.k * each.n, 2), dtype);
  const y = linear(
    tensor(x, {shape: [each.m, each.k], device, dtype}),
    tensor(weight, {shape: [each.n, each.k], device, dtype}),
  );
  t.is(y.dtype, dtype);
  await asGoodAsPlain(t, y, (round) => reference(x, weight, each, round));
});

onEachDevice(floatDTypes, 'linear gradients', (t, on) =>
  gradientsMatch(t, on, {
    inputs: {
      x: {shape: [31, 17], values: normalNumbers(31 * 17, 1)},
      weight: {shape: [13, 17], values: normalNumbers(13 * 17, 2)},
    },
    op: linear,
    reference: (x, weight) => reference(x, weight, {m: 31, n: 13, k: 17, transposeB: true}),
  }),
);

const filled = (length: number, value: number): number[] => Array.from({length}, () => value);

// Products of 1 + 2^-7 in 2^15 tokens: each sum needs more bits than bfloat16 has, and they would be lost in it.
onEachDevice(['bfloat16', 'float16'], 'linear keeps the gradient of the weight in float32', async (t, on) => {
  const tokens = 32_768;
  const x = tensor(filled(tokens, 1 + 2 ** -7), {...on, shape: [tokens, 1]});
  const weight = requireGradient(tensor([[1]], on));
  const y = linear(x, weight);
  backward(y, tensor(filled(tokens, 1), {...on, shape: [tokens, 1]}));
  t.is(await gradient(weight)!.item(), tokens * (1 + 2 ** -7));
});

onEachDevice(floatDTypes, 'matmul has the same bits for any number of threads', async (t, {dtype}) => {
  // Few tiles and a long sum, so that parts of it are summed apart; then many tiles.
  for (const [m, n, k] of [
    [60, 50, 9000],
    [300, 400, 200],
  ] as const) {
    const a = normal([m, k], {seed: 1, dtype});
    const b = normal([k, n], {seed: 2, dtype});
    const results: unknown[] = [];
    for (const threads of [1, 2, 3, 7]) {
      setThreads(threads);
      results.push(await matmul(a, b).data());
    }
    setThreads(2);
    for (const each of results.slice(1)) t.deepEqual(each, results[0]);
  }
});

onEachDevice(floatDTypes, 'matmul and linear take sizes of 0', async (t, {device, dtype}) => {
  const on = {device, dtype};
  t.deepEqual(matmul(zeros([0, 3], on), zeros([3, 4], on)).shape, [0, 4]);
  t.deepEqual(matmul(zeros([2, 3], on), zeros([3, 0], on)).shape, [2, 0]);
  t.deepEqual([...(await matmul(zeros([2, 0], on), zeros([0, 3], on)).floats())], [0, 0, 0, 0, 0, 0]);
  const weight = requireGradient(tensor([[1, 2]], on));
  backward(linear(zeros([0, 2], on), weight), zeros([0, 1], on));
  t.deepEqual([...(await gradient(weight)!.floats())], [0, 0]);
});

onEachDevice(
  floatDTypes,
  'matmul hands infinities and NaN on, to their rows and columns alone',
  async (t, on) => {
    const a = tensor(
      [
        [Infinity, 1],
        [1, NaN],
        [1, 1],
      ],
      on,
    );
    const y = await matmul(a, tensor([[1], [2]], on)).floats();
    t.deepEqual([...y], [Infinity, NaN, 3]);
  },
);

onEachDevice(['float32', 'bfloat16'], 'matmul sums large magnitudes in float32', async (t, on) => {
  const y = matmul(tensor([[2 ** 100, 2 ** 100, -(2 ** 100)]], on), tensor([[2], [-1], [1]], on));
  t.is(await y.item(), 0);
});

test('matmul of whole numbers is exact', async (t) => {
  const size = fc.integer({min: 1, max: 40});
  const property = fc.asyncProperty(
    size,
    size,
    size,
    fc.boolean(),
    fc.boolean(),
    fc.integer(),
    async (m, n, k, transposeA, transposeB, seed) => {
      const each = {m, n, k, transposeA, transposeB};
      const shape = shapes(each);
      const whole = (count: number, from: number): number[] => normalNumbers(count, from, 3).map(Math.round);
      const a = whole(m * k, seed);
      const b = whole(k * n, seed + 1);
      for (const dtype of floatDTypes) {
        const y = matmul(tensor(a, {shape: shape.a, dtype}), tensor(b, {shape: shape.b, dtype}), each);
        const wanted = representable(reference(a, b, each), dtype);
        t.deepEqual(
          Array.from(await y.floats(), (value) => value + 0),
          wanted.map((value) => value + 0),
        );
      }
    },
  );
  await fc.assert(property, {seed: 5, numRuns: 40});
});

test('matmul names the argument and both shapes', (t) => {
  const refuse = (work: () => unknown, code: string, message: string): void => {
    t.throws(work, {code, message});
  };
  const a = zeros([2, 3]);
  refuse(
    () => matmul(a, zeros([4, 5])),
    'ERR_SHAPE',
    'matmul: b must be [3, 5] to match a [2, 3]; got [4, 5]',
  );
  refuse(
    () => matmul(a, zeros([4, 5]), {transposeA: true, transposeB: true}),
    'ERR_SHAPE',
    'matmul: b must be [4, 2] to match a [2, 3]; got [4, 5]',
  );
  refuse(() => matmul(zeros([3]), a), 'ERR_SHAPE', 'matmul: a must have 2 axes; got [3]');
  refuse(() => matmul(a, zeros([2, 3, 1])), 'ERR_SHAPE', 'matmul: b must have 2 axes; got [2, 3, 1]');
  refuse(
    () => matmul(a, zeros([3, 2], {dtype: 'bfloat16'})),
    'ERR_DTYPE',
    'matmul: b must be float32 to match a; got bfloat16',
  );
  refuse(
    () => matmul(zeros([2, 3], {dtype: 'int32'}), zeros([3, 2], {dtype: 'int32'})),
    'ERR_DTYPE',
    'matmul: a must be float32, bfloat16 or float16; got int32',
  );
  refuse(
    () => linear(a, zeros([5, 4])),
    'ERR_SHAPE',
    'linear: weight must be [5, 3] to match x [2, 3]; got [5, 4]',
  );
  refuse(() => linear(zeros([3]), a), 'ERR_SHAPE', 'linear: x must have 2 axes; got [3]');
  refuse(() => linear(a, zeros([3])), 'ERR_SHAPE', 'linear: weight must have 2 axes; got [3]');
  refuse(
    () => linear(a, zeros([5, 3], {dtype: 'float16'})),
    'ERR_DTYPE',
    'linear: weight must be float32 to match x; got float16',
  );
  const gone = zeros([3, 2]);
  gone.dispose();
  t.throws(() => matmul(a, gone), {code: 'ERR_DISPOSED'});
});
