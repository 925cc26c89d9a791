/** Products and norms of row-major float64 matrices. */

/** A row-major matrix of any float type. */
export type Floats = Float32Array | Float64Array;

/** `x yᵀ`: the dot product of every row of x [n, features] with every row of y [m, features]; [n, m]. */
export function rowProducts(x: Float64Array, y: Float64Array, features: number): Float64Array {
  const [n, m] = [x.length / features, y.length / features];
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i += 2)
    for (let j = 0; j < m; j += 4) {
      if (i + 2 <= n && j + 4 <= m) productTile(x, y, out, {i, j, m, features});
      else
        for (let r = i; r < Math.min(i + 2, n); r++)
          for (let s = j; s < Math.min(j + 4, m); s++)
            out[r * m + s] = dot(x, y, r * features, s * features, features);
    }
  return out;
}

/**
 * Two rows against four: eight sums live in registers, so each value loaded is used two or four times.
 * Each sum goes over the features in order, as `dot` does: equal rows have bit-equal products wherever they stand.
 */
function productTile(
  x: Float64Array,
  y: Float64Array,
  out: Float64Array,
  {i, j, m, features}: {i: number; j: number; m: number; features: number},
): void {
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
  const [xa, xb] = [i * features, (i + 1) * features];
  const [y0, y1, y2, y3] = [j * features, (j + 1) * features, (j + 2) * features, (j + 3) * features];
  for (let f = 0; f < features; f++) {
    const a = x[xa + f] ?? 0;
    const b = x[xb + f] ?? 0;
    const v0 = y[y0 + f] ?? 0;
    const v1 = y[y1 + f] ?? 0;
    const v2 = y[y2 + f] ?? 0;
    const v3 = y[y3 + f] ?? 0;
    a0 += a * v0;
    a1 += a * v1;
    a2 += a * v2;
    a3 += a * v3;
    b0 += b * v0;
    b1 += b * v1;
    b2 += b * v2;
    b3 += b * v3;
  }
  const [ra, rb] = [i * m + j, (i + 1) * m + j];
  out[ra] = a0;
  out[ra + 1] = a1;
  out[ra + 2] = a2;
  out[ra + 3] = a3;
  out[rb] = b0;
  out[rb + 1] = b1;
  out[rb + 2] = b2;
  out[rb + 3] = b3;
}

function dot(x: Float64Array, y: Float64Array, xStart: number, yStart: number, features: number): number {
  let sum = 0;
  for (let f = 0; f < features; f++) sum += (x[xStart + f] ?? 0) * (y[yStart + f] ?? 0);
  return sum;
}

/** The rows of x [n, features] at unit length; a zero row stays zero. */
export function unitRows(x: Floats, features: number): Float64Array {
  const out = Float64Array.from(x);
  for (let start = 0; start < out.length; start += features) {
    const length = norm(out.subarray(start, start + features));
    if (length > 0) for (let f = start; f < start + features; f++) out[f] = (out[f] ?? 0) / length;
  }
  return out;
}

/** Euclidean length; scaled by the largest value, so that it neither overflows nor underflows. */
export function norm(values: Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  let sum = 0;
  for (const value of values) sum += (value / largest) ** 2;
  return largest * Math.sqrt(sum);
}

/** x [n, features] with the mean of each feature taken away. */
export function centred(x: Floats, features: number): Float64Array {
  const out = Float64Array.from(x);
  const means = new Float64Array(features);
  const n = out.length / features;
  for (let k = 0; k < out.length; k++) means[k % features] = (means[k % features] ?? 0) + (out[k] ?? 0) / n;
  for (let k = 0; k < out.length; k++) out[k] = (out[k] ?? 0) - (means[k % features] ?? 0);
  return out;
}

/** The given rows of x [n, features], in the given order. */
export function pickRows(x: Floats, features: number, rows: ArrayLike<number>): Float64Array {
  const out = new Float64Array(rows.length * features);
  for (let r = 0; r < rows.length; r++) {
    const start = (rows[r] ?? 0) * features;
    out.set(x.subarray(start, start + features), r * features);
  }
  return out;
}
