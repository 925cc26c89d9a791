import test from 'ava';
import fc from 'fast-check';
import {distinctPairs} from '../../lib/eval/distinct-pairs.js';
import {lac} from '../../lib/eval/index.js';
import {createRandom} from '../../lib/eval/random.js';
import {countRivals, winTable} from '../../lib/eval/rivals.js';
import {flat, normal, referenceLac, sum, win, world, type Matrix} from './reference.js';

const range = (n: number): number[] => Array.from({length: n}, (_, i) => i);
const near = (a: number, b: number, within = 1e-12): boolean => Math.abs(a - b) <= within;
const measure = (x: Matrix, y: Matrix, options: Partial<Parameters<typeof lac>[1]> = {}) =>
  lac({x: flat(x), y: flat(y)}, {features: x[0]!.length, ...options});

const goldenX = range(8).map((i) =>
  range(4).map((j) => Math.sin(1.7 * i + 0.9 * j + 0.3 * i * j) + 0.25 * j),
);
const goldenY = goldenX.map((row, i) =>
  row.map((v, j) => v + 0.8 * Math.cos(2.3 * i - 1.1 * j + 0.7 * i * j) - 0.5),
);
const goldenCounts = {x: range(8).map((i) => 5 + i), y: range(8).map((i) => 6 + (i % 5))};

test('golden values without token counts', (t) => {
  const result = measure(goldenX, goldenY);
  t.true(near(result.closeness, 0.754209759948));
  t.true(near(result.retrieval, 0.75));
  t.true(near(result.lac, 0.752104879974));
  t.deepEqual(
    result.retrievalByChoice.map((r) => r.toFixed(6)),
    ['0.892857', '0.785714', '0.571429'],
  );
  t.true(near(result.scores[0]!, 0.65397877, 5e-9));
  t.true(near(result.scores[1]!, -0.8412974, 5e-8));
});

test('golden values with token counts', (t) => {
  const result = measure(goldenX, goldenY, {counts: goldenCounts});
  t.true(near(result.closeness, 0.71400363808));
  t.true(near(result.retrieval, 0.805555555556));
  t.true(near(result.lac, 0.759779596818));
});

// 8 sentences use choices of up to 8, 33 all of them; sizes not divisible by the 2 x 4 tile of the product.
for (const [n, d] of [
  [8, 1],
  [9, 3],
  [33, 5],
  [50, 17],
] as const)
  test(`n = ${n}, d = ${d} agrees with the definition`, (t) => {
    const {x, y} = world(n, d, 0.4, 11);
    const counts = {x: range(n).map((i) => 3 + ((i * 7) % 11)), y: range(n).map((i) => 4 + ((i * 5) % 13))};
    for (const options of [{}, {counts}]) {
      const result = measure(x, y, options);
      const expected = referenceLac(x, y, options.counts);
      t.true(near(result.closeness, expected.closeness, 1e-10));
      t.true(near(result.retrieval, expected.retrieval, 1e-10));
      t.true(near(result.lac, expected.lac, 1e-10));
    }
  });

test('P1 swapping the languages changes nothing', (t) => {
  const {x, y} = world(41, 7, 0.3, 3);
  t.true(near(measure(x, y).lac, measure(y, x).lac));
});

test('P2 over all cyclic re-pairings closeness and retrieval have mean 0', (t) => {
  for (const [n, d] of [
    [12, 5],
    [40, 9],
    [101, 3],
  ] as const) {
    const {x, y} = world(n, d, 0.5, 5);
    const results = range(n).map((shift) =>
      measure(
        x,
        range(n).map((i) => y[(i + shift) % n]!),
      ),
    );
    t.true(near(sum(results.map((r) => r.closeness)) / n, 0));
    t.true(near(sum(results.map((r) => r.retrieval)) / n, 0));
  }
});

