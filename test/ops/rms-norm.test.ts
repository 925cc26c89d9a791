/** rmsNorm and rmsNormResidual against the equations in float64. */
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {add, rmsNorm, rmsNormResidual} from '../../lib/ops/index.js';
import {full, tensor, zeros, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {sameOnAnyThreads} from '../support/determinism.js';
import {normalNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
  type On,
} from '../support/ops.js';
import {exact, rounding, type Round} from '../support/rounding.js';

/** The equation in float64; `round` is the identity, or rounding to a dtype. */
function reference(x: readonly number[], weight: readonly number[], round: Round, eps = 1e-5): number[] {
  const features = weight.length;
  return x.map((value, index) => {
    const start = index - (index % features);
    const row = x.slice(start, start + features);
    const meanSquare = row.reduce((sum, v) => sum + v * v, 0) / features;
    const rstd = round(1 / Math.sqrt(meanSquare + eps));
    return round(round(value * rstd) * weight[index % features]!);
  });
}

function sumOf(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value + b[index]!);
}

/** Numbers that the dtype holds, as a tensor too. */
function input(shape: readonly number[], {device, dtype}: On, seed = 1, scale = 1): [number[], Tensor] {
  const size = shape.reduce((product, each) => product * each, 1);
  const values = representable(normalNumbers(size, seed, scale), dtype);
  return [values, tensor(values, {shape, device, dtype})];
}

const shapes: readonly (readonly [tokens: number, features: number])[] = [
  // One feature; the widths of all vectors (4, 8, 16) less one, exactly and plus one; four vectors side by side (16, 32, 64).
  ...[1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129].map(
    (features) => [3, features] as const,
  ),
  // Tokens of one range of a thread, 2^14 elements, and one more.
  [255, 64],
  [256, 64],
  [257, 64],
];

for (const [tokens, features] of shapes)
  onEachDevice(floatDTypes, `rmsNorm [${tokens}, ${features}]`, async (t, on) => {
    const [values, x] = input([tokens, features], on, 1);
    const [factors, weight] = input([features], on, 2);
    await asGoodAsPlain(t, rmsNorm(x, weight), (round) => reference(values, factors, round));
  });

for (const [tokens, features] of shapes)
  onEachDevice(floatDTypes, `rmsNormResidual [${tokens}, ${features}]`, async (t, on) => {
    const [values, x] = input([tokens, features], on, 1);
    const [more, residual] = input([tokens, features], on, 3);
    const [factors, weight] = input([features], on, 2);
    const {y, sum} = rmsNormResidual(x, residual, weight);
    const wanted = sumOf(values, more).map(rounding[on.dtype]);
    closeTo(t, await sum.floats(), wanted, 0);
    await asGoodAsPlain(t, y, (round) => reference(wanted, factors, round));
  });

// float16 reaches 65504 and 6e-8.
const scales: Readonly<Record<FloatDType, readonly number[]>> = {
  float32: [1e15, 1e-15],
  bfloat16: [1e15, 1e-15],
  float16: [1e4, 1e-5],
};

onEachDevice(floatDTypes, 'rmsNorm of large and of tiny numbers', async (t, on) => {
  const [factors, weight] = input([37], on, 2);
  for (const scale of scales[on.dtype]) {
    const [values, x] = input([2, 37], on, 1, scale);
    await asGoodAsPlain(t, rmsNorm(x, weight), (round) => reference(values, factors, round));
  }
});

onEachDevice(['float32'], 'rmsNorm of a row whose squares overflow gives zeros', async (t, {device}) => {
  const y = rmsNorm(full([1, 5], 1e20, {device}), full([5], 1, {device}));
  t.deepEqual([...(await y.floats())], [0, 0, 0, 0, 0]);
});

onEachDevice(floatDTypes, 'rmsNorm adds eps to the mean square', async (t, on) => {
  const [values, x] = input([2, 5], on);
  const [factors, weight] = input([5], on, 2);
  await asGoodAsPlain(t, rmsNorm(x, weight, {eps: 0.5}), (round) => reference(values, factors, round, 0.5));
  const {y} = rmsNormResidual(x, zeros([2, 5], on), weight, {eps: 0.5});
  await asGoodAsPlain(t, y, (round) => reference(values, factors, round, 0.5));
});

