/** Elementwise ops of two operands against their formulas in float64. */
import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {add, cast, divide, maximum, minimum, multiply, reshape, subtract, sum} from '../../lib/ops/index.js';
import {full, memory, scope, setThreads, synchronize, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, uniformNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
} from '../support/ops.js';

interface Member {
  readonly op: (a: Tensor, b: Tensor | number) => Tensor;
  readonly reference: (a: number, b: number) => number;
}

const members: Readonly<Record<string, Member>> = {
  add: {op: add, reference: (a, b) => a + b},
  divide: {op: divide, reference: (a, b) => a / b},
  maximum: {op: maximum, reference: Math.max},
  minimum: {op: minimum, reference: Math.min},
  multiply: {op: multiply, reference: (a, b) => a * b},
  subtract: {op: subtract, reference: (a, b) => a - b},
};

/** Away from 0, where quotients are steep, and from each other by their signs: no two are nearly equal. */
const apart = (count: number, seed: number, sign: number): number[] => {
  const uniform = uniformNumbers(seed);
  return Array.from({length: count}, () => (uniform() < 0.5 ? sign : -sign) * (1 + uniform()) + 0.25 * sign);
};

/** Element of b that stands beside element `index` of a. */
const beside = (b: readonly number[], index: number): number => b[index % b.length]!;

// b as large as a, a row of it, and one element. Features: all vector widths (4, 8, 16) less one, exactly, plus one; a block of
// columns (256 packs or elements) and one more. Rows: one more than the 64 ranges into which the sums of rows are split, times the
// rows of a range.
const shapes: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[1], [1]],
  [[17], [17]],
  [
    [2, 3, 5],
    [2, 3, 5],
  ],
  [
    [129, 129],
    [129, 129],
  ],
  [[3, 3], [3]],
  [[2, 3, 15], [15]],
  [[5, 16], [16]],
  [[65, 17], [17]],
  [[2 ** 12 + 65, 5], [5]],
  [[3, 256], [256]],
  [[3, 257], [257]],
  [[2, 2056], [2056]],
  [[], []],
  [[1], []],
  [[2 ** 14 + 1], []],
  [[0], []],
  [[0, 3], [3]],
  [[3, 0], [0]],
];

const size = (shape: readonly number[]): number => shape.reduce((product, each) => product * each, 1);

for (const [name, {op, reference}] of Object.entries(members)) {
  onEachDevice(floatDTypes, `${name} is as good as plain code`, async (t, {device, dtype}) => {
    for (const [shapeA, shapeB] of shapes) {
      const a = representable(normalNumbers(size(shapeA), 1, 2), dtype);
      const b = representable(apart(size(shapeB), 2, 1), dtype);
      const y = op(tensor(a, {shape: shapeA, device, dtype}), tensor(b, {shape: shapeB, device, dtype}));
      t.deepEqual([y.shape, y.dtype], [shapeA, dtype]);
      await asGoodAsPlain(t, y, (round) => a.map((each, index) => round(reference(each, beside(b, index)))));
    }
  });

  for (const shapeB of [[33, 7], [7], []])
    onEachDevice(
      floatDTypes,
      `${name} has the gradients of its formula with b [${shapeB}]`,
      async (t, on) => {
        await gradientsMatch(t, on, {
          inputs: {
            a: {shape: [33, 7], values: apart(231, 3, 1)},
            b: {shape: shapeB, values: apart(size(shapeB), 4, 2.5)},
          },
          op: (a, b) => op(a, b),
          reference: (a, b) => a.map((each, index) => reference(each, beside(b, index))),
        });
      },
    );

  onEachDevice(
    floatDTypes,
    `${name} takes a number and a float32 scalar in full precision`,
    async (t, {device, dtype}) => {
      const a = representable(normalNumbers(33, 5), dtype);
      const number = 1 / 3; // bfloat16 would round it by 0.1 %
      const x = tensor(a, {device, dtype});
      for (const y of [op(x, number), op(x, tensor(number, {device}))])
        await asGoodAsPlain(t, y, (round) => a.map((each) => round(reference(each, Math.fround(number)))));
    },
  );
}

