/** Elementwise ops of one operand against their formulas in float64. */
import test from 'ava';
import fc from 'fast-check';
import {
  clamp,
  exp,
  gelu,
  log,
  negate,
  relu,
  scale,
  sigmoid,
  silu,
  sqrt,
  square,
  tanh,
} from '../../lib/ops/index.js';
import {setThreads, tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, uniformNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
  testDevices,
} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

interface Member {
  readonly op: (x: Tensor) => Tensor;
  readonly reference: (x: number, round: Round) => number;
  /** Where the op is defined and smooth enough for finite differences; default: normal numbers. */
  readonly inputs?: (count: number, seed: number) => number[];
}

const positive = (count: number, seed: number): number[] => {
  const uniform = uniformNumbers(seed);
  return Array.from({length: count}, () => 0.05 + 8 * uniform());
};

/** Apart from the kinks at -1, 0 and 1.5, so that finite differences do not cross one. */
const apart = (count: number, seed: number): number[] =>
  normalNumbers(count, seed, 2).map((x) => ([-1, 0, 1.5].some((kink) => Math.abs(x - kink) < 0.05) ? 3 : x));

/** Normal numbers, wide enough to reach the tails. */
const spread = (count: number, seed: number): number[] => normalNumbers(count, seed, 3);

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

const members: Readonly<Record<string, Member>> = {
  clamp: {
    op: (x) => clamp(x, {low: -1, high: 1.5}),
    reference: (x) => Math.min(Math.max(x, -1), 1.5),
    inputs: apart,
  },
  // Below 11, where float16 ends.
  exp: {op: exp, reference: Math.exp, inputs: (count, seed) => normalNumbers(count, seed, 2)},
  gelu: {
    op: gelu,
    reference: (x, round) =>
      0.5 * x * round(1 + Math.tanh(round(Math.sqrt(2 / Math.PI) * round(x + 0.044715 * x ** 3)))),
  },
  log: {op: log, reference: Math.log, inputs: positive},
  negate: {op: negate, reference: (x) => -x},
  relu: {op: relu, reference: (x) => Math.max(x, 0), inputs: apart},
  scale: {op: (x) => scale(x, -0.3), reference: (x) => -0.3 * x},
  sigmoid: {op: sigmoid, reference: sigmoidOf},
  silu: {op: silu, reference: (x, round) => x * round(sigmoidOf(x))},
  sqrt: {op: sqrt, reference: Math.sqrt, inputs: positive},
  square: {op: square, reference: (x) => x * x},
  tanh: {op: tanh, reference: Math.tanh},
};

// The widths of all vectors and packs (4, 8, 16) less one, exactly and plus one; a block of packs in flight (2^11 or 2^12) and one
// element more; one range of a thread (2^14) and one element more.
const sizes = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 129, 2 ** 11 + 1, 2 ** 12 + 1, 2 ** 14 + 1];

for (const [name, {op, reference, inputs = spread}] of Object.entries(members)) {
  onEachDevice(floatDTypes, `${name} is as good as plain code`, async (t, {device, dtype}) => {
    for (const size of sizes) {
      const x = representable(inputs(size, 1), dtype);
      const y = op(tensor(x, {shape: [size], device, dtype}));
      t.is(y.dtype, dtype);
      await asGoodAsPlain(t, y, (round) => x.map((each) => round(reference(each, round))));
    }
  });

  onEachDevice(floatDTypes, `${name} has the gradient of its formula`, async (t, on) => {
    await gradientsMatch(t, on, {
      inputs: {x: {shape: [3, 37], values: inputs(111, 2)}},
      op: (x) => op(x),
      reference: (x) => x.map((each) => reference(each, exact)),
    });
  });
}

/** Distance of two float32 numbers in units in the last place of the wanted one. */
function unitsApart(got: number, wanted: number): number {
  const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(wanted))), -126) - 23);
  return Math.abs(got - wanted) / unit;
}

for (const [name, op, reference, range] of [
  ['exp', exp, Math.exp, {min: -87, max: 88.7}],
  ['log', log, Math.log, {min: 2 ** -149, max: 3e38}],
] as const)
  onEachDevice(['float32'], `${name} is within two units in the last place`, async (t, {device}) => {
    const finite = fc.float({
      ...range,
      min: Math.fround(range.min),
      max: Math.fround(range.max),
      noNaN: true,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(finite, {minLength: 1, maxLength: 100}), async (values) => {
        const wanted = values.map(reference);
        const got = await op(tensor(values, {device})).floats();
        return wanted.every((each, index) => each === got[index] || unitsApart(got[index]!, each) <= 2);
      }),
      {seed: 1, numRuns: 200},
    );
    t.pass();
  });