onEachDevice(['float32'], 'rmsNorm of any shape and scale is that of the equation', async (t, on) => {
  const shapeAndScale = fc.tuple(
    fc.integer({min: 1, max: 5}),
    fc.integer({min: 1, max: 70}),
    fc.integer({min: -8, max: 8}),
  );
  await fc.assert(
    fc.asyncProperty(shapeAndScale, async ([tokens, features, exponent]) => {
      const [values, x] = input([tokens, features], on, tokens, 10 ** exponent);
      const [factors, weight] = input([features], on, features);
      await asGoodAsPlain(t, rmsNorm(x, weight), (round) => reference(values, factors, round));
    }),
    {seed: 1, numRuns: 60},
  );
});

const gradientShapes = [
  [1, 1],
  [5, 37],
  [16, 16], // tokens of one partial sum of dWeight, and one more
  [17, 16],
] as const;

for (const [tokens, features] of gradientShapes) {
  const x = {shape: [tokens, features], values: normalNumbers(tokens * features, 3)};
  const residual = {shape: [tokens, features], values: normalNumbers(tokens * features, 5)};
  const weight = {shape: [features], values: normalNumbers(features, 4)};

  onEachDevice(
    floatDTypes,
    `rmsNorm has the gradients of its equation [${tokens}, ${features}]`,
    async (t, on) => {
      await gradientsMatch(t, on, {
        inputs: {x, weight},
        op: (...inputs) => rmsNorm(inputs[0]!, inputs[1]!, {eps: 0.1}),
        reference: (...inputs) => reference(inputs[0]!, inputs[1]!, exact, 0.1),
      });
    },
  );

  const outputs = {
    y: {
      op: ({y}: {y: Tensor}) => y,
      reference: (_: number[], y: number[]) => y,
    },
    sum: {
      op: ({sum}: {sum: Tensor}) => sum,
      reference: (sum: number[]) => sum,
    },
    'y and sum': {
      op: ({y, sum}: {y: Tensor; sum: Tensor}) => add(y, sum),
      reference: (sum: number[], y: number[]) => sumOf(sum, y),
    },
  };
  for (const [name, output] of Object.entries(outputs))
    onEachDevice(
      floatDTypes,
      `rmsNormResidual hands on the gradient of ${name} [${tokens}, ${features}]`,
      async (t, on) => {
        const factors = representable(weight.values, on.dtype);
        const constant = tensor(factors, {device: on.device, dtype: on.dtype});
        await gradientsMatch(t, on, {
          inputs: {x, residual},
          op: (...inputs) => output.op(rmsNormResidual(inputs[0]!, inputs[1]!, constant, {eps: 0.1})),
          reference: (...inputs) => {
            const sum = sumOf(inputs[0]!, inputs[1]!);
            return output.reference(sum, reference(sum, factors, exact, 0.1));
          },
        });
      },
    );
}

/** dWeight[d] = sum over t of dy[t,d] x[t,d] rstd[t], in float64. */
function weightGradient(dy: readonly number[], x: readonly number[], features: number): number[] {
  const normalized = reference(
    x,
    Array.from({length: features}, () => 1),
    exact,
  );
  return Array.from({length: features}, (_, d) =>
    dy.reduce((sum, value, index) => (index % features === d ? sum + value * normalized[index]! : sum), 0),
  );
}

// Up to 2048 tokens a partial sum has 16; beyond, tokens are divided among 128.
for (const tokens of [1, 2048, 2049])
  onEachDevice(
    floatDTypes,
    `rmsNorm sums the gradient of its weight in float32 over ${tokens} tokens`,
    async (t, on) => {
      const [values, x] = input([tokens, 3], on, 1);
      const [factors, dy] = input([tokens, 3], on, 2);
      const weight = requireGradient(full([3], 0.5, on));
      backward(rmsNorm(x, weight), dy);
      // Each term has a few roundings of 2^-24, and its addition one; those of the halves would be 2^-9 and 2^-12.
      closeTo(t, await gradient(weight)!.floats(), weightGradient(factors, values, 3), tokens * 2 ** -20);
    },
  );