onEachDevice(
  ['bfloat16', 'float16'],
  'the gradient of what was repeated is float32, and exact for many rows',
  async (t, on) => {
    const rows = 3000;
    const b = requireGradient(tensor([1, 2, 3], on));
    backward(sum(multiply(full([rows, 3], 1, on), b)));
    t.deepEqual([...(await gradient(b)!.floats())], [rows, rows, rows]);
  },
);

onEachDevice(floatDTypes, 'the gradient of a scalar is exact for many elements', async (t, on) => {
  // More than all blocks of a launch take at once: 1024 times 2048 elements of float32.
  const count = on.dtype === 'float32' ? 2 ** 21 + 3 : 2 ** 12 + 3;
  const b = requireGradient(tensor(2, on));
  backward(sum(multiply(full([count], 1, on), b)));
  t.is(await gradient(b)!.item(), count);
});

onEachDevice(
  floatDTypes,
  'the gradient of a row is that of its columns, whatever blocks they fall into',
  async (t, on) => {
    // Rows: a block of few columns has 8 for each of its threads. Columns: packs and elements, of one block and of several.
    for (const [rows, features] of [
      [1, 1],
      [408, 5],
      [409, 5],
      [5000, 3],
      [9, 257],
      [17, 256],
      [9, 2056],
    ] as const) {
      const a = representable(normalNumbers(rows * features, rows), on.dtype);
      const dy = representable(normalNumbers(rows * features, features), on.dtype);
      const b = requireGradient(tensor(representable(normalNumbers(features, 7), on.dtype), on));
      backward(
        multiply(tensor(a, {shape: [rows, features], ...on}), b),
        tensor(dy, {shape: [rows, features], ...on}),
      );
      const wanted = Array.from({length: features}, () => 0);
      for (const [index, each] of a.entries()) wanted[index % features]! += each * dy[index]!;
      // The products are exact in float32, or nearly; each addition errs by 2^-24 of a sum that grows like the root of the rows.
      closeTo(t, await gradient(b)!.floats(), wanted, rows * 2 ** -22);
    }
  },
);

onEachDevice(
  floatDTypes,
  'the gradient of a number is not asked for, and that of the tensor beside it is right',
  async (t, on) => {
    const a = requireGradient(tensor([1, 2], on));
    backward(sum(divide(subtract(a, 1), 4)));
    t.deepEqual([...(await gradient(a)!.floats())], [0.25, 0.25]);
  },
);

onEachDevice(floatDTypes, 'equal operands of maximum and minimum share the gradient', async (t, on) => {
  for (const op of [maximum, minimum]) {
    const a = requireGradient(tensor([1, 2, 3], on));
    const b = requireGradient(tensor([1, 2, 3], on));
    backward(op(a, b), tensor([2, 4, 6], on));
    t.deepEqual([...(await gradient(a)!.floats())], [1, 2, 3]);
    t.deepEqual([...(await gradient(b)!.floats())], [1, 2, 3]);
  }
});

onEachDevice(floatDTypes, 'maximum and minimum of NaN are NaN', async (t, on) => {
  for (const op of [maximum, minimum])
    t.deepEqual([...(await op(tensor([NaN, 1], on), tensor([1, NaN], on)).floats())], [NaN, NaN]);
});

onEachDevice(
  ['float32'],
  'a quotient keeps its gradient where the square of the divisor would overflow',
  async (t, on) => {
    const b = requireGradient(tensor([1e30], on));
    backward(sum(divide(tensor([1e30], on), b)));
    t.true(Math.abs((await gradient(b)!.item()) / -1e-30 - 1) < 1e-6);
  },
);

