/** rotary against the rotation in float64. */
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {rotary} from '../../lib/ops/index.js';
import {full, synchronize, tensor, zeros, type Device, type Tensor} from '../../lib/tensor/index.js';
import {sameOnAnyThreads} from '../support/determinism.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

/** One call of the op. */
interface Case {
  readonly heads: number;
  readonly positions: readonly number[];
  readonly frequencies: readonly number[];
  readonly scale?: number;
}

/** The equation in float64, from angles in float32. */
function reference(x: readonly number[], of: Case, round: Round): number[] {
  const {positions, frequencies, heads, scale = 1} = of;
  const half = frequencies.length;
  return x.map((value, index) => {
    const feature = index % (2 * half);
    const token = Math.floor(index / (2 * half * heads));
    const angle = Math.fround(Math.fround(positions[token]!) * frequencies[feature % half]!);
    const cosine = round(scale * Math.cos(angle));
    const sine = round(scale * Math.sin(angle));
    const turned = feature < half ? -x[index + half]! * sine : x[index - half]! * sine;
    return round(round(value * cosine) + round(turned));
  });
}

/** Llama's frequencies. */
function llamaFrequencies(headDim: number, theta = 10_000): number[] {
  return Array.from({length: headDim / 2}, (_, d) => Math.fround(theta ** (-(2 * d) / headDim)));
}

function apply(x: Tensor, {positions, frequencies, ...options}: Case, device: Device): Tensor {
  const at = tensor(positions, {device, dtype: 'int32'});
  return rotary(x, at, tensor(frequencies, {device}), options);
}

// Half a head: one feature; the widths of all vectors (4, 8, 16) less one, exactly and plus one.
for (const half of [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 32, 64])
  onEachDevice(floatDTypes, `rotary headDim ${2 * half}`, async (t, {device, dtype}) => {
    const of = {heads: 3, positions: [0, 1, 2, 777, 0], frequencies: llamaFrequencies(2 * half)};
    const x = representable(normalNumbers(5 * 3 * 2 * half), dtype);
    const y = apply(tensor(x, {shape: [5, 3, 2 * half], device, dtype}), of, device);
    await asGoodAsPlain(t, y, (round) => reference(x, of, round));
  });

onEachDevice(
  floatDTypes,
  'rotary of more tokens than a range of a thread has',
  async (t, {device, dtype}) => {
    // 2^14 elements are 512 tokens of 32.
    const of = {heads: 2, positions: wholeNumbers(513, 4096), frequencies: llamaFrequencies(16)};
    const x = representable(normalNumbers(513 * 32), dtype);
    const y = apply(tensor(x, {shape: [513, 2, 16], device, dtype}), of, device);
    await asGoodAsPlain(t, y, (round) => reference(x, of, round));
  },
);

onEachDevice(['float32'], 'rotary turns by the right angle at any position', async (t, {device}) => {
  const turn = fc.tuple(
    fc.integer({min: 0, max: 2 ** 31 - 1}),
    fc.float({min: -1, max: 1, noNaN: true, noDefaultInfinity: true}),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(turn, {minLength: 1, maxLength: 40}), async (turns) => {
      for (const [position, frequency] of turns) {
        const angle = Math.fround(Math.fround(position) * frequency);
        const of = {heads: 1, positions: [position], frequencies: [frequency]};
        const y = await apply(tensor([[[1, 0]]], {device}), of, device).floats();
        closeTo(t, y, [Math.fround(Math.cos(angle)), Math.fround(Math.sin(angle))], 0);
      }
    }),
    {seed: 1, numRuns: 40},
  );
});

onEachDevice(
  ['float32'],
  'rotary turns by the right angle near multiples of a quarter turn',
  async (t, {device}) => {
    const quarters = [...Array.from({length: 40}, (_, k) => k), 12345, 2 ** 20 + 1, 2 ** 29 + 3];
    const frequencies = quarters.map((k) => Math.fround((k * Math.PI) / 2));
    const x = [...frequencies.map(() => 1), ...frequencies.map(() => 0)];
    const y = apply(tensor([[x]], {device}), {heads: 1, positions: [1], frequencies}, device);
    const wanted = [...frequencies.map(Math.cos), ...frequencies.map(Math.sin)].map(Math.fround);
    t.deepEqual([...(await y.floats())], wanted);
  },
);

onEachDevice(floatDTypes, 'rotary multiplies by scale', async (t, {device, dtype}) => {
  const of = {heads: 2, positions: [5, 6], frequencies: llamaFrequencies(8), scale: 1.375};
  const x = representable(normalNumbers(32), dtype);
  const y = apply(tensor(x, {shape: [2, 2, 8], device, dtype}), of, device);
  await asGoodAsPlain(t, y, (round) => reference(x, of, round));
});

