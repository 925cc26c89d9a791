import test from 'ava';
import {cosinesOf, marginError, meanCosine, mexa, precisionAt1, unbiasedCka} from '../../lib/eval/index.js';
import {flat, normal, sum, world, type Matrix} from './reference.js';

const range = (n: number): number[] => Array.from({length: n}, (_, i) => i);
const square = (rows: Matrix): Float64Array => flat(rows);

test('cosinesOf gives every cosine, 0 for a zero vector and the same bits for equal vectors', (t) => {
  const {x, y} = world(11, 5, 0.5, 3);
  x[4] = [0, 0, 0, 0, 0];
  y[10] = y[0]!;
  const cosines = cosinesOf({x: flat(x), y: flat(y)}, 5);
  for (const i of range(11))
    for (const j of range(11)) {
      const dot = sum(x[i]!.map((v, f) => v * y[j]![f]!));
      const expected = i === 4 ? 0 : dot / Math.hypot(...x[i]!) / Math.hypot(...y[j]!);
      t.true(Math.abs(cosines[i * 11 + j]! - expected) < 1e-14);
    }
  for (const i of range(11)) t.is(cosines[i * 11 + 10], cosines[i * 11]);
});

test('vectors whose squares overflow or underflow have cosines too', (t) => {
  const tiny = Float64Array.of(3e-200, 4e-200);
  const huge = Float64Array.of(3e200, 4e200);
  t.true(Math.abs(cosinesOf({x: tiny, y: huge}, 2)[0]! - 1) < 1e-14);
});

const scores = square([
  [0.9, 0.1, 0.2],
  [0.3, 0.4, 0.5],
  [0.95, 0.1, 0.6],
]);

test('precision@1 counts rows one way and columns the other', (t) => {
  t.deepEqual(precisionAt1(scores, 3), [1 / 3, 2 / 3]);
});

test('a tie for the first place counts by its chance', (t) => {
  t.deepEqual(precisionAt1(new Float64Array(16).fill(0.3), 4), [1 / 4, 1 / 4]);
});

test('mexa wants the partner first in its row and in its column, strictly', (t) => {
  t.is(mexa(scores, 3), 0);
  t.is(
    mexa(
      square([
        [0.9, 0.1],
        [0.2, 0.3],
      ]),
      2,
    ),
    1,
  );
  t.is(
    mexa(
      square([
        [0.9, 0.1],
        [0.3, 0.3],
      ]),
      2,
    ),
    0.5,
  );
  t.is(mexa(new Float64Array(9).fill(0.5), 3), 0);
});

test('the mean cosine is that of the partners', (t) => {
  t.true(Math.abs(meanCosine(scores, 3) - (0.9 + 0.4 + 0.6) / 3) < 1e-15);
});

/** xsim by its definition: among the k nearest of i, the one with the largest ratio margin. */
function referenceMarginError(s: Matrix, k: number): number {
  const n = s.length;
  const top = (values: number[]): number[] => values.toSorted((a, b) => b - a).slice(0, k);
  const mean = (values: number[]): number => sum(values) / values.length;
  const wrong = range(n).filter((i) => {
    const candidates = range(n).filter((j) => s[i]![j]! >= top(s[i]!).at(-1)!);
    const margin = (j: number): number =>
      s[i]![j]! / ((mean(top(s[i]!)) + mean(top(s.map((row) => row[j]!)))) / 2);
    const best = candidates.reduce((a, b) => (margin(b) > margin(a) ? b : a));
    return best !== i;
  });
  return wrong.length / n;
}

test('the margin error is that of xsim with k = 4, both ways', (t) => {
  for (const seed of [1, 2, 3]) {
    const {x, y} = world(40, 8, 0.6, seed);
    const cosines = cosinesOf({x: flat(x), y: flat(y)}, 8);
    const rows = range(40).map((i) => [...cosines.subarray(i * 40, (i + 1) * 40)]);
    const turned = rows.map((_, i) => rows.map((row) => row[i]!));
    const expected = [referenceMarginError(rows, 4), referenceMarginError(turned, 4)];
    t.deepEqual(marginError(cosines, 40), [expected[0]!, expected[1]!]);
    t.true(expected[0]! > 0 && expected[0]! < 1);
  }
});

test('a hub costs precision@1 more than it costs the margin', (t) => {
  const {x, y} = world(60, 12, 0.7, 9);
  y[0] = y[0]!.map((_, f) => sum(x.map((row) => row[f]!))); // close to every x
  const cosines = cosinesOf({x: flat(x), y: flat(y)}, 12);
  t.true(1 - precisionAt1(cosines, 60)[0] > marginError(cosines, 60)[0]);
});

test('fewer sentences than neighbours are all neighbours', (t) => {
  t.deepEqual(
    marginError(
      square([
        [0.9, 0.1],
        [0.1, 0.9],
      ]),
      2,
    ),
    [0, 0],
  );
});

/** Székely and Rizzo's U-centred kernels: another road to the same estimate. */
function referenceCka(x: Matrix, y: Matrix): number {
  const n = x.length;
  const centredKernel = (rows: Matrix): Matrix => {
    const k = rows.map((a, i) => rows.map((b, j) => (i === j ? 0 : sum(a.map((v, f) => v * b[f]!)))));
    const total = sum(k.flat());
    return k.map((row, i) =>
      row.map((v, j) => (i === j ? 0 : v - (sum(row) + sum(k[j]!)) / (n - 2) + total / ((n - 1) * (n - 2)))),
    );
  };
  const product = (a: Matrix, b: Matrix): number =>
    sum(a.flatMap((row, i) => row.map((v, j) => v * b[i]![j]!)));
  const [k, l] = [centredKernel(x), centredKernel(y)];
  return product(k, l) / Math.sqrt(product(k, k) * product(l, l));
}

test('unbiased CKA is the correlation of the U-centred kernels', (t) => {
  for (const n of [8, 21]) {
    const {x, y} = world(n, 5, 0.5, n);
    t.true(Math.abs(unbiasedCka({x: flat(x), y: flat(y)}, 5) - referenceCka(x, y)) < 1e-10);
  }
});

test('unbiased CKA is 1 for a rotated copy and about 0 for nothing shared, however few the sentences', (t) => {
  const x = normal(20, 64, 1);
  const turned = x.map((row) => row.map((_, f) => (f % 2 === 0 ? -row[f + 1]! : row[f - 1]!)));
  t.true(Math.abs(unbiasedCka({x: flat(x), y: flat(turned)}, 64) - 1) < 1e-12);
  const values = range(20).map((s) =>
    unbiasedCka({x: flat(normal(20, 64, s)), y: flat(normal(20, 64, 50 + s))}, 64),
  );
  t.true(Math.abs(sum(values) / 20) < 0.1);
});
