/** Ops on tensors of so many elements, of which all rows but the last are ones: what to run, and what must come out. */
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {
  adamw,
  attention,
  cast,
  contrastive,
  divide,
  embedding,
  gelu,
  globalNorm,
  linearCrossEntropy,
  logSoftmax,
  matmul,
  max,
  mean,
  multiply,
  pool,
  rmsNorm,
  rmsNormResidual,
  rotary,
  softmax,
  sum,
  swiglu,
  uniform,
} from '../../lib/ops/index.js';
import {full, scope, tensor, type Device, type FloatDType, type Tensor} from '../../lib/tensor/index.js';

/** Where and how large. */
export interface Large {
  readonly device: Device;
  /** Offsets beyond this many elements are looked at. */
  readonly elements: number;
}

/** Throws where a result is wrong. */
export type Case = (large: Large) => Promise<void>;

/** Rows at the end that are not ones. */
const last = 3;

/** Where a case runs: with all rows, or with one row of ones and the last ones. */
interface Place {
  /** Rows of `size` elements in all. */
  readonly rows: (size: number) => number;
  /** [rows, ...row]: ones, then seeded numbers from -1 to 1. */
  readonly tensor: (row: readonly number[], seed: number, dtype?: FloatDType) => Tensor;
  /** [rows of `size` elements] of the integer, then the last ones. */
  readonly integers: (size: number, first: number, ends: readonly number[]) => Tensor;
}

function placeOf({device, elements}: Large, isNear: boolean): Place {
  const rows = (size: number): number => (isNear ? 1 : Math.ceil(elements / size)) + last;
  const ending = (whole: Tensor, end: Tensor): Tensor => {
    const count = whole.shape[0] ?? 0;
    whole.rows(count - last, count).copyFrom(end);
    return whole;
  };
  return {
    rows,
    tensor: (row, seed, dtype = 'bfloat16') => {
      const on = {dtype, device};
      const end = uniform([last, ...row], {seed, low: -1, high: 1, ...on});
      return ending(full([rows(sizeOf(row)), ...row], 1, on), end);
    },
    integers: (size, first, ends) => {
      const on = {dtype: 'int32', device} as const;
      return ending(full([rows(size)], first, on), tensor([...ends], on));
    },
  };
}

/** A case whose results have the rows of its tensors: its first and its last ones must be those of the few rows alone. */
function rowByRow(op: (at: Place, large: Large) => readonly Tensor[]): Case {
  return async (large) => {
    const near = scope(() => op(placeOf(large, true), large));
    const far = scope(() => op(placeOf(large, false), large));
    for (const [index, each] of far.entries()) await compareRows(each, near[index], `result ${index}`);
    for (const each of [...near, ...far]) each.dispose();
  };
}

async function compareRows(far: Tensor, near: Tensor | undefined, name: string): Promise<void> {
  const count = far.shape[0] ?? 0;
  const wanted = (await near?.floats()) ?? new Float32Array();
  const [first, ends] = scope(() => [far.rows(0, 1), far.rows(count - last, count)] as const);
  const got = [...(await first.floats()), ...(await ends.floats())];
  for (const each of [first, ends]) each.dispose();
  compare(got, wanted, name, near?.dtype === 'float32' ? 2 ** -17 : 2 ** -7);
}

/** Passes where all differ by at most `tolerance` times the largest that is wanted. */
function compare(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  name: string,
  tolerance = 2 ** -17,
): void {
  const most = tolerance * Array.from(wanted).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const wrong = Array.from(wanted).findIndex(
    (value, index) => !(Math.abs((got[index] ?? NaN) - value) <= most),
  );
  if (wrong >= 0) throw new Error(`${name}, element ${wrong}: ${got[wrong]} instead of ${wanted[wrong]}`);
}

/** The result of an op, then the gradients of its leaves. */
function withGradients(y: Tensor, dy: Tensor, leaves: readonly Tensor[]): readonly Tensor[] {
  backward(y, dy);
  return [y, ...leaves.flatMap((leaf) => gradient(leaf) ?? [])];
}

const features = 4096;
const row = [features];

