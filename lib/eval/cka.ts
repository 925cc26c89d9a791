/** Centred kernel alignment without the bias that makes the usual estimate large for few sentences. */
import type {LayerVectors} from './alignment-prepare.js';
import {centred, rowProducts} from './matrix.js';

/**
 * Unbiased linear CKA of two sets of vectors; 0 where a side has collapsed. It compares geometries, so a rotated copy has
 * the value 1 though no sentence can be found by its translation.
 *
 * @param vectors x and y [n, features], n >= 4
 * @see Song et al. 2012, JMLR 13, equation 5; Nguyen et al. 2021, arXiv:2010.15327
 */
export function unbiasedCka({x, y}: LayerVectors, features: number): number {
  const n = x.length / features;
  const k = kernel(x, features);
  const l = kernel(y, features);
  const [kk, ll] = [independence(k, k, n), independence(l, l, n)];
  return kk > 0 && ll > 0 ? independence(k, l, n) / Math.sqrt(kk * ll) : 0;
}

/** [n, n] linear kernel at unit mean square, its diagonal zero. Centring changes nothing but the rounding. */
function kernel(values: LayerVectors['x'], features: number): Float64Array {
  const rows = centred(values, features);
  const n = rows.length / features;
  const out = rowProducts(rows, rows, features);
  for (let i = 0; i < n; i++) out[i * n + i] = 0;
  return out;
}

/** Unbiased estimate of the Hilbert-Schmidt independence criterion. */
function independence(k: Float64Array, l: Float64Array, n: number): number {
  let [trace, crossed, sumK, sumL] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    let [rowK, rowL] = [0, 0];
    for (let j = 0; j < n; j++) {
      const [a, b] = [k[i * n + j] ?? 0, l[i * n + j] ?? 0];
      trace += a * b;
      rowK += a;
      rowL += b;
    }
    crossed += rowK * rowL;
    sumK += rowK;
    sumL += rowL;
  }
  return (trace + (sumK * sumL) / ((n - 1) * (n - 2)) - (2 * crossed) / (n - 2)) / (n * (n - 3));
}
