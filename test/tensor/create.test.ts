/** Tensors from every kind of numbers, and what is refused. */
import test from 'ava';
import fc from 'fast-check';
import {empty, full, tensor, zeros, type DType, type Elements, type Tensor} from '../../lib/tensor/index.js';
import {onEachDevice} from '../support/ops.js';
import {rounding} from '../support/rounding.js';

const arrays: readonly {readonly dtype: DType; readonly values: Elements}[] = [
  {dtype: 'float32', values: Float32Array.of(1.5, -0, Infinity, NaN, 1e-45)},
  {dtype: 'int32', values: Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)},
  {dtype: 'int64', values: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)},
  {dtype: 'uint8', values: Uint8Array.of(0, 255)},
];

for (const {dtype, values} of arrays) {
  onEachDevice(
    ['float32'],
    `a ${values.constructor.name} gives ${dtype} with the same elements`,
    async (t, on) => {
      const made = tensor(values, {device: on.device});
      t.is(made.dtype, dtype);
      t.is(made.device, on.device);
      t.deepEqual(made.shape, [values.length]);
      t.deepEqual(await made.data(), values);
    },
  );

  onEachDevice(
    ['float32'],
    `a ${values.constructor.name} can be changed once it was copied`,
    async (t, on) => {
      const given = values.slice();
      const made = tensor(given, {device: on.device});
      given.reverse();
      t.deepEqual(await made.data(), values);
    },
  );

  test(`a ${values.constructor.name} is taken over without a copy, and is empty then`, async (t) => {
    const copy = values.slice();
    const given = values.slice();
    const made = tensor(given, {transfer: true});
    t.is(given.length, 0);
    t.is(given.buffer.byteLength, 0);
    t.is(made.dtype, dtype);
    t.deepEqual(await made.data(), copy);
    made.dispose();
  });
}

onEachDevice(['float32'], 'a part of a buffer gives its elements alone', async (t, on) => {
  const whole = Float32Array.of(1, 2, 3, 4);
  t.deepEqual(await tensor(whole.subarray(1, 3), {device: on.device}).data(), Float32Array.of(2, 3));
});

onEachDevice(['float32'], 'an array in shared memory is copied', async (t, on) => {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  shared.set([3, 4]);
  const made = tensor(shared, {device: on.device});
  shared.fill(0);
  t.deepEqual(await made.data(), Int32Array.of(3, 4));
});

for (const dtype of ['bfloat16', 'float16'] as const)
  onEachDevice(['float32'], `a Uint16Array is taken as the bits of ${dtype}`, async (t, on) => {
    const bits = Uint16Array.of(0x3c00, 0x3f80, 0x8000, 0x0001);
    t.deepEqual(await tensor(bits, {dtype, device: on.device}).data(), bits);
  });

// Only the CPU can take the memory of an array over.
for (const dtype of ['bfloat16', 'float16'] as const)
  test(`a Uint16Array of the bits of ${dtype} is taken over without a copy`, async (t) => {
    const bits = Uint16Array.of(0x3c00, 0x3f80, 0x8000, 0x0001);
    t.deepEqual(await tensor(bits.slice(), {dtype, transfer: true}).data(), bits);
  });

onEachDevice(['float32'], 'the bits of bfloat16 and float16 mean what IEEE 754 says', async (t, on) => {
  const bfloat16 = tensor(Uint16Array.of(0x3f80, 0xc040, 0x7f80, 0x0001), {
    dtype: 'bfloat16',
    device: on.device,
  });
  t.deepEqual([...(await bfloat16.floats())], [1, -3, Infinity, 2 ** -133]);
  const float16 = tensor(Uint16Array.of(0x3c00, 0xc200, 0x7c00, 0x0001, 0x7bff), {
    dtype: 'float16',
    device: on.device,
  });
  t.deepEqual([...(await float16.floats())], [1, -3, Infinity, 2 ** -24, 65504]);
});

const floats = fc.float({noNaN: true});

for (const dtype of ['float32', 'bfloat16', 'float16'] as const)
  onEachDevice(['float32'], `numbers become ${dtype} rounded to nearest, ties to even`, async (t, on) => {
    // Halfway cases and the ends of the ranges, which chance does not hit.
    const chosen = [
      1 + 2 ** -8,
      1 + 3 * 2 ** -8,
      1 + 2 ** -11,
      65519.99,
      65520,
      2 ** -25,
      3 * 2 ** -26,
      3.4e38,
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(floats, {maxLength: 40}), async (values) => {
        const all = [...values, ...chosen].map(Math.fround);
        const wanted = Float32Array.from(all, rounding[dtype]);
        t.deepEqual(await tensor(all, {dtype, device: on.device}).floats(), wanted);
        t.deepEqual(await tensor(Float32Array.from(all), {dtype, device: on.device}).floats(), wanted);
      }),
      {seed: 1, numRuns: 30},
    );
  });