const elementwise: Readonly<Record<string, Case>> = {
  gelu: rowByRow((at) => {
    const x = requireGradient(at.tensor(row, 1));
    return withGradients(gelu(x), at.tensor(row, 2), [x]);
  }),
  multiply: rowByRow((at) => {
    const [a, b] = [requireGradient(at.tensor(row, 1)), requireGradient(at.tensor(row, 2))];
    return withGradients(multiply(a, b), at.tensor(row, 3), [a, b]);
  }),
  'multiply by a row': rowByRow((at, {device}) => {
    const a = requireGradient(at.tensor(row, 1));
    const b = uniform(row, {seed: 2, dtype: 'bfloat16', device});
    return withGradients(multiply(a, b), at.tensor(row, 3), [a]);
  }),
  'divide by a scalar': rowByRow((at, {device}) => {
    const a = requireGradient(at.tensor(row, 1));
    return withGradients(divide(a, tensor([3], {shape: [], device})), at.tensor(row, 3), [a]);
  }),
  // The second gradient is added to the first.
  accumulate: rowByRow((at) => {
    const x = requireGradient(at.tensor(row, 1));
    for (const seed of [2, 3]) backward(gelu(x), at.tensor(row, seed));
    return [gradient(x) ?? x];
  }),
  cast: rowByRow((at) => {
    const x = requireGradient(at.tensor(row, 1));
    return withGradients(cast(x, 'float32'), at.tensor(row, 2, 'float32'), [x]);
  }),
  'cast to integers and back': rowByRow((at) => [cast(cast(at.tensor(row, 1), 'int32'), 'bfloat16')]),
  swiglu: rowByRow((at) => {
    const [gate, up] = [requireGradient(at.tensor(row, 1)), requireGradient(at.tensor(row, 2))];
    return withGradients(swiglu(gate, up), at.tensor(row, 3), [gate, up]);
  }),
  async uniform({device, elements}) {
    const count = elements + 8;
    const x = uniform([count], {seed: 1, low: 3, high: 3, device});
    const end = x.rows(elements - 8, count);
    compare(await end.floats(), new Float32Array(16).fill(3), 'the last elements');
    for (const each of [x, end]) each.dispose();
  },
};

const rows: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    Object.entries({sum, mean, max}).map(([name, reduce]) => [
      `${name} of rows`,
      rowByRow((at, {device}) => {
        const x = requireGradient(at.tensor(row, 1));
        const y = reduce(x, {axis: 'last'});
        return withGradients(y, full(y.shape, 2, {dtype: name === 'max' ? 'bfloat16' : 'float32', device}), [
          x,
        ]);
      }),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({softmax, logSoftmax}).map(([name, op]) => [
      name,
      rowByRow((at) => {
        const x = requireGradient(at.tensor(row, 1));
        return withGradients(op(x), at.tensor(row, 2), [x]);
      }),
    ]),
  ),
  'rms-norm': rowByRow((at, {device}) => {
    const x = requireGradient(at.tensor(row, 1));
    const weight = uniform(row, {seed: 2, dtype: 'bfloat16', device});
    return withGradients(rmsNorm(x, weight), at.tensor(row, 3), [x]);
  }),
  'rms-norm with a residual': rowByRow((at, {device}) => {
    const [x, residual] = [requireGradient(at.tensor(row, 1)), at.tensor(row, 2)];
    const {y, sum} = rmsNormResidual(x, residual, uniform(row, {seed: 3, dtype: 'bfloat16', device}));
    return [sum, ...withGradients(y, at.tensor(row, 4), [x])];
  }),
  rotary: rowByRow((at, {device}) => {
    const heads = [32, 128];
    const x = requireGradient(at.tensor(heads, 1));
    const positions = at.integers(features, 3, [0, 1, 5]);
    return withGradients(rotary(x, positions, uniform([64], {seed: 2, device})), at.tensor(heads, 3), [x]);
  }),
  // The last rows outweigh the ones.
  async 'sum and max of all elements'({device, elements}) {
    const on = {dtype: 'bfloat16', device} as const;
    const count = elements / features + last;
    const [total, most] = scope(() => {
      const x = full([count, ...row], 1, on);
      x.rows(count - last, count).copyFrom(full([last, ...row], 2 ** 20, on));
      return [sum(x), max(x)] as const;
    });
    compare([await total.item()], [elements + last * features * 2 ** 20], 'the sum');
    compare([await most.item()], [2 ** 20], 'the maximum');
    for (const each of [total, most]) each.dispose();
  },
};

