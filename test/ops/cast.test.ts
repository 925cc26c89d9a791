/** Casts against the rounding of the tests, which is written apart from that of the native code. */
import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient, requiresGradient} from '../../lib/autograd/index.js';
import {cast, sum} from '../../lib/ops/index.js';
import {tensor, type DType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import {floatDTypes, onEachDevice} from '../support/ops.js';
import {rounding} from '../support/rounding.js';

async function numbersOf(x: Tensor): Promise<number[]> {
  return Array.from(
    x.dtype === 'bfloat16' || x.dtype === 'float16' ? await x.floats() : await x.data(),
    Number,
  );
}

// The widths of all vectors less one, exactly and plus one; one range of a thread (2^14) and one element more.
for (const size of [0, 1, 3, 4, 5, 15, 16, 17, 2 ** 14 + 1])
  onEachDevice(floatDTypes, `cast of ${size} float32 rounds to nearest even`, async (t, {device, dtype}) => {
    const values = normalNumbers(size, 1, 100).map(Math.fround);
    const x = tensor(values, {shape: [size], device});
    t.deepEqual(await numbersOf(cast(x, dtype)), values.map(rounding[dtype]));
  });

onEachDevice(
  ['bfloat16', 'float16'],
  'all float32 numbers round as they should',
  async (t, {device, dtype}) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({noDefaultInfinity: true, noNaN: true}), {minLength: 1}),
        async (values) => {
          const got = await cast(tensor(values, {device}), dtype).floats();
          return values.every((value, index) => got[index] === rounding[dtype](value));
        },
      ),
      {seed: 1, numRuns: 200},
    );
    t.pass();
  },
);

onEachDevice(
  ['bfloat16', 'float16'],
  'ties go to the even neighbour, and the ends are kept',
  async (t, {device, dtype}) => {
    const unit = dtype === 'bfloat16' ? 2 ** -7 : 2 ** -10;
    const values = [1 + unit / 2, 1 + 1.5 * unit, NaN, Infinity, -Infinity, -0, 3.4e38];
    const y = await cast(tensor(values, {device}), dtype).floats();
    t.deepEqual(
      [...y],
      [1, 1 + 2 * unit, NaN, Infinity, -Infinity, -0, rounding[dtype](Math.fround(3.4e38))],
    );
  },
);

onEachDevice(
  ['bfloat16', 'float16'],
  'every number of a dtype survives the way to float32 and back',
  async (t, {device, dtype}) => {
    const bits = Uint16Array.from({length: 2 ** 16}, (_, index) => index);
    const x = tensor(bits, {dtype, device});
    const back = (await cast(cast(x, 'float32'), dtype).data()) as Uint16Array;
    const isNaNAt = (index: number): boolean =>
      dtype === 'bfloat16' ? (index & 0x7fff) > 0x7f80 : (index & 0x7fff) > 0x7c00;
    t.true(back.every((each, index) => (isNaNAt(index) ? isNaNAt(each) : each === index)));
  },
);

for (const [dtype, wanted] of [
  ['int32', [1, -1, 0, 2 ** 31 - 1, -(2 ** 31), 0]],
  ['uint8', [1, 0, 0, 255, 0, 0]],
  ['int64', [1, -1, 0, 1e10, -1e10, 0]],
] as const)
  onEachDevice(
    ['float32'],
    `cast of floats to ${dtype} truncates, saturates, and makes 0 of NaN`,
    async (t, {device}) => {
      const x = tensor([1.9, -1.9, 0.5, 1e10, -1e10, NaN], {device});
      t.deepEqual(await numbersOf(cast(x, dtype)), [...wanted]);
    },
  );

onEachDevice(['int32'], 'integers become floats and integers', async (t, on) => {
  const x = tensor([-5, 300, 2 ** 24], on);
  t.deepEqual(await numbersOf(cast(x, 'float32')), [-5, 300, 2 ** 24]);
  t.deepEqual(await numbersOf(cast(x, 'bfloat16')), [-5, 300, 2 ** 24]);
  t.deepEqual(await numbersOf(cast(x, 'uint8')), [0, 255, 255]);
  t.deepEqual(await numbersOf(cast(cast(x, 'int64'), 'int32')), [-5, 300, 2 ** 24]);
});

onEachDevice(
  floatDTypes,
  'the gradient of a cast is that of its result, unrounded',
  async (t, {device, dtype}) => {
    const x = requireGradient(tensor([1, 2, 3], {device, dtype: 'bfloat16'}));
    const y = cast(x, dtype);
    t.is(y.dtype, dtype);
    backward(y, tensor([1, 2 + 2 ** -20, 3], {device}));
    t.deepEqual([...(await gradient(x)!.floats())], [1, 2 + 2 ** -20, 3]);
  },
);

for (const dtype of ['int32', 'int64', 'uint8'] as const)
  onEachDevice(floatDTypes, `cast to ${dtype} and back keeps small numbers`, async (t, on) => {
    // One element more than a block of the GPU takes.
    const values = Array.from({length: 513}, (_, index) => index % 250);
    t.deepEqual(await numbersOf(cast(cast(tensor(values, on), dtype), on.dtype)), values);
  });

onEachDevice(floatDTypes, 'a cast to the same dtype is a copy', async (t, on) => {
  const x = tensor([1, 2], on);
  const y = cast(x, on.dtype);
  y.copyFrom(tensor([3, 4], on));
  t.deepEqual([...(await x.floats())], [1, 2]);
  t.deepEqual([...(await y.floats())], [3, 4]);
});

test('no gradient flows through integers', (t) => {
  const x = requireGradient(tensor([1.5]));
  t.false(requiresGradient(cast(x, 'int32')));
  t.throws(() => backward(sum(cast(cast(x, 'int32'), 'float32'))), {code: 'ERR_AUTOGRAD'});
});

test('cast refuses a dtype that is none', (t) => {
  t.throws(() => cast(tensor([1]), 'float8' as DType), {
    code: 'ERR_ARGUMENT',
    message: "cast: argument 2 must be one of float32, bfloat16, float16, int32, int64, uint8; got 'float8'",
  });
});