onEachDevice(floatDTypes, 'rotary has the gradient of its equation', async (t, on) => {
  const of = {heads: 2, positions: [3, 0, 12], frequencies: llamaFrequencies(12), scale: 1.25};
  await gradientsMatch(t, on, {
    inputs: {x: {shape: [3, 2, 12], values: normalNumbers(72)}},
    op: (...inputs) => apply(inputs[0]!, of, on.device),
    reference: (...inputs) => reference(inputs[0]!, of, exact),
  });
});

onEachDevice(
  floatDTypes,
  'rotary and its gradient are the same on any number of threads',
  async (t, {device, dtype}) => {
    const of = {heads: 2, positions: wholeNumbers(600, 4096), frequencies: llamaFrequencies(34)};
    const values = normalNumbers(600 * 68);
    await sameOnAnyThreads(t, () => {
      const x = requireGradient(tensor(values, {shape: [600, 2, 34], device, dtype}));
      const y = apply(x, of, device);
      backward(y, y);
      return [y, gradient(x)!];
    });
  },
);

for (const shape of [
  [0, 2, 4],
  [2, 0, 4],
  [2, 2, 0],
] as const)
  onEachDevice(floatDTypes, `rotary of [${shape.join(', ')}] is empty`, async (t, {device, dtype}) => {
    const of = {
      heads: shape[1],
      positions: Array.from({length: shape[0]}, () => 1),
      frequencies: llamaFrequencies(shape[2]),
    };
    const x = requireGradient(zeros(shape, {device, dtype}));
    const y = apply(x, of, device);
    backward(y, y);
    t.deepEqual(y.shape, shape);
    t.is((await gradient(x)!.floats()).length, 0);
  });

onEachDevice(
  floatDTypes,
  'rotary reports the first position below 0 and gives zeros there',
  async (t, {device, dtype}) => {
    const of = {heads: 1, positions: [1, -1, 0, -7], frequencies: llamaFrequencies(4)};
    const y = apply(full([4, 1, 4], 1, {device, dtype}), of, device);
    await t.throwsAsync(synchronize(device), {
      code: 'ERR_INDEX',
      message: 'rotary: position -1 of token 1 must be 0 or more',
    });
    const rows = await y.floats();
    closeTo(t, rows.subarray(4, 8), [0, 0, 0, 0], 0);
    closeTo(t, rows.subarray(8, 12), [1, 1, 1, 1], 0);
    closeTo(t, rows.subarray(12), [0, 0, 0, 0], 0);
  },
);

interface Refusal {
  readonly title: string;
  readonly x?: Tensor;
  readonly positions?: Tensor;
  readonly frequencies?: Tensor;
  readonly scale?: number;
  readonly code: string;
  readonly message: string;
}

const refusals: readonly Refusal[] = [
  {
    title: 'an x that has no heads',
    x: zeros([2, 4]),
    code: 'ERR_SHAPE',
    message: 'rotary: x must have 3 axes; got [2, 4]',
  },
  {
    title: 'an odd headDim',
    x: zeros([2, 1, 5]),
    code: 'ERR_SHAPE',
    message: 'rotary: x must be [tokens, heads, headDim] with an even headDim; got [2, 1, 5]',
  },
  {
    title: 'an x of integers',
    x: zeros([2, 1, 4], {dtype: 'int32'}),
    code: 'ERR_DTYPE',
    message: 'rotary: x must be float32, bfloat16 or float16; got int32',
  },
  {
    title: 'positions of another number of tokens',
    positions: zeros([3], {dtype: 'int32'}),
    code: 'ERR_SHAPE',
    message: 'rotary: positions must be [2] to match x [2, 1, 4]; got [3]',
  },
  {
    title: 'positions that are no int32',
    positions: zeros([2]),
    code: 'ERR_DTYPE',
    message: 'rotary: positions must be int32; got float32',
  },
  {
    title: 'frequencies of another headDim',
    frequencies: zeros([4]),
    code: 'ERR_SHAPE',
    message: 'rotary: frequencies must be [2] to match x [2, 1, 4]; got [4]',
  },
  {
    title: 'frequencies that are no float32',
    frequencies: zeros([2], {dtype: 'bfloat16'}),
    code: 'ERR_DTYPE',
    message: 'rotary: frequencies must be float32; got bfloat16',
  },
  {
    title: 'a scale that is no number',
    scale: NaN,
    code: 'ERR_ARGUMENT',
    message: 'rotary: scale must be a finite number; got NaN',
  },
];

for (const {title, x, positions, frequencies, scale = 1, code, message} of refusals)
  onEachDevice(['float32'], `rotary refuses ${title}`, (t, {device}) => {
    const call = (): Tensor =>
      rotary(
        x ?? zeros([2, 1, 4], {device}),
        positions ?? zeros([2], {device, dtype: 'int32'}),
        frequencies ?? zeros([2], {device}),
        {scale},
      );
    t.throws(call, {code, message});
  });