const optimiser: Readonly<Record<string, Case>> = {
  async 'global-norm'({device, elements}) {
    const count = elements + features;
    const norm = scope(() => globalNorm([full([count], 1, {device})]));
    compare([await norm.item()], [Math.sqrt(count)], 'the norm');
    norm.dispose();
  },
  adamw: rowByRow((at) => {
    const [parameter, gradient, first] = [1, 2, 3].map((seed) => at.tensor(row, seed, 'float32'));
    const second = full(first?.shape ?? [], 0, {device: first?.device ?? 'cpu'});
    adamw({
      parameters: parameter ? [parameter] : [],
      gradients: gradient ? [gradient] : [],
      firstMoments: first ? [first] : [],
      secondMoments: [second],
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.99,
      eps: 1e-8,
      weightDecays: [0.1],
      step: 1,
    });
    return [parameter, first, second].flatMap((each) => each ?? []);
  }),
};

const tokens: Readonly<Record<string, Case>> = {
  embedding: rowByRow((at, {device}) => {
    const table = requireGradient(at.tensor(row, 1));
    const count = at.rows(features);
    const ids = tensor([0, count - 3, count - 2, count - 1], {dtype: 'int32', device});
    const y = embedding(table, ids);
    return withGradients(y, uniform(y.shape, {seed: 2, dtype: 'bfloat16', device}), [table]);
  }),
  pool: rowByRow((at, {device}) => {
    const hidden = requireGradient(at.tensor(row, 1));
    const count = at.rows(features);
    const [starts, ends] = [
      [0, count - 3, count - 2, count - 1],
      [1, count, count - 1, count],
    ].map((bounds) => tensor(bounds, {dtype: 'int32', device}));
    if (!starts || !ends) return [];
    const pooled = pool(hidden, starts, ends, {pooling: 'weighted', normalize: true});
    return withGradients(pooled, uniform(pooled.shape, {seed: 2, device}), [hidden]);
  }),
  // Ones are a segment of their own, seen through a window.
  attention: rowByRow((at, {device}) => {
    const heads = [4, 256];
    const [q, k, v] = [heads, [1, 256], [1, 256]].map((shape, index) => {
      const count = at.rows(1024);
      const whole = full([count, ...shape], 1, {dtype: 'bfloat16', device});
      const end = uniform([last, ...shape], {seed: index, low: -1, high: 1, dtype: 'bfloat16', device});
      whole.rows(count - last, count).copyFrom(end);
      return requireGradient(whole);
    });
    if (!q || !k || !v) return [];
    const count = at.rows(1024);
    const segmentStarts = tensor([0, count - last, count], {dtype: 'int32', device});
    const out = attention(q, k, v, {segmentStarts, window: 1});
    return withGradients(out, at.tensor(heads, 4), [q, k, v]);
  }),
};

/** Columns of a matrix that has as many elements, in two sizes: of the large one, and of the dry run. */
function widthOf({elements}: Large, bits: number): number {
  return 2 ** Math.min(bits, Math.floor(Math.log2(elements) / 2));
}

