import test from 'ava';
import {
  alignPair,
  compareAlignments,
  lac,
  measureAlignment,
  summarizeAlignment,
  type PairVectors,
} from '../../lib/eval/index.js';
import {centralInterval, resampleWeights} from '../../lib/eval/bootstrap.js';
import {mean} from '../../lib/eval/lac.js';
import {createRandom} from '../../lib/eval/random.js';
import {flat, normal, sum, world} from './reference.js';

const range = (n: number): number[] => Array.from({length: n}, (_, i) => i);

/** Hidden states that share more and more: the last the most. */
function model(n: number, shares: readonly number[], seed: number, d = 24): PairVectors {
  const layers = shares.map((share, layer) => {
    const {x, y} = world(n, d, share, seed + 1000 * layer);
    return {x: Float32Array.from(x.flat()), y: Float32Array.from(y.flat())};
  });
  return {source: 'en', target: 'cs', layers, features: d, seed: 1, draws: 200};
}

test('the profile is LAC at each hidden state, and lac the mean without the embedding', (t) => {
  const counts = {x: range(60).map((i) => 4 + (i % 9)), y: range(60).map((i) => 5 + (i % 7))};
  const input = {...model(60, [0.9, 0.1, 0.5, 0.3], 1), counts};
  const result = alignPair(input);
  const single = input.layers.map((layer) => lac(layer, {features: 24, counts}));
  t.deepEqual(
    result.lacByLayer,
    single.map((r) => r.lac),
  );
  t.deepEqual(
    result.closenessByLayer,
    single.map((r) => r.closeness),
  );
  t.deepEqual(
    result.retrievalByLayer,
    single.map((r) => r.retrieval),
  );
  t.true(Math.abs(result.lac - sum(result.lacByLayer.slice(1)) / 3) < 1e-15);
  t.is(result.pairs, 60);
  t.deepEqual([result.source, result.target], ['en', 'cs']);
});

test('one hidden state alone, of embeddings without layers, is what LAC and peak are of', (t) => {
  const input = model(60, [0.5], 9);
  const result = alignPair(input);
  t.deepEqual([result.lac], result.lacByLayer);
  t.true(Math.abs(result.peak - result.lac) < 0.1);
});

test('every interval holds its value, and the same input gives the same result', (t) => {
  const input = model(50, [0.1, 0.2, 0.6], 3);
  const result = alignPair(input);
  t.true(result.interval[0] < result.lac && result.lac < result.interval[1]);
  result.intervalByLayer.forEach(([low, high], layer) => {
    t.true(low < result.lacByLayer[layer]! && result.lacByLayer[layer]! < high);
  });
  t.deepEqual(alignPair(input), result);
  t.notDeepEqual(alignPair({...input, seed: 2}).interval, result.interval);
});

test('the peak is read at the best layer, on pairs that did not choose it', (t) => {
  const clear = alignPair(model(80, [0, 0.1, 0.8, 0.2], 5));
  t.true(Math.abs(clear.peak - clear.lacByLayer[2]!) < 0.05);
  // With nothing shared the largest of 8 layers is above 0 by selection alone; two-fold values average to chance.
  const peaks = range(20).map((s) => alignPair({...model(40, Array(9).fill(0), 50 + 20_000 * s), draws: 1}));
  const largest = peaks.map(({lacByLayer}) => Math.max(...lacByLayer.slice(1)));
  t.true(sum(largest) / 20 > 0.03);
  t.true(Math.abs(sum(peaks.map(({peak}) => peak)) / 20) < 0.03);
});

test('shuffled partners have 0 in their interval in at least 90 of 100 shuffles', (t) => {
  const {x, y} = world(50, 16, 0.5, 77);
  const embedding = {x: flat(x), y: flat(y)};
  const random = createRandom(5);
  const hits = range(100).filter((seed) => {
    const order = range(50)
      .map((i) => ({i, key: random.uniform()}))
      .sort((a, b) => a.key - b.key);
    const shuffled = {x: flat(x), y: flat(order.map(({i}) => y[i]!))};
    const {interval} = alignPair({
      source: 'a',
      target: 'b',
      layers: [embedding, shuffled],
      features: 16,
      seed,
    });
    return interval[0] <= 0 && 0 <= interval[1];
  });
  t.true(hits.length >= 90, `${hits.length}`);
});