for (const device of testDevices)
  test(`${device} what is not a finite number goes through as IEEE 754 says`, async (t) => {
    const x = tensor([NaN, Infinity, -Infinity, 0, -0, -1, 1e38, -1e38, 2 ** -149], {device});
    const wanted: readonly (readonly [string, Tensor, readonly number[]])[] = [
      ['exp', exp(x), [NaN, Infinity, 0, 1, 1, Math.fround(Math.exp(-1)), Infinity, 0, 1]],
      ['log', log(x), [NaN, Infinity, NaN, -Infinity, -Infinity, NaN, 87.49823, NaN, -103.27893]],
      ['sqrt', sqrt(x), [NaN, Infinity, NaN, 0, -0, NaN, 1e19, NaN, 3.743392e-23]],
      ['relu', relu(x), [NaN, Infinity, 0, 0, 0, 0, 1e38, 0, 2 ** -149]],
      ['tanh', tanh(x), [NaN, 1, -1, 0, 0, -0.7615942, 1, -1, 2 ** -149]],
      ['sigmoid', sigmoid(x), [NaN, 1, 0, 0.5, 0.5, 0.26894143, 1, 0, 0.5]],
      ['clamp', clamp(x, {low: -2, high: 2}), [NaN, 2, -2, 0, 0, -1, 2, -2, 2 ** -149]],
      ['square', square(x), [NaN, Infinity, Infinity, 0, 0, 1, Infinity, Infinity, 0]],
    ];
    for (const [name, y, values] of wanted)
      for (const [index, got] of (await y.floats()).entries()) {
        const value = values[index]!;
        const isClose = Object.is(got + 0, value + 0) || Math.abs(got - value) <= 1e-6 * Math.abs(value);
        t.true(isClose, `${name} of ${x.shape[0]} values, at ${index}: got ${got}, wanted ${value}`);
      }
  });

onEachDevice(floatDTypes, 'large magnitudes have finite gradients: 0 or 1', async (t, on) => {
  for (const [op, wanted] of [
    [silu, [0, 1]],
    [gelu, [0, 1]],
    [sigmoid, [0, 0]],
    [tanh, [0, 0]],
  ] as const)
    await gradientsMatch(t, on, {
      inputs: {x: {shape: [2], values: [-6e4, 6e4]}},
      op: (x) => op(x),
      reference: (x) => x.map((each, index) => wanted[index]! * each),
    });
});

onEachDevice(['float32'], 'clamp with one bound leaves the other side alone', async (t, on) => {
  const x = tensor([-1e30, 0, 1e30], on);
  t.deepEqual([...(await clamp(x, {low: -1}).floats())], [-1, 0, Math.fround(1e30)]);
  t.deepEqual([...(await clamp(x, {high: 1}).floats())], [Math.fround(-1e30), 0, 1]);
});

test.serial('the number of threads does not change a bit', async (t) => {
  const x = tensor(normalNumbers(2 ** 16 + 3, 1, 2));
  const bits: Float32Array[] = [];
  for (const threads of [1, 2, 3]) {
    setThreads(threads);
    bits.push(await gelu(x).floats());
  }
  setThreads(2);
  t.deepEqual(bits[1], bits[0]);
  t.deepEqual(bits[2], bits[0]);
});

test('integers are refused by name', (t) => {
  const x = tensor([1, 2], {dtype: 'int32'});
  for (const [name, {op}] of Object.entries(members))
    t.throws(() => op(x), {
      code: 'ERR_DTYPE',
      message: `${name}: x must be float32, bfloat16 or float16; got int32`,
    });
});

test('scale and clamp say what is wrong with their numbers', (t) => {
  t.throws(() => scale(tensor([1]), NaN), {
    code: 'ERR_ARGUMENT',
    message: 'scale: factor must be a finite number; got NaN',
  });
  t.throws(() => clamp(tensor([1]), {low: 2, high: 1}), {
    code: 'ERR_ARGUMENT',
    message: 'clamp: low must be at most high, 1; got 2',
  });
  t.throws(() => clamp(tensor([1]), {low: NaN}), {code: 'ERR_ARGUMENT'});
});

test('a tensor that was disposed of is refused', (t) => {
  const x = tensor([1]);
  x.dispose();
  t.throws(() => exp(x), {code: 'ERR_DISPOSED'});
});