onEachDevice(
  floatDTypes,
  'rmsNorm and its gradients are the same on any number of threads',
  async (t, on) => {
    await sameOnAnyThreads(t, () => {
      const x = requireGradient(input([700, 65], on, 1)[1]);
      const residual = requireGradient(input([700, 65], on, 2)[1]);
      const weight = requireGradient(input([65], on, 3)[1]);
      const {y, sum} = rmsNormResidual(x, residual, weight);
      backward(add(rmsNorm(y, weight), sum), input([700, 65], on, 4)[1]);
      return [y, gradient(x)!, gradient(residual)!, gradient(weight)!];
    });
  },
);

onEachDevice(
  floatDTypes,
  'rmsNorm without tokens gives none, and the weight a gradient of zeros',
  async (t, on) => {
    const weight = requireGradient(full([3], 1, on));
    const {y, sum} = rmsNormResidual(rmsNorm(zeros([0, 3], on), weight), zeros([0, 3], on), weight);
    t.deepEqual(
      [y.shape, sum.shape],
      [
        [0, 3],
        [0, 3],
      ],
    );
    backward(y, zeros([0, 3], on));
    t.deepEqual([...(await gradient(weight)!.floats())], [0, 0, 0]);
  },
);

interface Refusal {
  readonly title: string;
  readonly call: (x: Tensor, weight: Tensor) => unknown;
  readonly code: string;
  readonly message: string;
}

const refusals: readonly Refusal[] = [
  {
    title: 'an x that is no matrix',
    call: (_, weight) => rmsNorm(weight, weight),
    code: 'ERR_SHAPE',
    message: 'rmsNorm: x must have 2 axes; got [2]',
  },
  {
    title: 'an x without features',
    call: (x) => rmsNorm(x.view([-1]).rows(0, 0).view([2, 0]), x),
    code: 'ERR_SHAPE',
    message: 'rmsNorm: x must be [tokens, features] with at least 1 feature; got [2, 0]',
  },
  {
    title: 'an x of integers',
    call: (x, weight) => rmsNorm(zeros(x.shape, {dtype: 'int32'}), weight),
    code: 'ERR_DTYPE',
    message: 'rmsNorm: x must be float32, bfloat16 or float16; got int32',
  },
  {
    title: 'a weight of another size',
    call: (x) => rmsNorm(x, zeros([3])),
    code: 'ERR_SHAPE',
    message: 'rmsNorm: weight must be [2] to match x [1, 2]; got [3]',
  },
  {
    title: 'a weight of another dtype',
    call: (x) => rmsNorm(x, zeros([2], {dtype: 'float16'})),
    code: 'ERR_DTYPE',
    message: 'rmsNorm: weight must be float32 to match x; got float16',
  },
  ...[0, -1, NaN, Infinity].map((eps) => ({
    title: `eps ${eps}`,
    call: (x: Tensor, weight: Tensor) => rmsNorm(x, weight, {eps}),
    code: 'ERR_ARGUMENT',
    message: `rmsNorm: eps must be a number above 0; got ${eps}`,
  })),
  {
    title: 'a weight that was disposed of',
    call: (x, weight) => {
      weight.dispose();
      rmsNorm(x, weight);
    },
    code: 'ERR_DISPOSED',
    message: 'tensor: float32 [2] was used after it had been disposed of',
  },
  {
    title: 'a residual of another shape',
    call: (x, weight) => rmsNormResidual(x, zeros([2, 2]), weight),
    code: 'ERR_SHAPE',
    message: 'rmsNormResidual: residual must be [1, 2] to match x [1, 2]; got [2, 2]',
  },
  {
    title: 'a residual of another dtype',
    call: (x, weight) => rmsNormResidual(x, zeros([1, 2], {dtype: 'bfloat16'}), weight),
    code: 'ERR_DTYPE',
    message: 'rmsNormResidual: residual must be float32 to match x; got bfloat16',
  },
  {
    title: 'eps 0 beside a residual',
    call: (x, weight) => rmsNormResidual(x, x, weight, {eps: 0}),
    code: 'ERR_ARGUMENT',
    message: 'rmsNormResidual: eps must be a number above 0; got 0',
  },
];

for (const {title, call, code, message} of refusals)
  onEachDevice(['float32'], `rmsNorm refuses ${title}`, (t, on) => {
    t.throws(() => call(full([1, 2], 1, on), full([2], 1, on)), {code, message});
  });
