import test from 'ava';
import {centralInterval, evenWeights, resampleWeights, weightedLac} from '../../lib/eval/bootstrap.js';
import {lac} from '../../lib/eval/index.js';
import {createRandom} from '../../lib/eval/random.js';
import {flat, sum, world} from './reference.js';

const range = (n: number): number[] => Array.from({length: n}, (_, i) => i);

function scoresOf(n: number, d: number, share: number, seed: number): Float64Array {
  const {x, y} = world(n, d, share, seed);
  return lac({x: flat(x), y: flat(y)}, {features: d}).scores;
}

/** METHOD's weighted statistic of one draw, term by term. */
function reference(scores: Float64Array, w: readonly number[]): number {
  const n = w.length;
  const s = (i: number, j: number): number => scores[i * n + j]!;
  const all = range(n);
  const others = all.flatMap((i) => all.filter((j) => j !== i).map((j) => [i, j] as const));
  const d = sum(all.map((i) => w[i]! * s(i, i))) / sum(w);
  const o = sum(others.map(([i, j]) => w[i]! * w[j]! * s(i, j))) / sum(others.map(([i, j]) => w[i]! * w[j]!));
  const g = (d + (n - 1) * o) / n;
  const sides = [s, (i: number, j: number) => s(j, i)].map((score) => {
    const a = all.map(
      (i) =>
        sum(all.filter((j) => j !== i && score(i, j) > score(i, i)).map((j) => w[j]!)) / (sum(w) - w[i]!),
    );
    const gains = [2, 4, 8, 16, 32]
      .filter((m) => m <= n)
      .map((m) => {
        const p = sum(all.map((i) => w[i]! * (1 - a[i]!) ** (m - 1))) / sum(w);
        return (p - 1 / m) / (1 - 1 / m);
      });
    return sum(gains) / gains.length;
  });
  return (Math.max(-1, (d - g) / (1 - g)) + sum(sides) / 2) / 2;
}

// 8 and 9 sentences leave a remainder of rows after groups of four; 35 has all choice sizes.
for (const n of [8, 9, 35])
  test(`the weighted statistic of ${n} sentences is METHOD's`, (t) => {
    const scores = scoresOf(n, 4, 0.3, n);
    const weights = resampleWeights(n, 5, 2);
    const values = weightedLac(scores, weights);
    for (const b of range(5)) {
      const w = range(n).map((i) => weights.values[i * 5 + b]!);
      t.true(Math.abs(values[b]! - reference(scores, w)) < 1e-12);
    }
    t.true(Math.abs(weightedLac(scores, evenWeights(n))[0]! - reference(scores, Array(n).fill(1))) < 1e-12);
  });

test('every draw takes n sentences and the seed decides which', (t) => {
  const {values} = resampleWeights(50, 20, 9);
  for (const b of range(20)) t.is(sum(range(50).map((i) => values[i * 20 + b]!)), 50);
  t.deepEqual(resampleWeights(50, 20, 9).values, values);
  t.notDeepEqual(resampleWeights(50, 20, 10).values, values);
  t.notDeepEqual(values.subarray(0, 10), values.subarray(10, 20));
});

test('a draw of one sentence alone is finite', (t) => {
  const scores = scoresOf(8, 3, 0.5, 1);
  const values = new Float64Array(8);
  values[3] = 8;
  t.true(Number.isFinite(weightedLac(scores, {n: 8, draws: 1, values})[0]));
});

test('the interval is the central 95 % between order statistics, clipped', (t) => {
  const draws = Float64Array.from(range(41), (i) => (40 - i) / 10); // 0 to 4, backwards
  t.deepEqual(
    centralInterval(draws, [-10, 10]).map((v) => v.toFixed(10)),
    ['0.1000000000', '3.9000000000'],
  );
  t.deepEqual(centralInterval(draws, [1, 2]), [1, 2]);
  t.deepEqual(centralInterval(Float64Array.of(0.5), [-1, 1]), [0.5, 0.5]);
});

test('the random numbers are uniform, differ by seed and stream, and repeat', (t) => {
  const draw = (seed: number, stream?: number): number[] => {
    const random = createRandom(seed, stream);
    return range(1000).map(() => random.below(10));
  };
  t.deepEqual(draw(1), draw(1));
  for (const other of [draw(2), draw(1, 1), draw(1 + 2 ** 32)]) t.notDeepEqual(draw(1), other);
  const counts = range(10).map((v) => draw(5).filter((u) => u === v).length);
  const chiSquare = sum(counts.map((count) => (count - 100) ** 2 / 100));
  t.true(chiSquare < 27.9, `${chiSquare}`); // 99.9 % quantile at 9 degrees of freedom
});

test('a seed that is not a whole number is refused', (t) => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53])
    t.throws(() => createRandom(seed), {
      code: 'ERR_ARGUMENT',
      message: `seed must be a whole number from 0 to 2^53 - 1; got ${seed}`,
    });
});