onEachDevice(['float32'], 'NaN stays NaN in every float dtype', async (t, on) => {
  for (const dtype of ['float32', 'bfloat16', 'float16'] as const)
    t.deepEqual([...(await tensor([NaN], {dtype, device: on.device}).floats())], [NaN]);
});

onEachDevice(['float32'], 'whole numbers become integers of each dtype', async (t, on) => {
  t.deepEqual(await tensor([-3, 7], {dtype: 'int32', device: on.device}).data(), Int32Array.of(-3, 7));
  t.deepEqual(
    await tensor([2 ** 53 - 1, -7], {dtype: 'int64', device: on.device}).data(),
    BigInt64Array.of(2n ** 53n - 1n, -7n),
  );
  t.deepEqual(await tensor([0, 255], {dtype: 'uint8', device: on.device}).data(), Uint8Array.of(0, 255));
});

onEachDevice(['float32'], 'nested numbers give the shape of the nesting', (t, on) => {
  t.deepEqual(tensor(5, on).shape, []);
  t.deepEqual(tensor([], on).shape, [0]);
  t.deepEqual(tensor([[], []], on).shape, [2, 0]);
  t.deepEqual(
    tensor(
      [
        [[1], [2], [3]],
        [[4], [5], [6]],
      ],
      on,
    ).shape,
    [2, 3, 1],
  );
});

onEachDevice(['float32'], 'a shape may be given beside flat numbers', async (t, on) => {
  const made = tensor([1, 2, 3, 4, 5, 6], {shape: [2, 3], ...on});
  t.deepEqual(made.shape, [2, 3]);
  t.deepEqual(await made.data(), Float32Array.of(1, 2, 3, 4, 5, 6));
  t.deepEqual(tensor(Int32Array.of(1, 2), {shape: [2, 1], device: on.device}).shape, [2, 1]);
});

onEachDevice(['float32'], 'zeros and full fill every dtype', async (t, on) => {
  const dtypes: readonly DType[] = ['float32', 'bfloat16', 'float16', 'int32', 'int64', 'uint8'];
  for (const dtype of dtypes) {
    t.deepEqual(Array.from(await zeros([2], {dtype, device: on.device}).data(), Number), [0, 0]);
    t.deepEqual([...(await full([1, 3], 7, {dtype, device: on.device}).floats())], [7, 7, 7]);
  }
  t.is(await full([], -0.5, on).item(), -0.5);
  t.is((await zeros([3, 0], on).data()).length, 0);
});

interface Refusal {
  readonly title: string;
  readonly call: () => Tensor;
  readonly code: string;
  readonly message: string | RegExp;
}