test('a sum saves nothing, and a product only what its gradients read', async (t) => {
  await synchronize();
  const a = requireGradient(tensor(normalNumbers(1 << 14, 1)));
  const b = tensor(normalNumbers(1 << 14, 2));
  const kept = (work: () => Tensor): number => {
    const before = memory().allocatedBytes;
    const root = scope(() => sum(work()));
    const held = Math.round((memory().allocatedBytes - before) / a.bytes);
    backward(root);
    return held;
  };
  t.is(
    kept(() => add(reshape(add(a, 0), [1 << 14]), b)),
    0,
  );
  t.is(
    kept(() => multiply(add(a, 0), b)),
    0,
    'b, which is held anyway',
  );
  t.is(
    kept(() => multiply(add(a, 0), requireGradient(tensor(1)))),
    1,
    'the sum, for the gradient of the scalar',
  );
});

onEachDevice(['float32'], 'gradients agree for any rows and features', async (t, on) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({min: 1, max: 200}),
      fc.integer({min: 1, max: 40}),
      async (rows, features) => {
        const values = normalNumbers(rows * features, rows);
        const dy = normalNumbers(rows * features, features);
        const b = requireGradient(tensor(normalNumbers(features, 7), on));
        backward(
          multiply(tensor(values, {shape: [rows, features], ...on}), b),
          tensor(dy, {shape: [rows, features], ...on}),
        );
        const got = await gradient(b)!.floats();
        return got.every((each, feature) => {
          const wanted = dy.reduce(
            (total, d, index) => (index % features === feature ? total + d * values[index]! : total),
            0,
          );
          return Math.abs(each - wanted) < 1e-4 * Math.sqrt(rows);
        });
      },
    ),
    {seed: 1, numRuns: 40},
  );
  t.pass();
});

test.serial('the number of threads does not change a bit of a gradient', async (t) => {
  const run = async (shapeB: readonly number[]): Promise<Float32Array> => {
    const b = requireGradient(tensor(normalNumbers(size(shapeB), 1), {shape: shapeB}));
    backward(sum(multiply(tensor(normalNumbers(2000 * 33, 2), {shape: [2000, 33]}), b)));
    return gradient(b)!.floats();
  };
  for (const shapeB of [[33], []]) {
    const bits: Float32Array[] = [];
    for (const threads of [1, 2, 3]) {
      setThreads(threads);
      bits.push(await run(shapeB));
    }
    setThreads(2);
    t.deepEqual(bits[1], bits[0]);
    t.deepEqual(bits[2], bits[0]);
  }
});

for (const [name, {op}] of Object.entries(members))
  test(`${name} names the operand that does not fit`, (t) => {
    const a = tensor([[1, 2]]);
    const cases: readonly (readonly [Tensor, Tensor, string, string])[] = [
      [a, tensor([1, 2, 3]), 'ERR_SHAPE', 'b must be [1, 2], [2] or [] to match a; got [3]'],
      [a, tensor([[1], [2]]), 'ERR_SHAPE', 'b must be [1, 2], [2] or [] to match a; got [2, 1]'],
      [tensor([1]), tensor([1, 2]), 'ERR_SHAPE', 'b must be [1] or [] to match a; got [2]'],
      [tensor(1), tensor([1]), 'ERR_SHAPE', 'b must be [] to match a; got [1]'],
      [a, cast(a, 'bfloat16'), 'ERR_DTYPE', 'b must be float32 to match a; got bfloat16'],
      [cast(a, 'bfloat16'), a, 'ERR_DTYPE', 'b must be bfloat16 to match a; got float32'],
      [a, tensor(1, {dtype: 'float16'}), 'ERR_DTYPE', 'b must be float32 to match a; got float16'],
      [cast(a, 'int32'), a, 'ERR_DTYPE', 'a must be float32, bfloat16 or float16; got int32'],
      [a, cast(a, 'uint8'), 'ERR_DTYPE', 'b must be float32, bfloat16 or float16; got uint8'],
    ];
    for (const [left, right, code, message] of cases)
      t.throws(() => op(left, right), {code, message: `${name}: ${message}`});
  });
