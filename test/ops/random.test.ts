/** normal and uniform against Philox in whole numbers and the distribution they claim. */
import test from 'ava';
import fc from 'fast-check';
import {normal, uniform} from '../../lib/ops/index.js';
import type {Tensor} from '../../lib/tensor/index.js';
import {sameOnAnyThreads} from '../support/determinism.js';
import {runModule} from '../support/module.js';
import {closeTo, floatDTypes, onEachDevice} from '../support/ops.js';
import {normalShare, philox, wordOf} from '../support/philox.js';
import {rounding} from '../support/rounding.js';

test('the Philox of this test gives the known answers of Random123', (t) => {
  t.deepEqual(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  const ones = 0xffffffff;
  t.deepEqual(
    philox([ones, ones, ones, ones], [ones, ones]),
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  );
  t.deepEqual(
    philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});

onEachDevice(['float32'], 'uniform is the upper 24 bits of the words of Philox', async (t, {device}) => {
  const whole = fc.maxSafeNat();
  await fc.assert(
    fc.asyncProperty(whole, whole, fc.integer({min: 0, max: 300}), async (seed, offset, size) => {
      const numbers = await uniform([size], {seed, offset, device}).floats();
      const wanted = Array.from({length: size}, (_, index) => (wordOf(index, seed, offset) >>> 8) / 2 ** 24);
      closeTo(t, numbers, wanted, 0);
    }),
    {seed: 1, numRuns: 20},
  );
});

onEachDevice(['float32'], 'normal is the quantile of the words of Philox', async (t, {device}) => {
  const numbers = await normal([400], {seed: 2 ** 53 - 3, offset: 2 ** 40 + 7, device}).floats();
  const shares = Array.from(numbers, normalShare);
  const wanted = shares.map((_, index) => (wordOf(index, 2 ** 53 - 3, 2 ** 40 + 7) + 0.5) / 2 ** 32);
  // The number is rounded to float32: 2^-24 of it, times the density, at most 0.25 in all.
  closeTo(t, shares, wanted, 2 ** -24);
});

// 256 words are made at a time, 2^14 numbers by a thread.
for (const size of [1, 3, 4, 5, 255, 256, 257, 2 ** 14 - 1, 2 ** 14 + 1])
  onEachDevice(
    ['float32'],
    `element i of ${size} is element i of any other number of elements`,
    async (t, {device}) => {
      for (const made of [normal, uniform]) {
        const most = await made([2 ** 14 + 5], {seed: 5, device}).data();
        t.deepEqual(await made([size], {seed: 5, device}).data(), most.slice(0, size));
      }
    },
  );

onEachDevice(floatDTypes, 'normal and uniform are those of float32, rounded', async (t, {device, dtype}) => {
  for (const made of [normal, uniform]) {
    const wide = await made([1000], {seed: 8, device}).floats();
    closeTo(t, await made([1000], {seed: 8, device, dtype}).floats(), wide.map(rounding[dtype]), 0);
  }
});

onEachDevice(['float32'], 'uniform reaches from low to high', async (t, {device}) => {
  const unit = await uniform([1000], {seed: 3, device}).floats();
  const numbers = await uniform([1000], {seed: 3, device, low: -3, high: 5}).floats();
  closeTo(
    t,
    numbers,
    unit.map((u) => -3 + 8 * u),
    2 ** -21,
  );
  t.true(numbers.every((each) => each >= -3 && each <= 5));
  t.deepEqual([...(await uniform([3], {seed: 3, device, low: 2, high: 2}).floats())], [2, 2, 2]);
});

onEachDevice(['float32'], 'normal has the mean and standard deviation asked for', async (t, {device}) => {
  const unit = await normal([1000], {seed: 3, device}).floats();
  closeTo(
    t,
    await normal([1000], {seed: 3, device, mean: 10, std: 0.5}).floats(),
    unit.map((z) => 10 + 0.5 * z),
    0,
  );
  t.deepEqual([...(await normal([2], {seed: 3, device, mean: 1.5, std: 0}).floats())], [1.5, 1.5]);
});

/** Means of the first four powers. */
function moments(numbers: Float32Array): number[] {
  return [1, 2, 3, 4].map((power) => numbers.reduce((sum, each) => sum + each ** power, 0) / numbers.length);
}

onEachDevice(
  ['float32'],
  'normal and uniform have the moments of their distributions',
  async (t, {device}) => {
    const size = 2 ** 20;
    // Five standard deviations of a mean of so many powers, whose variances are below 96 and 1.
    closeTo(
      t,
      moments(await normal([size], {seed: 11, device}).floats()),
      [0, 1, 0, 3],
      5 * Math.sqrt(96 / size),
    );
    closeTo(
      t,
      moments(await uniform([size], {seed: 11, device}).floats()),
      [1 / 2, 1 / 3, 1 / 4, 1 / 5],
      5 / Math.sqrt(size),
    );
  },
);

onEachDevice(['float32'], 'seeds and offsets give streams of their own', async (t, {device}) => {
  const streams = [
    {seed: 0},
    {seed: 1},
    {seed: 2 ** 32},
    {seed: 0, offset: 1},
    {seed: 0, offset: 2 ** 32},
    {seed: 1, offset: 1},
  ];
  const all = await Promise.all(streams.map((stream) => normal([500], {...stream, device}).data()));
  t.is(new Set(all.flatMap((each) => [...each])).size, streams.length * 500);
});

onEachDevice(
  floatDTypes,
  'normal and uniform are the same on any number of threads',
  async (t, {device, dtype}) => {
    await sameOnAnyThreads(t, () =>
      [normal, uniform].map((made) => made([50_001], {seed: 4, device, dtype})),
    );
  },
);

test('normal and uniform are the same on every instruction set', async (t) => {
  const code = `
    import {createHash} from 'node:crypto';
    import {normal, uniform} from 'lib/ops/index.js';
    const hash = createHash('sha256');
    for (const made of [normal, uniform])
      hash.update(await made([1_000_003], {seed: 6, mean: 0.1, std: 0.3, low: -0.1, high: 0.7}).data());
    console.log(hash.digest('hex'));`;
  const all = ['baseline', 'avx2', 'avx512'].map((set) => runModule(code, {env: {CROSSMAP_ISA: set}}));
  const [first, ...others] = await Promise.all(all);
  t.regex(first!.printed, /^[0-9a-f]{64}$/);
  for (const other of others) t.deepEqual(other, first);
});

onEachDevice(floatDTypes, 'normal and uniform of any shape, also an empty one', (t, {device, dtype}) => {
  for (const made of [normal, uniform])
    for (const shape of [[], [0], [2, 0, 3], [2, 3, 4]]) {
      const numbers = made(shape, {seed: 1, device, dtype});
      t.deepEqual(numbers.shape, shape);
      t.is(numbers.dtype, dtype);
    }
});

interface Refusal {
  readonly title: string;
  readonly call: () => Tensor;
  readonly code: string;
  readonly message: string | RegExp;
}

const refusals: readonly Refusal[] = [
  {
    title: 'an integer dtype',
    // @ts-expect-error -- the type refuses it too
    call: () => normal([2], {seed: 1, dtype: 'int32'}),
    code: 'ERR_DTYPE',
    message: 'normal: dtype must be float32, bfloat16 or float16; got int32',
  },
  {
    title: 'a seed below 0',
    call: () => normal([2], {seed: -1}),
    code: 'ERR_ARGUMENT',
    message: 'normal: seed must be 0 or more; got -1',
  },
  {
    title: 'an offset below 0',
    call: () => uniform([2], {seed: 1, offset: -1}),
    code: 'ERR_ARGUMENT',
    message: 'uniform: offset must be 0 or more; got -1',
  },
  {
    title: 'a std below 0',
    call: () => normal([2], {seed: 1, std: -0.5}),
    code: 'ERR_ARGUMENT',
    message: 'normal: std must be a number, 0 or more; got -0.5',
  },
  {
    title: 'a mean that is not finite',
    call: () => normal([2], {seed: 1, mean: NaN}),
    code: 'ERR_ARGUMENT',
    message: 'normal: mean must be a finite number; got NaN',
  },
  {
    title: 'a low above high',
    call: () => uniform([2], {seed: 1, low: 2}),
    code: 'ERR_ARGUMENT',
    message: 'uniform: high must be at least low, 2; got 1',
  },
  {
    title: 'a bound that is not finite',
    call: () => uniform([2], {seed: 1, high: Infinity}),
    code: 'ERR_ARGUMENT',
    message: 'uniform: high must be a finite number; got Infinity',
  },
  {
    title: 'bounds whose difference overflows',
    call: () => uniform([2], {seed: 1, low: -3e38, high: 3e38}),
    code: 'ERR_ARGUMENT',
    message: 'uniform: high - low must be a finite number; got Infinity',
  },
  {
    title: 'a negative size',
    call: () => uniform([-2], {seed: 1}),
    code: 'ERR_SHAPE',
    message: 'uniform: argument 1 must have sizes of 0 or more; got [-2]',
  },
  {
    title: 'a seed beyond 2^53',
    call: () => normal([2], {seed: 2 ** 54}),
    code: 'ERR_ARGUMENT',
    message: 'normal: argument 4.seed must be a whole number; got 18014398509481984',
  },
  {
    title: 'a device that is not here',
    call: () => normal([2], {seed: 1, device: 'tpu' as never}),
    code: 'ERR_DEVICE',
    message: /^device must be .*\bcpu\b.*; got tpu: this addon is built without it$/,
  },
];

for (const {title, call, code, message} of refusals)
  test(`random numbers refuse ${title}`, (t) => {
    t.throws(call, {code, message});
  });