test('P3 equal vectors give 1, an offset changes nothing, opposite vectors are as far as can be', (t) => {
  const x = normal(40, 16, 1);
  const moved = x.map((row) => row.map((v, f) => v + 10 * f));
  t.true(near(measure(x, x).lac, 1));
  t.true(near(measure(x, moved).lac, 1));
  const opposite = measure(
    x,
    x.map((row) => row.map((v) => -v)),
  );
  t.true(opposite.retrieval < 0);
  t.true(opposite.closeness < -0.95);
});

test('P4 neither feature scales, language offsets nor the order of pairs matter', (t) => {
  const {x, y} = world(30, 6, 0.4, 8);
  const expected = measure(x, y).lac;
  fc.assert(
    fc.property(
      fc.array(fc.double({min: 0.1, max: 10, noNaN: true}), {minLength: 6, maxLength: 6}),
      fc.double({min: -100, max: 100, noNaN: true}),
      fc.shuffledSubarray(range(30), {minLength: 30, maxLength: 30}),
      (scales, offset, order) => {
        const change = (rows: Matrix, by: number): Matrix =>
          order.map((i) => rows[i]!.map((v, f) => (v + by) * scales[f]!));
        return near(measure(change(x, offset), change(y, -offset)).lac, expected, 1e-9);
      },
    ),
    {seed: 4, numRuns: 50},
  );
  t.pass();
});

test('P4 with a global scale a common rotation changes nothing', (t) => {
  const {x, y} = world(30, 4, 0.4, 9);
  const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
  const rotate = (rows: Matrix): Matrix =>
    rows.map(([a, b, p, q]) => [c * a! - s * p!, b! * c + s * q!, s * a! + c * p!, c * q! - s * b!]);
  const turned = measure(rotate(x), rotate(y), {scale: 'global'});
  t.true(near(turned.lac, measure(x, y, {scale: 'global'}).lac, 1e-9));
});

test('P5 the value lies in [-1, 1]', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.double({min: -1e6, max: 1e6, noNaN: true}), {minLength: 6, maxLength: 6}), {
        minLength: 8,
        maxLength: 12,
      }),
      (rows) => {
        const value = measure(
          rows.map((row) => row.slice(0, 3)),
          rows.map((row) => row.slice(3)),
        ).lac;
        return value >= -1 - 1e-12 && value <= 1 + 1e-12;
      },
    ),
    {seed: 5, numRuns: 200},
  );
  t.pass();
});

test('P6 a side that is constant gives 0 and says that it collapsed', (t) => {
  const x = normal(40, 5, 1);
  const constant = x.map(() => [1e6, -3, 0.1, 0.2, 0.3]);
  for (const [a, b] of [
    [x, constant],
    [constant, x],
    [constant, constant],
  ] as const) {
    const result = measure(a, b);
    t.true(near(result.lac, 0));
    t.true(result.collapsed);
  }
  t.false(measure(x, x).collapsed);
});

test('P6 a side that only tells the length has collapsed', (t) => {
  const counts = {x: range(40).map((i) => 5 + i), y: range(40).map((i) => 6 + i)};
  const lengths = counts.x.map((count) => [Math.log(count), 3 - Math.log(count)]);
  const result = measure(lengths, normal(40, 2, 1), {counts});
  t.true(result.collapsed);
  t.true(near(result.lac, 0));
});

test('P7 where all scores tie every choice is chance', (t) => {
  const n = 40;
  const {above, tied} = countRivals(new Float64Array(n * n).fill(0.5), n, 'rows');
  t.deepEqual([...new Set(above)], [0]);
  t.deepEqual([...new Set(tied)], [n - 1]);
  for (const m of [2, 4, 8, 16, 32]) t.true(near(winTable(n, m - 1)(0, n - 1), 1 / m));
});

test('P8 the number of sentences does not move the mean', (t) => {
  const mean = (n: number): number => sum(range(30).map((s) => measureWorld(n, 0.2, 100 + 10 * s))) / 30;
  const [few, many] = [mean(50), mean(400)];
  // 30 draws at n = 50: METHOD's standard deviation of one is .037, so three of the mean's are .02.
  t.true(Math.abs(few - many) < 0.02, `${few} and ${many}`);
});