test('the measures of other work stand beside LAC at each hidden state', (t) => {
  const result = alignPair(model(60, [0, 1], 4));
  for (const list of [
    'mexaByLayer',
    'meanCosineByLayer',
    'ckaByLayer',
    'precisionAt1',
    'marginErrorByLayer',
  ] as const)
    t.is(result[list].length, 2);
  // All is shared but the offset of each language, which raw cosines see.
  t.true(result.ckaByLayer[1]! > 0.999);
  t.true(Math.abs(result.ckaByLayer[0]!) < 0.1);
  t.true(Math.abs(result.meanCosineByLayer[1]!) < 0.2);
  t.true(result.lacByLayer[1]! > 0.999);
});

for (const [n, flags] of [
  [8, ['tooFewPairs']],
  [31, ['tooFewPairs']],
  [32, ['fewPairs']],
  [99, ['fewPairs']],
  [100, []],
] as const)
  test(`${n} pairs carry the flags [${flags.join()}]`, (t) => {
    t.deepEqual(alignPair({...model(n, [0.5, 0.5], 1), draws: 10}).flags, [...flags]);
  });

test('a collapsed hidden state is flagged and worth 0, its interval included', (t) => {
  const input = model(100, [0.5, 0.5, 0.5], 1);
  const layers = input.layers.with(1, {x: new Float32Array(2400).fill(3), y: input.layers[1]!.y});
  const result = alignPair({...input, layers});
  t.deepEqual(result.flags, ['collapsed']);
  t.true(Math.abs(result.lacByLayer[1]!) < 1e-12);
  t.true(Math.max(...result.intervalByLayer[1]!.map(Math.abs)) < 1e-12);
  t.true(Math.abs(result.precisionAt1[1]![0] - 0.01) < 1e-12);
  t.is(result.ckaByLayer[1], 0);
});

test('pairs with a duplicate on either side are left out', (t) => {
  const input = model(40, [0.5, 0.5], 1);
  const counts = {x: range(40).map((i) => 3 + i), y: range(40).map((i) => 5 + i)};
  const texts = {x: range(40).map((i) => `x${i}`), y: range(40).map((i) => `y${i % 38}`)};
  const without = input.layers.map(({x, y}) => ({x: x.subarray(0, 38 * 24), y: y.subarray(0, 38 * 24)}));
  const fewer = {x: counts.x.slice(0, 38), y: counts.y.slice(0, 38)};
  t.deepEqual(alignPair({...input, counts, texts}), alignPair({...input, layers: without, counts: fewer}));
});

test('a better model is told from a worse one, and a model from itself is not', (t) => {
  const [worse, better] = [0.2, 0.6].map((share) => measureAlignment(model(80, [0, share, share], 6)));
  const difference = compareAlignments(worse!, better!);
  t.is(difference.better, 'second');
  t.is(difference.difference, better!.alignment.lac - worse!.alignment.lac);
  t.true(difference.interval[0] < difference.difference && difference.difference < difference.interval[1]);
  t.is(compareAlignments(better!, worse!).better, 'first');
  const none = {difference: 0, interval: [0, 0], better: 'undecided'} as const;
  t.deepEqual(compareAlignments(better!, better!), {...none, precisionAt1: none, marginError: none});
});

