/** Sums, means and maxima against their formulas in float64. */
import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {max, mean, sum} from '../../lib/ops/index.js';
import {full, setThreads, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {asGoodAsPlain, floatDTypes, gradientsMatch, onEachDevice, representable} from '../support/ops.js';

interface Member {
  readonly op: typeof sum;
  readonly reference: (row: readonly number[]) => number;
}

const sumOf = (row: readonly number[]): number => row.reduce((total, each) => total + each, 0);

const members: Readonly<Record<string, Member>> = {
  sum: {op: sum, reference: sumOf},
  mean: {op: mean, reference: (row) => sumOf(row) / row.length},
  max: {op: max, reference: (row) => row.reduce((most, each) => Math.max(most, each), -Infinity)},
};

const rowsOf = (values: readonly number[], features: number): number[][] =>
  Array.from({length: values.length / features}, (_, row) =>
    values.slice(row * features, (row + 1) * features),
  );

// Last axes: all vector widths (4, 8, 16) less one, exactly, plus one; two vectors and one element; what a warp takes and one more
// (2048); more than a block of sums (256 vectors); what a block of the GPU takes and one more (2^13). All elements: one range of a
// thread (2^14) and one element more.
const shapes: readonly (readonly number[])[] = [
  [1],
  [3, 3],
  [2, 2, 4],
  [5, 15],
  [5, 16],
  [129, 17],
  [3, 33],
  [3, 2048],
  [3, 2049],
  [2, 4099],
  [2, 2 ** 13],
  [2, 2 ** 13 + 1],
  [3, 2 ** 13 + 8],
  [2 ** 14 + 1, 1],
];

for (const [name, {op, reference}] of Object.entries(members)) {
  onEachDevice(floatDTypes, `${name} is as good as plain code`, async (t, {device, dtype}) => {
    for (const shape of shapes) {
      const size = shape.reduce((product, each) => product * each, 1);
      const values = representable(normalNumbers(size, 1), dtype);
      const x = tensor(values, {shape, device, dtype});
      await asGoodAsPlain(t, op(x), (round) => [round(reference(values))]);
      const last = op(x, {axis: 'last'});
      t.deepEqual(last.shape, shape.slice(0, -1));
      t.is(last.dtype, name === 'max' ? dtype : 'float32');
      await asGoodAsPlain(t, last, (round) =>
        rowsOf(values, shape.at(-1)!).map((row) => round(reference(row))),
      );
    }
  });

  for (const axis of ['all', 'last'] as const)
    onEachDevice(floatDTypes, `${name} over ${axis} has the gradient of its formula`, async (t, on) => {
      await gradientsMatch(t, on, {
        // A permutation of distant numbers: no two are so close that the greatest changes.
        inputs: {
          x: {shape: [5, 3, 7], values: Array.from({length: 105}, (_, index) => ((index * 37) % 105) / 8)},
        },
        op: (x) => op(x, {axis}),
        reference: (x) => (axis === 'all' ? [reference(x)] : rowsOf(x, 7).map(reference)),
      });
    });
}

onEachDevice(floatDTypes, 'a sum of nothing is 0, also over the last axis', async (t, on) => {
  t.is(await sum(tensor([], {shape: [0], ...on})).item(), 0);
  t.deepEqual([...(await sum(tensor([], {shape: [2, 0], ...on}), {axis: 'last'}).floats())], [0, 0]);
  t.deepEqual(sum(tensor([], {shape: [0, 3], ...on}), {axis: 'last'}).shape, [0]);
  const empty = requireGradient(tensor([], {shape: [2, 0], ...on}));
  backward(sum(empty));
  t.deepEqual(gradient(empty)!.shape, [2, 0]);
});

onEachDevice(
  ['float32'],
  'the sum of many equal terms keeps what float32 additions one by one would lose',
  async (t, {device}) => {
    const count = 2 ** 22;
    const third = Math.fround(1 / 3);
    const total = await sum(full([count], third, {device})).item();
    // Blocks of 256 vectors are summed in two chains of float32: up to 128 roundings of one direction.
    t.true(Math.abs(total / (count * third) - 1) < 2 ** -20, `${total}`);
    const ones = full([2 ** 10], 1, {dtype: 'bfloat16', device});
    t.is(await sum(ones).item(), 2 ** 10, 'bfloat16 would stop at 256');
  },
);

onEachDevice(floatDTypes, 'infinities and NaN reach the result', async (t, on) => {
  t.is(await sum(tensor([1, Infinity], on)).item(), Infinity);
  t.is(await mean(tensor([Infinity, -Infinity], on)).item(), NaN);
  t.is(await max(tensor([1, NaN, 2], on)).item(), NaN);
  t.is(await max(tensor([-Infinity, -Infinity], on)).item(), -Infinity);
  t.is(await max(tensor([-0, 0], on)).item(), 0);
  // Past the first range of a thread.
  const late = Array.from({length: 2 ** 15}, (_, index) => (index === 2 ** 14 + 5 ? NaN : 0));
  t.is(await max(tensor(late, on)).item(), NaN);
});

onEachDevice(floatDTypes, 'the gradient of a maximum goes to the first of equals', async (t, on) => {
  const x = requireGradient(
    tensor(
      [
        [1, 5, 5],
        [-1, -2, -1],
      ],
      on,
    ),
  );
  backward(max(x, {axis: 'last'}), tensor([2, 3], on));
  t.deepEqual([...(await gradient(x)!.floats())], [0, 2, 0, 3, 0, 0]);
  const many = requireGradient(full([2 ** 14 + 9], 1, on));
  backward(max(many));
  const found = await gradient(many)!.floats();
  t.is(found[0], 1);
  t.is(
    found.reduce((total, each) => total + each, 0),
    1,
  );
});

onEachDevice(floatDTypes, 'the gradient of a maximum goes to the first NaN', async (t, on) => {
  const x = requireGradient(tensor([1, NaN, 5, NaN], on));
  backward(max(x));
  t.deepEqual([...(await gradient(x)!.floats())], [0, 1, 0, 0]);
});

onEachDevice(['float32'], 'sums and maxima agree with plain loops for any shape', async (t, on) => {
  const element = fc.float({noNaN: true, min: -100, max: 100});
  await fc.assert(
    fc.asyncProperty(
      fc.integer({min: 1, max: 20}).chain((features) =>
        fc.array(fc.array(element, {minLength: features, maxLength: features}), {
          minLength: 1,
          maxLength: 20,
        }),
      ),
      async (rows) => {
        const x = tensor(rows, on);
        const sums = await sum(x, {axis: 'last'}).floats();
        const greatest = await max(x, {axis: 'last'}).floats();
        return rows.every(
          (row, index) =>
            Math.abs(sums[index]! - sumOf(row)) < 1e-3 && greatest[index] === Math.max(...row) + 0,
        );
      },
    ),
    {seed: 1, numRuns: 60},
  );
  t.pass();
});

test.serial('the number of threads does not change a bit', async (t) => {
  const x = tensor(normalNumbers(3 * 2 ** 14 + 5, 1));
  const bits: number[] = [];
  for (const threads of [1, 2, 3]) {
    setThreads(threads);
    bits.push(await sum(x).item());
  }
  setThreads(2);
  t.is(bits[1], bits[0]);
  t.is(bits[2], bits[0]);
});

test('reductions say what they cannot reduce', (t) => {
  const last = {axis: 'last'} as const;
  const integers = tensor([1], {dtype: 'int32'});
  const cases: readonly (readonly [() => Tensor, string, string])[] = [
    [() => sum(integers), 'ERR_DTYPE', 'sum: x must be float32, bfloat16 or float16; got int32'],
    [() => max(integers), 'ERR_DTYPE', 'max: x must be float32, bfloat16 or float16; got int32'],
    [() => sum(tensor(1), last), 'ERR_SHAPE', 'sum: x must have at least 1 axis; got []'],
    [() => max(tensor(1), last), 'ERR_SHAPE', 'max: x must have at least 1 axis; got []'],
    [() => mean(tensor([])), 'ERR_SHAPE', 'mean: x must have at least one element; got [0]'],
    [() => max(tensor([])), 'ERR_SHAPE', 'max: x must have at least one element; got [0]'],
    [
      () => mean(tensor([], {shape: [2, 0]}), last),
      'ERR_SHAPE',
      'mean: x must have at least one element on its last axis; got [2, 0]',
    ],
  ];
  for (const [call, code, message] of cases) t.throws(call, {code, message});
  t.throws(() => sum(tensor([1]), {axis: 'first' as 'last'}), {
    code: 'ERR_ARGUMENT',
    message: "reduce: argument 3 must be one of all, last; got 'first'",
  });
});