test('P9 less noise gives a larger value', (t) => {
  const values = [0.05, 0.2, 0.4, 0.7, 0.95].map((share) => measureWorld(100, share, 21));
  t.deepEqual(
    values,
    values.toSorted((a, b) => a - b),
  );
  t.true(values[4]! - values[0]! > 0.7);
});

function measureWorld(n: number, share: number, seed: number): number {
  const {x, y} = world(n, 64, share, seed);
  return measure(x, y).lac;
}

test('sentence length alone is worth nothing', (t) => {
  const random = createRandom(3);
  const counts = range(60).map(() => 4 + random.below(40));
  const [nx, ny] = [normal(60, 16, 2), normal(60, 16, 4)];
  const long = (rows: Matrix): Matrix => rows.map((row, i) => row.map((v) => v + 3 * Math.log(counts[i]!)));
  const [x, y] = [long(nx), long(ny)];
  t.true(measure(x, y).lac > 0.3);
  t.true(Math.abs(measure(x, y, {counts: {x: counts, y: counts}}).lac) < 0.1);
});

test('winTable is the closed form of METHOD', (t) => {
  for (const n of [8, 33, 60])
    for (const k of [1, 3, 7, 15, 31].filter((k) => k < n))
      for (const [a, e] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [3, 2],
        [n - 1, 0],
        [0, n - 1],
        [n - 4, 3],
      ] as const)
        t.true(near(winTable(n, k)(a, e), win(n, a, e, k), 1e-11), `n ${n}, k ${k}, a ${a}, e ${e}`);
});

test('float32 and float64 vectors of the same values give the same result', (t) => {
  const {x, y} = world(20, 8, 0.4, 2);
  const single = {x: Float32Array.from(x.flat()), y: Float32Array.from(y.flat())};
  const double = {x: Float64Array.from(single.x), y: Float64Array.from(single.y)};
  t.is(lac(single, {features: 8}).lac, lac(double, {features: 8}).lac);
});

test('distinctPairs keeps the first of the pairs that share a sentence on either side', (t) => {
  const sources = ['a', 'b', ' a ', 'c', 'é', 'e\u0301', 'd  e'];
  const targets = ['1', '2', '3', '2', '5', '6', '7'];
  t.deepEqual(distinctPairs(sources, targets), [0, 1, 4, 6]);
});

test('lac names what does not fit', (t) => {
  const x = flat(normal(8, 2, 1));
  const cases: [() => unknown, string][] = [
    [() => lac({x, y: x}, {features: 0}), 'lac: features must be a whole number >= 1; got 0'],
    [
      () => lac({x, y: x}, {features: 3}),
      'lac: hidden state 0: x must hold a multiple of 3 (features) values; got 16',
    ],
    [
      () => lac({x, y: x.subarray(2)}, {features: 2}),
      'lac: hidden state 0: y must hold [8, 2] = 16 values; got 14',
    ],
    [
      () => lac({x: x.subarray(2), y: x.subarray(2)}, {features: 2}),
      'lac: at least 8 distinct sentence pairs are needed; got 7',
    ],
    [
      () => lac({x: x.with(5, NaN), y: x}, {features: 2}),
      'lac: hidden state 0: x must be finite; sentence 2 has NaN at feature 1',
    ],
    [
      () => lac({x, y: x}, {features: 2, counts: {x: [1], y: [1]}}),
      'lac: counts.x must be [8], one per sentence; got [1]',
    ],
    [
      () => lac({x, y: x}, {features: 2, counts: {x: range(8).map(() => 3), y: range(8)}}),
      'lac: counts.y must be token counts >= 1; sentence 0 has 0',
    ],
  ];
  for (const [run, message] of cases) t.throws(run, {code: 'ERR_ARGUMENT', message});
});