const refusals: readonly Refusal[] = [
  {
    title: 'a Uint16Array without dtype',
    call: () => tensor(Uint16Array.of(1)),
    code: 'ERR_DTYPE',
    message: 'tensor: a Uint16Array needs dtype bfloat16 or float16, whose bits it holds',
  },
  {
    title: 'a Uint16Array as float32',
    call: () => tensor(Uint16Array.of(1), {dtype: 'float32'}),
    code: 'ERR_DTYPE',
    message: 'tensor: dtype must be bfloat16 or float16 for a Uint16Array; got float32',
  },
  {
    title: 'a Float64Array',
    call: () => tensor(Float64Array.of(1) as never),
    code: 'ERR_DTYPE',
    message:
      'tensor: a typed array must be a Float32Array, Int32Array, BigInt64Array, Uint8Array or Uint16Array',
  },
  {
    title: 'a dtype that is none',
    call: () => tensor([1], {dtype: 'float64' as never}),
    code: 'ERR_DTYPE',
    message: 'tensor: dtype must be one of float32, bfloat16, float16, int32, int64, uint8; got float64',
  },
  {
    title: 'ragged numbers',
    call: () => tensor([[1, 2], [3]]),
    code: 'ERR_SHAPE',
    message: 'tensor: nested arrays must hold numbers, in arrays of equal length at each depth',
  },
  {
    title: 'numbers of unequal depth',
    call: () => tensor([1, [2]]),
    code: 'ERR_SHAPE',
    message: 'tensor: nested arrays must hold numbers, in arrays of equal length at each depth',
  },
  {
    title: 'ragged numbers whose count happens to fit',
    call: () => tensor([[1, 2], [3, 4, 5], [6]]),
    code: 'ERR_SHAPE',
    message: 'tensor: nested arrays must hold numbers, in arrays of equal length at each depth',
  },
  {
    title: 'texts',
    call: () => tensor(['1'] as never),
    code: 'ERR_SHAPE',
    message: 'tensor: nested arrays must hold numbers, in arrays of equal length at each depth',
  },
  {
    title: 'a shape that needs more elements',
    call: () => tensor([1, 2, 3], {shape: [2, 2]}),
    code: 'ERR_SHAPE',
    message: 'tensor: [2, 2] of float32 takes 16 bytes; the array has 12',
  },
  {
    title: 'a negative size',
    call: () => zeros([2, -1]),
    code: 'ERR_SHAPE',
    message: 'fill: argument 1 must have sizes of 0 or more; got [2, -1]',
  },
  {
    title: 'a fraction as int32',
    call: () => tensor([1.5], {dtype: 'int32'}),
    code: 'ERR_ARGUMENT',
    message: 'tensor: values must be whole numbers that int32 can hold; got 1.5',
  },
  {
    title: '256 as uint8',
    call: () => tensor([256], {dtype: 'uint8'}),
    code: 'ERR_ARGUMENT',
    message: 'tensor: values must be whole numbers that uint8 can hold; got 256',
  },
  {
    title: '2^53 as int64',
    call: () => tensor([2 ** 53], {dtype: 'int64'}),
    code: 'ERR_ARGUMENT',
    message: 'tensor: values must be whole numbers that int64 can hold; got 9007199254740992',
  },
  {
    title: 'a value that the dtype of full cannot hold',
    call: () => full([1], -1, {dtype: 'uint8'}),
    code: 'ERR_ARGUMENT',
    message: 'fill: value must be a whole number that uint8 can hold; got -1',
  },
  {
    title: 'a device that is not here',
    call: () => zeros([1], {device: 'tpu' as never}),
    code: 'ERR_DEVICE',
    message: /^device must be .*\bcpu\b.*; got tpu: this addon is built without it$/,
  },
  {
    title: 'the transfer of an array of another dtype',
    call: () => tensor(Float32Array.of(1), {dtype: 'bfloat16', transfer: true}),
    code: 'ERR_ARGUMENT',
    message: 'tensor: transfer needs a typed array of dtype bfloat16',
  },
  {
    title: 'the transfer of shared memory',
    call: () => tensor(new Float32Array(new SharedArrayBuffer(8)), {transfer: true}),
    code: 'ERR_ARGUMENT',
    message: 'tensor: transfer needs a typed array whose buffer is not shared',
  },
  {
    title: 'the transfer of a part of a buffer',
    call: () => tensor(new Float32Array(4).subarray(1), {transfer: true}),
    code: 'ERR_ARGUMENT',
    message: 'tensor: transfer needs a typed array that spans its whole buffer',
  },
  {
    title: 'a transfer into a shape that does not fit',
    call: () => tensor(new Float32Array(4), {shape: [3], transfer: true}),
    code: 'ERR_SHAPE',
    message: 'tensor: [3] must have the 4 elements of the array',
  },
  {
    title: 'more elements than 2^53',
    call: () => zeros([2 ** 30, 2 ** 30]),
    code: 'ERR_SHAPE',
    message: 'a shape has at most 2^53 elements; got [1073741824, 1073741824]',
  },
];

for (const {title, call, code, message} of refusals)
  test(`making a tensor refuses ${title}`, (t) => {
    t.throws(call, {code, message});
  });

test('a refused transfer leaves the array as it was', (t) => {
  const given = Float32Array.of(1, 2);
  t.throws(() => tensor(given, {shape: [3], transfer: true}));
  t.deepEqual(given, Float32Array.of(1, 2));
});

onEachDevice(['float32', 'bfloat16', 'float16'], 'an empty tensor is there to be filled', async (t, on) => {
  const made = empty([2, 3], on);
  t.is(made.dtype, on.dtype);
  t.deepEqual(made.shape, [2, 3]);
  made.copyFrom(full([2, 3], 1.5, on));
  t.deepEqual([...(await made.floats())], Array<number>(6).fill(1.5));
});