const products: Readonly<Record<string, Case>> = {
  'matmul by rows of a': rowByRow((at, {device}) => {
    const a = requireGradient(at.tensor([64], 1));
    const b = uniform([64, 64], {seed: 2, low: -1, high: 1, dtype: 'bfloat16', device});
    return withGradients(matmul(a, b), at.tensor([64], 3), [a]);
  }),
  'matmul by rows of b as [n, k]': rowByRow((at, {device}) => {
    const a = uniform([1, 64], {seed: 2, low: -1, high: 1, dtype: 'bfloat16', device});
    const b = at.tensor([64], 1);
    return [matmul(a, b, {transposeB: true}).view([at.rows(64), 1])];
  }),
  // Sums over the depth are ones but for its last place, which the last of 65 rows has.
  async 'matmul by depths of a as [k, m] and b as [k, n]'(large) {
    const {device, elements} = large;
    const on = {dtype: 'bfloat16', device} as const;
    const wide = scope(() => {
      const whole = full([65, elements / 64], 1, on);
      whole.rows(64, 65).copyFrom(full([1, elements / 64], 3, on));
      return whole;
    });
    const [fromA, fromB] = scope(() => [
      matmul(wide, full([65, 1], 1, on), {transposeA: true}).view([elements / 64]),
      matmul(full([1, 65], 1, on), wide).view([elements / 64]),
    ]);
    for (const each of [fromA, fromB]) {
      const end = each?.rows(elements / 64 - 8, elements / 64);
      compare((await end?.floats()) ?? [], new Float32Array(8).fill(67), 'the last elements', 2 ** -7);
      for (const one of [end, each]) one?.dispose();
    }
    wide.dispose();
  },
  // The vocabulary's entries are 0 but for the last ones, which have a logit of 16.
  async 'linear-cross-entropy'(large) {
    const {device, elements} = large;
    const width = widthOf(large, 12);
    const vocab = elements / width + last;
    const on = {dtype: 'bfloat16', device} as const;
    const {logProbabilities, dWeight} = scope(() => {
      const weight = requireGradient(full([vocab, width], 0, on));
      weight.rows(vocab - last, vocab).copyFrom(full([last, width], 16 / width, on));
      const targets = full([128], vocab - 1, {dtype: 'int32', device});
      const options = {logProbabilities: true} as const;
      const {loss, logProbabilities} = linearCrossEntropy(
        full([128, width], 1, on),
        weight,
        targets,
        options,
      );
      backward(loss);
      return {logProbabilities, dWeight: gradient(weight)};
    });
    const others = vocab - last + last * Math.exp(16);
    const wanted = 16 - Math.log(others);
    compare(
      await logProbabilities.floats(),
      new Float32Array(128).fill(wanted),
      'log-probabilities',
      2 ** -12,
    );
    const end = dWeight?.rows(vocab - 1, vocab);
    const wantedGradient = new Float32Array(width).fill(Math.exp(wanted) - 1);
    compare((await end?.floats()) ?? [], wantedGradient, 'the gradient of the last entry', 2 ** -7);
    for (const each of [logProbabilities, dWeight, end]) each?.dispose();
  },
  // Only the last pair counts: its rows stand at right angles to all others.
  async contrastive(large) {
    const {device, elements} = large;
    const width = widthOf(large, 16);
    const pairs = elements / width + 1;
    const on = {dtype: 'bfloat16', device} as const;
    const [loss, dx] = scope(() => {
      const signs = Array.from({length: width}, (_, index) => (index % 2 === 0 ? 1 : -1));
      const [x, y] = [1, 2].map(() => {
        const whole = full([pairs, width], 1, on);
        whole.rows(pairs - 1, pairs).copyFrom(tensor(signs, {shape: [1, width], ...on}));
        return requireGradient(whole);
      });
      const weights = full([pairs], 0, {device});
      weights.rows(pairs - 1, pairs).copyFrom(tensor([1], {device}));
      if (!x || !y) throw new Error('there are two sides');
      const loss = contrastive(x, y, {temperature: 0.1, weights});
      backward(loss);
      return [loss, gradient(x)];
    });
    const rest = (pairs - 1) * Math.exp(-10);
    compare([(await loss?.item()) ?? NaN], [Math.log1p(rest)], 'the loss', 2 ** -10);
    // The last row is pulled away from the others' direction by p / tau, half of it since that is one direction of two. Unit rows of
    // ones are 1 / sqrt(width), and so is the factor of normalising.
    const end = dx?.rows(pairs - 1, pairs);
    const pull = (0.5 * rest) / (1 + rest) / 0.1 / width;
    compare(
      (await end?.floats()) ?? [],
      new Float32Array(width).fill(pull),
      'the gradient of the last row',
      2 ** -5,
    );
    for (const each of [loss, dx, end]) each?.dispose();
  },
};

/** By the name of the op. */
export const cases: Readonly<Record<string, Case>> = {
  ...elementwise,
  ...rows,
  ...optimiser,
  ...tokens,
  ...products,
};

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
