/** sliceRows: a view of some rows, whose gradient is 0 elsewhere. */
import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {add, sliceRows, sum} from '../../lib/ops/index.js';
import {tensor, zeros} from '../../lib/tensor/index.js';
import {floatDTypes, onEachDevice} from '../support/ops.js';

onEachDevice(floatDTypes, 'sliceRows gives the rows, in the same memory', async (t, on) => {
  const x = tensor(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    on,
  );
  const y = sliceRows(x, 1, 3);
  t.deepEqual([y.shape, y.dtype], [[2, 2], on.dtype]);
  t.deepEqual([...(await y.floats())], [3, 4, 5, 6]);
  y.copyFrom(
    tensor(
      [
        [7, 8],
        [9, 10],
      ],
      on,
    ),
  );
  t.deepEqual([...(await x.floats())], [1, 2, 7, 8, 9, 10]);
});

onEachDevice(
  floatDTypes,
  'the gradient is 0 outside of the slice, and that of overlapping slices is summed',
  async (t, on) => {
    const x = requireGradient(
      tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
          [7, 8],
        ],
        on,
      ),
    );
    backward(sum(add(sliceRows(x, 0, 2), sliceRows(x, 1, 3))));
    t.deepEqual([...(await gradient(x)!.floats())], [1, 1, 2, 2, 1, 1, 0, 0]);
  },
);

test('gradients of any slice land where it was cut', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20)),
      fc.integer({min: 1, max: 5}),
      async ([before, inside, after], features) => {
        const rows = before + inside + after;
        const x = requireGradient(zeros([rows, features]));
        const dy = Array.from({length: inside * features}, (_, index) => index + 1);
        backward(sliceRows(x, before, before + inside), tensor(dy, {shape: [inside, features]}));
        const found = [...(await gradient(x)!.floats())];
        const nothing = (count: number): number[] => Array.from({length: count * features}, () => 0);
        return found.join() === [...nothing(before), ...dy, ...nothing(after)].join();
      },
    ),
    {seed: 1, numRuns: 60},
  );
  t.pass();
});

test('sliceRows says which rows there are', (t) => {
  const x = zeros([3, 2]);
  for (const [start, end] of [
    [-1, 2],
    [2, 1],
    [0, 4],
    [0.5, 1],
  ] as const)
    t.throws(() => sliceRows(x, start, end), {
      code: 'ERR_ARGUMENT',
      message: `rows: start and end must be whole numbers with 0 <= start <= end <= 3; got ${start} and ${end}`,
    });
  t.throws(() => sliceRows(zeros([]), 0, 0), {
    code: 'ERR_SHAPE',
    message: 'rows: the tensor must have at least 1 axis; got []',
  });
});
