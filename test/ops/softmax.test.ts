/** Softmax and its logarithm against their formulas in float64. */
import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {logSoftmax, softmax} from '../../lib/ops/index.js';
import {full, setThreads, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

interface Member {
  readonly op: (x: Tensor) => Tensor;
  readonly reference: (row: readonly number[], round: Round) => number[];
}

/** Differences to the greatest, and the sum of their powers. */
function parts(row: readonly number[]): {differences: number[]; total: number} {
  const greatest = row.reduce((most, each) => Math.max(most, each), -Infinity);
  const differences = row.map((each) => each - greatest);
  return {differences, total: differences.reduce((total, each) => total + Math.exp(each), 0)};
}

const members: Readonly<Record<string, Member>> = {
  softmax: {
    op: softmax,
    reference: (row, round) => {
      const {differences, total} = parts(row);
      return differences.map((each) => round(round(Math.exp(each)) / round(total)));
    },
  },
  logSoftmax: {
    op: logSoftmax,
    reference: (row, round) => {
      const {differences, total} = parts(row);
      return differences.map((each) => round(round(each) - round(Math.log(total))));
    },
  },
};

const rowsOf = (values: readonly number[], features: number): number[][] =>
  Array.from({length: values.length / features}, (_, row) =>
    values.slice(row * features, (row + 1) * features),
  );

for (const [name, {op, reference}] of Object.entries(members)) {
  onEachDevice(floatDTypes, `${name} is as good as plain code`, async (t, {device, dtype}) => {
    // All vector widths (4, 8, 16) less one, exactly, plus one; what a warp takes and one more (1024); more than one block of sums
    // (256 vectors); more than shared memory keeps (48 KB).
    for (const [rows, features] of [
      [1, 1],
      [3, 3],
      [3, 4],
      [2, 15],
      [2, 16],
      [129, 17],
      [2, 129],
      [5, 1024],
      [2, 1025],
      [2, 4099],
      [2, 24584],
    ] as const) {
      const values = representable(normalNumbers(rows * features, 1, 3), dtype);
      const y = op(tensor(values, {shape: [rows, features], device, dtype}));
      await asGoodAsPlain(t, y, (round) => rowsOf(values, features).map((row) => reference(row, round)));
    }
  });

  onEachDevice(floatDTypes, `${name} has the gradient of its formula`, async (t, on) => {
    await gradientsMatch(t, on, {
      inputs: {x: {shape: [2, 3, 19], values: normalNumbers(114, 2, 2)}},
      op: (x) => op(x),
      reference: (x) => rowsOf(x, 19).map((row) => reference(row, exact)),
    });
  });

  onEachDevice(floatDTypes, `${name} of large numbers is that of their differences`, async (t, on) => {
    const small = [0, -1, 2, -3];
    const large = small.map((each) => each + 2 ** 15);
    // Whole numbers of this size fit in float16 and bfloat16 only as multiples of 32 and 256.
    const scaled = on.dtype === 'float32' ? large : representable(large, on.dtype);
    const y = await op(tensor(scaled, on)).floats();
    closeTo(t, y, reference(scaled, exact), 2 ** -7);
  });

  onEachDevice(
    floatDTypes,
    `${name} of a row that is masked whole has no gradient, and the rows beside it theirs`,
    async (t, on) => {
      const x = requireGradient(
        tensor(
          [
            [-Infinity, -Infinity],
            [0, -Infinity],
            [1, 1],
          ],
          on,
        ),
      );
      const y = op(x);
      const masked = name === 'softmax' ? 0 : -Infinity;
      t.deepEqual([...(await y.floats())].slice(0, 4), [masked, masked, name === 'softmax' ? 1 : 0, masked]);
      backward(
        y,
        tensor(
          [
            [1, 2],
            [1, 0],
            [1, 0],
          ],
          on,
        ),
      );
      const dx = await gradient(x)!.floats();
      t.true(dx.subarray(0, 4).every((each) => each === 0));
      t.true(dx.every(Number.isFinite));
    },
  );
}

onEachDevice(floatDTypes, 'NaN and infinity make their row NaN, and no other', async (t, on) => {
  const y = await softmax(
    tensor(
      [
        [1, NaN],
        [Infinity, 1],
        [0, 0],
      ],
      on,
    ),
  ).floats();
  t.deepEqual([...y], [NaN, NaN, NaN, NaN, 0.5, 0.5]);
});

for (const features of [17, 1024, 1032, 24584])
  onEachDevice(floatDTypes, `softmax and its logarithm of ${features} equal numbers`, async (t, on) => {
    const x = requireGradient(full([2, features], 3, on));
    const dy = full([2, features], 1, on);
    const p = softmax(x);
    await asGoodAsPlain(t, p, (round) => Array.from({length: 2 * features}, () => round(1 / features)));
    // All probabilities alike, and dy is their mean: nothing is left of the gradient but the rounding of sums.
    backward(p, dy);
    closeTo(t, await gradient(x)!.floats(), new Float32Array(2 * features), 2 ** -18 / features);
    const y = logSoftmax(x);
    await asGoodAsPlain(t, y, (round) =>
      Array.from({length: 2 * features}, () => round(-Math.log(features))),
    );
    backward(y, dy);
    closeTo(t, await gradient(x)!.floats(), new Float32Array(2 * features), 2 ** -18);
  });

onEachDevice(floatDTypes, 'no rows and no features are legal', (t, on) => {
  t.deepEqual(softmax(tensor([], {shape: [0, 3], ...on})).shape, [0, 3]);
  t.deepEqual(softmax(tensor([], {shape: [3, 0], ...on})).shape, [3, 0]);
});

onEachDevice(['float32'], 'probabilities sum to one and keep the order of the scores', async (t, on) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.float({noNaN: true, min: -50, max: 50}), {minLength: 1, maxLength: 70}),
      async (row) => {
        const p = [...(await softmax(tensor(row, on)).floats())];
        const total = p.reduce((sum, each) => sum + each, 0);
        const isOrdered = row.every((a, i) => row.every((b, j) => a <= b || p[i]! >= p[j]!));
        return Math.abs(total - 1) < 1e-5 && isOrdered;
      },
    ),
    {seed: 1, numRuns: 60},
  );
  t.pass();
});

test.serial('the number of threads does not change a bit', async (t) => {
  const values = normalNumbers(300 * 129, 1);
  const run = async (): Promise<Float32Array[]> => {
    const x = requireGradient(tensor(values, {shape: [300, 129]}));
    const y = softmax(x);
    backward(y, tensor(normalNumbers(300 * 129, 2), {shape: [300, 129]}));
    return Promise.all([y.floats(), gradient(x)!.floats()]);
  };
  setThreads(1);
  const one = await run();
  setThreads(3);
  const three = await run();
  setThreads(2);
  t.deepEqual(three, one);
});

test('softmax needs an axis and floats', (t) => {
  for (const [name, {op}] of Object.entries(members)) {
    t.throws(() => op(tensor(1)), {
      code: 'ERR_SHAPE',
      message: `${name}: x must have at least 1 axis; got []`,
    });
    t.throws(() => op(tensor([1], {dtype: 'int32'})), {
      code: 'ERR_DTYPE',
      message: `${name}: x must be float32, bfloat16 or float16; got int32`,
    });
  }
});
