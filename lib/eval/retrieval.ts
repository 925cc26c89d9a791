/** Finding the translation among all sentences: precision@1 by cosine, and xsim's margin score. */
import type {LayerVectors} from './alignment-prepare.js';
import {rowProducts, unitRows} from './matrix.js';
import {countRivals, firstChances} from './rivals.js';

/** A value from source to target, and back. */
export type BothWays = readonly [forth: number, back: number];

/** Cosine of every source with every target sentence, [n, n]; 0 where a vector is zero. */
export function cosinesOf({x, y}: LayerVectors, features: number): Float64Array {
  return rowProducts(unitRows(x, features), unitRows(y, features), features);
}

/** Which sentences find their translation, or miss it: a value from source to target, and one back, of each. */
export type EachWay = readonly [forth: Float64Array, back: Float64Array];

/**
 * Precision@1: how often the most similar sentence of the other language is the translation. A tie for first place counts
 * by its chance.
 *
 * @param cosines [n, n] of the raw vectors, translations on the diagonal
 */
export function precisionAt1(cosines: Float64Array, n: number): BothWays {
  return meansOf(foundFirst(cosines, n));
}

/** [n] each way: the chance that the most similar sentence of the other language is the translation. @param cosines as above */
export function foundFirst(cosines: Float64Array, n: number): EachWay {
  return [firstChances(countRivals(cosines, n, 'rows')), firstChances(countRivals(cosines, n, 'columns'))];
}

/**
 * Share of sentences for which the best margin score among the k nearest is not the translation's, as xsim counts it:
 * `cos(x, y) / ((mean cosine of x to its k nearest + that of y) / 2)`.
 *
 * @param cosines [n, n] of the raw vectors, translations on the diagonal
 * @see Artetxe and Schwenk 2019, arXiv:1811.01136, equation 3
 */
export function marginError(cosines: Float64Array, n: number, neighbours = 4): BothWays {
  return meansOf(marginMisses(cosines, n, neighbours));
}

/** [n] each way: 1 where the best margin score is not the translation's. @param cosines as above */
export function marginMisses(cosines: Float64Array, n: number, neighbours = 4): EachWay {
  const transposed = cosines.map((_, k) => cosines[(k % n) * n + Math.floor(k / n)] ?? 0);
  const forth = nearest(cosines, n, neighbours);
  const back = nearest(transposed, n, neighbours);
  return [misses(forth, back.means), misses(back, forth.means)];
}

/** Shares of a value of each sentence. */
export function meansOf([forth, back]: EachWay): BothWays {
  const mean = (values: Float64Array): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean(forth), mean(back)];
}

interface Nearest {
  /** Of each row, the k columns with the largest values, largest first. */
  readonly columns: readonly (readonly number[])[];
  readonly values: readonly (readonly number[])[];
  readonly means: readonly number[];
}

function nearest(cosines: Float64Array, n: number, neighbours: number): Nearest {
  const k = Math.min(neighbours, n);
  const all = Array.from({length: n}, (_, j) => j);
  const rows = all.map((i) => cosines.subarray(i * n, (i + 1) * n));
  const columns = rows.map((row) => all.toSorted((a, b) => (row[b] ?? 0) - (row[a] ?? 0)).slice(0, k));
  const values = columns.map((near, i) => near.map((j) => rows[i]?.[j] ?? 0));
  return {columns, values, means: values.map((near) => near.reduce((sum, value) => sum + value, 0) / k)};
}

function misses({columns, values, means}: Nearest, otherMeans: readonly number[]): Float64Array {
  return Float64Array.from(columns, (near, i) => {
    const margins = near.map(
      (j, c) => (values[i]?.[c] ?? 0) / (((means[i] ?? 0) + (otherMeans[j] ?? 0)) / 2),
    );
    return near[margins.indexOf(Math.max(...margins))] === i ? 0 : 1;
  });
}
