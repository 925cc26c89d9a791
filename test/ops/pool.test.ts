import test from 'ava';
import fc from 'fast-check';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {pool, type PoolOptions} from '../../lib/ops/index.js';
import {full, setThreads, synchronize, tensor, zeros, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {
  asGoodAsPlain,
  closeTo,
  floatDTypes,
  gradientsMatch,
  onEachDevice,
  representable,
  sumFloor,
  type On,
} from '../support/ops.js';
import type {Round} from '../support/rounding.js';

type Spans = readonly (readonly [start: number, end: number])[];
type Pooling = NonNullable<PoolOptions['pooling']>;

const weightOf: Readonly<Record<Pooling, (position: number, length: number) => number>> = {
  mean: (_, length) => 1 / length,
  last: (position, length) => (position === length - 1 ? 1 : 0),
  weighted: (position, length) => (position + 1) / ((length * (length + 1)) / 2),
};

interface Case {
  readonly features: number;
  readonly spans: Spans;
  readonly pooling?: Pooling;
  readonly normalize?: boolean;
}

/** The definition in float64; `round` stands around each product and each result. */
function reference(
  hidden: readonly number[],
  {features, spans, pooling = 'mean', normalize = false}: Case,
  round: Round,
): number[] {
  return spans.flatMap(([start, end]) => {
    const sums = Array.from({length: features}, (_, d) =>
      Array.from({length: end - start}, (_each, position) => {
        const weight = weightOf[pooling](position, end - start);
        return round(weight * hidden[(start + position) * features + d]!);
      }).reduce((sum, value) => sum + value, 0),
    );
    const norm = Math.hypot(...sums);
    return sums.map((value) => (normalize ? (norm === 0 ? 0 : round(round(value) / norm)) : round(value)));
  });
}

function spanTensors(spans: Spans, {device}: Pick<On, 'device'>): [starts: Tensor, ends: Tensor] {
  const column = (side: 0 | 1): Tensor =>
    tensor(
      Int32Array.from(spans, (span) => span[side]),
      {shape: [spans.length], device},
    );
  return [column(0), column(1)];
}

// Two spans overlap, one is inside another, one has a single token, one is empty, and some tokens are in none.
const spans: Spans = [
  [0, 5],
  [3, 9],
  [4, 6],
  [11, 12],
  [7, 7],
  [16, 70],
];
const tokens = 80;
const poolings = ['mean', 'last', 'weighted'] as const;

// One feature; a vector of 16 less one, exactly, plus one; more than a vector and no multiple.
for (const features of [1, 15, 16, 17, 50])
  onEachDevice(
    floatDTypes,
    `pool of every kind agrees with its formula, ${features} features`,
    async (t, on) => {
      const hidden = representable(normalNumbers(tokens * features), on.dtype);
      for (const pooling of poolings)
        for (const normalize of [false, true]) {
          const each = {features, spans, pooling, normalize};
          const [starts, ends] = spanTensors(spans, on);
          const pooled = pool(tensor(hidden, {shape: [tokens, features], ...on}), starts, ends, each);
          t.deepEqual([pooled.dtype, pooled.shape], ['float32', [spans.length, features]]);
          await asGoodAsPlain(t, pooled, (round) => reference(hidden, each, round));
        }
    },
  );

for (const pooling of poolings)
  for (const normalize of [false, true])
    onEachDevice(
      floatDTypes,
      `pool ${pooling} has its gradient${normalize ? ', normalised' : ''}`,
      async (t, on) => {
        const features = 3;
        await gradientsMatch(t, on, {
          inputs: {hidden: {shape: [tokens, features], values: normalNumbers(tokens * features)}},
          op: (hidden) => pool(hidden, ...spanTensors(spans, on), {pooling, normalize}),
          reference: (hidden) => reference(hidden, {features, spans, pooling, normalize}, (value) => value),
        });
      },
    );

// More features than a block of CUDA has threads for, in twos and one by one; more pairs than it looks at together.
for (const [pairs, features] of [
  [6, 514],
  [6, 257],
  [300, 4],
  [300, 514],
] as const)
  onEachDevice(
    ['float32'],
    `pool of ${pairs} spans hands ${features} features their gradients`,
    async (t, on) => {
      const many = Array.from({length: pairs}, (_, pair) => spans[(pair * 5) % spans.length]!);
      const dPooled = normalNumbers(pairs * features, 2);
      const hidden = requireGradient(zeros([tokens, features], on));
      const pooled = pool(hidden, ...spanTensors(many, on), {pooling: 'weighted'});
      backward(pooled, tensor(dPooled, {shape: [pairs, features], ...on}));
      const wanted = Array.from({length: tokens * features}, () => 0);
      for (const [pair, [start, end]] of many.entries())
        for (let token = start; token < end; token++)
          for (let d = 0; d < features; d++) {
            const weight = weightOf.weighted(token - start, end - start);
            wanted[token * features + d]! += weight * dPooled[pair * features + d]!;
          }
      closeTo(t, await gradient(hidden)!.floats(), wanted, sumFloor * Math.max(...wanted.map(Math.abs)));
    },
  );

onEachDevice(floatDTypes, 'pool gives tokens outside of all spans a gradient of 0', async (t, on) => {
  const hidden = requireGradient(tensor(normalNumbers(tokens * 2), {shape: [tokens, 2], ...on}));
  backward(pool(hidden, ...spanTensors(spans, on)), full([spans.length, 2], 1, {device: on.device}));
  const found = await gradient(hidden)!.floats();
  const isInSpan = (token: number): boolean => spans.some(([start, end]) => token >= start && token < end);
  for (let token = 0; token < tokens; token++)
    t.is(found[2 * token] !== 0, isInSpan(token), `token ${token}`);
});

onEachDevice(
  floatDTypes,
  'pool, normalised, gives zeros and no gradient where the sum is 0',
  async (t, on) => {
    const hidden = requireGradient(tensor([[1, -2], [-1, 2], [0, 0]], on)); // prettier-ignore
    const pooled = pool(hidden, ...spanTensors([[0, 2], [2, 3], [1, 1]], on), {normalize: true}); // prettier-ignore
    t.deepEqual([...(await pooled.floats())], Array(6).fill(0));
    backward(pooled, full([3, 2], 1, {device: on.device}));
    t.deepEqual([...(await gradient(hidden)!.floats())], Array(6).fill(0));
  },
);

// Steps with fewer spans are padded to one shape. Widths on both sides of those above; spans beyond a block of eight.
onEachDevice(floatDTypes, 'pool takes empty spans at the end without a change to any bit', async (t, on) => {
  for (const features of [3, 16, 50])
    for (const pooling of poolings)
      for (const normalize of [false, true]) {
        const run = async (padding: number): Promise<readonly [Float32Array, Float32Array, Float32Array]> => {
          const padded: Spans = [...spans, ...Array<[0, 0]>(padding).fill([0, 0])];
          const hidden = requireGradient(
            tensor(normalNumbers(tokens * features), {shape: [tokens, features], ...on}),
          );
          const pooled = pool(hidden, ...spanTensors(padded, on), {pooling, normalize});
          // NaN as the gradient of an empty span, which no token may see.
          const dPooled = padded.flatMap((_, pair) =>
            pair < spans.length ? normalNumbers(features, pair) : Array<number>(features).fill(NaN),
          );
          backward(pooled, tensor(dPooled, {shape: pooled.shape, device: on.device}));
          const found = await pooled.floats();
          const count = spans.length * features;
          return [found.subarray(0, count), found.subarray(count), await gradient(hidden)!.floats()];
        };
        const [wanted, , wantedGradient] = await run(0);
        const [got, ofEmpty, gotGradient] = await run(13);
        t.deepEqual([got, gotGradient], [wanted, wantedGradient]);
        t.true(ofEmpty.length > 0 && ofEmpty.every((value) => value === 0));
      }
});

onEachDevice(['float32'], 'pool normalises what is too large or too small to be squared', async (t, on) => {
  const pooled = pool(tensor([[3e30, 4e30], [3e-30, 4e-30]], on), ...spanTensors([[0, 1], [1, 2]], on), {normalize: true}); // prettier-ignore
  closeTo(t, await pooled.floats(), [0.6, 0.8, 0.6, 0.8], 2 ** -23);
});

onEachDevice(floatDTypes, 'pool of no tokens, no pairs or no features is empty or zeros', async (t, on) => {
  const sizes = [
    {hidden: [0, 3], spans: [[0, 0]], gives: [0, 0, 0]},
    {hidden: [5, 3], spans: [], gives: []},
    {hidden: [5, 0], spans: [[0, 5]], gives: []},
  ] as const;
  for (const {hidden: shape, spans: few, gives} of sizes) {
    const hidden = requireGradient(zeros(shape, on));
    const pooled = pool(hidden, ...spanTensors(few, on), {pooling: 'weighted', normalize: true});
    t.deepEqual([...(await pooled.floats())], [...gives]);
    backward(pooled, full(pooled.shape, 1, {device: on.device}));
    t.deepEqual([...(await gradient(hidden)!.floats())], Array(shape[0] * shape[1]).fill(0));
  }
});

for (const span of [
  [-1, 2],
  [3, 2],
  [2, 5],
  [2 ** 31 - 1, -(2 ** 31)],
] as const)
  onEachDevice(
    ['float32'],
    `pool reports the span ${span[0]} to ${span[1]} of 4 tokens and pools the others`,
    async (t, on) => {
      const hidden = requireGradient(full([4, 2], 3, on));
      const pooled = pool(hidden, ...spanTensors([[0, 4], span], on), {normalize: false});
      await t.throwsAsync(synchronize(on.device), {
        code: 'ERR_INDEX',
        message: `pool: span 1 must have 0 <= start <= end <= 4, the number of tokens; got ${span[0]} to ${span[1]}`,
      });
      t.deepEqual([...(await pooled.floats())], [3, 3, 0, 0]);
      backward(pooled, full([2, 2], 1, {device: on.device}));
      t.deepEqual([...(await gradient(hidden)!.floats())], Array(8).fill(0.25));
    },
  );

onEachDevice(['float32'], 'pool refuses shapes and dtypes that do not fit, by name', (t, on) => {
  const hidden = zeros([4, 2], on);
  const [starts, ends] = spanTensors([[0, 1]], on);
  const [three] = spanTensors([[0, 1], [1, 2], [2, 3]], on); // prettier-ignore
  const refused = (run: () => void, code: string, message: string): void => {
    t.throws(run, {code, message});
  };
  refused(() => pool(zeros([4], on), starts, ends), 'ERR_SHAPE', 'pool: hidden must have 2 axes; got [4]');
  refused(
    () => pool(starts.view([1, 1]), starts, ends),
    'ERR_DTYPE',
    'pool: hidden must be float32, bfloat16 or float16; got int32',
  );
  refused(
    () => pool(hidden, zeros([], {...on, dtype: 'int32'}), ends),
    'ERR_SHAPE',
    'pool: starts must have 1 axis; got []',
  );
  refused(() => pool(hidden, zeros([1], on), ends), 'ERR_DTYPE', 'pool: starts must be int32; got float32');
  refused(
    () => pool(hidden, starts, three),
    'ERR_SHAPE',
    'pool: ends must be [1] to match starts [1]; got [3]',
  );
  refused(() => pool(hidden, starts, zeros([1], on)), 'ERR_DTYPE', 'pool: ends must be int32; got float32');
  const pooling = 'sum' as 'mean';
  refused(
    () => pool(hidden, starts, ends, {pooling}),
    'ERR_ARGUMENT',
    "pool: argument 4 must be one of mean, last, weighted; got 'sum'",
  );
});

test.serial('pool gives the same bits for any number of threads', async (t) => {
  const [rows, features, pairs] = [2000, 33, 300];
  const values = normalNumbers(rows * features);
  const starts = wholeNumbers(pairs, rows - 100, 2);
  const lengths = wholeNumbers(pairs, 100, 3);
  const many: Spans = starts.map((start, pair) => [start, start + lengths[pair]!]);
  const run = async (threads: number): Promise<readonly [Float32Array, Float32Array]> => {
    setThreads(threads);
    const hidden = requireGradient(tensor(values, {shape: [rows, features], dtype: 'bfloat16'}));
    const pooled = pool(hidden, ...spanTensors(many, {device: 'cpu'}), {
      pooling: 'weighted',
      normalize: true,
    });
    backward(pooled, tensor(normalNumbers(pairs * features, 5), {shape: [pairs, features]}));
    return [await pooled.floats(), await gradient(hidden)!.floats()];
  };
  const alone = await run(1);
  t.deepEqual(await run(3), alone);
});

test('pool keeps the mean of equal tokens, wherever the span lies', async (t) => {
  const span = fc
    .tuple(fc.nat(20), fc.nat(20))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b) + 1] as const);
  await fc.assert(
    fc.asyncProperty(fc.array(span, {maxLength: 9}), fc.constantFrom(...poolings), async (some, pooling) => {
      const pooled = pool(full([21, 3], 2), ...spanTensors(some, {device: 'cpu'}), {pooling});
      closeTo(t, await pooled.floats(), Array(some.length * 3).fill(2), 2 ** -20);
    }),
    {seed: 1, numRuns: 40},
  );
});