test('precision@1 and margin error are compared from the draws of LAC', (t) => {
  // Cosines above 0: below it the ratio of the margin score has no meaning.
  const x = flat(normal(80, 24, 5)).map((value) => 2 + value);
  const noise = flat(normal(80, 24, 6));
  const [worse, better] = [2, 0.5].map((share) => {
    const layers = [0, 1, 2].map(() => ({x, y: x.map((value, k) => value + share * noise[k]!)}));
    return measureAlignment({source: 'en', target: 'cs', layers, features: 24, seed: 1, draws: 200});
  });
  const {precisionAt1, marginError} = compareAlignments(worse!, better!);
  const above = (both: readonly (readonly [number, number])[]): number => mean(both.slice(1).flat());
  for (const [{difference, interval}, profile] of [
    [precisionAt1, 'precisionAt1'],
    [marginError, 'marginErrorByLayer'],
  ] as const) {
    const expected = above(better!.alignment[profile]) - above(worse!.alignment[profile]);
    t.true(Math.abs(difference - expected) < 1e-12, profile);
    t.true(interval[0] < difference && difference < interval[1], profile);
  }
  t.true(precisionAt1.difference > 0 && marginError.difference < 0);
  t.deepEqual([precisionAt1.better, marginError.better], ['second', 'second']);
  const back = compareAlignments(better!, worse!);
  t.deepEqual([back.precisionAt1.better, back.marginError.better], ['first', 'first']);
  // The weights of LAC are the draws: the difference of one draw by hand, with every sentence as often as it weighs.
  const {n, draws, values} = resampleWeights(80, better!.draws.length, better!.seed);
  const gains = better!.precisions.map((value, i) => value - worse!.precisions[i]!);
  const drawn = Float64Array.from({length: draws}, (_, b) =>
    gains.reduce((sum, gain, i) => sum + (gain * values[i * draws + b]!) / n, 0),
  );
  const [low, high] = centralInterval(drawn, [-1, 1]);
  t.true(
    Math.abs(low - precisionAt1.interval[0]) < 1e-12 && Math.abs(high - precisionAt1.interval[1]) < 1e-12,
  );
});

test('the interval of a difference is narrower than the two intervals for models that err alike', (t) => {
  const input = model(60, [0.3, 0.3, 0.3], 8);
  const noise = flat(normal(60, 24, 99));
  const layers = input.layers.map(({x, y}) => ({x: x.map((v, k) => v + 0.05 * noise[k]!), y}));
  const [first, second] = [measureAlignment(input), measureAlignment({...input, layers})];
  const width = ([low, high]: readonly [number, number]): number => high - low;
  t.true(width(compareAlignments(first, second).interval) < 0.5 * width(first.alignment.interval));
});

test('models measured on other draws cannot be compared', (t) => {
  const input = {...model(20, [0.5, 0.5], 1), draws: 10};
  t.throws(() => compareAlignments(measureAlignment(input), measureAlignment({...input, seed: 7})), {
    code: 'ERR_ARGUMENT',
    message:
      'compareAlignments: both must be measured on the same draws; got en-cs, 20 pairs, seed 1, 10 draws and en-cs, 20 pairs, seed 7, 10 draws',
  });
});

test('over language pairs the mean and the minimum are reported', (t) => {
  const pairs = [0.2, 0.6].map((share) => alignPair({...model(40, [0, share], 6), draws: 10}));
  const {mean, minimum} = summarizeAlignment(pairs);
  t.is(minimum, pairs[0]!.lac);
  t.is(mean, (pairs[0]!.lac + pairs[1]!.lac) / 2);
});

test('alignPair names the language pair and what does not fit', (t) => {
  const input = model(10, [0.5, 0.5], 1);
  const broken = input.layers.with(1, {x: input.layers[1]!.x, y: input.layers[1]!.y.with(30, Infinity)});
  const cases: [Partial<PairVectors>, string][] = [
    [{layers: broken}, 'hidden state 1: y must be finite; sentence 1 has Infinity at feature 6'],
    [{layers: []}, 'at least one hidden state is needed; got none'],
    [{draws: 0}, 'draws must be a whole number >= 1; got 0'],
    [{texts: {x: [], y: []}}, 'texts.x must be [10], one per sentence; got [0]'],
    [
      {texts: {x: range(10).map(String), y: range(10).map((i) => String(i % 7))}},
      'at least 8 distinct sentence pairs are needed; got 7',
    ],
    [{counts: {x: [], y: []}}, 'counts.x must be [10], one per sentence; got [0]'],
  ];
  for (const [change, message] of cases)
    t.throws(() => alignPair({...input, ...change}), {
      code: 'ERR_ARGUMENT',
      message: `alignPair en-cs: ${message}`,
    });
});
