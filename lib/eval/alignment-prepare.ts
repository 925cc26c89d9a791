/** The first half of LAC: what is language, length or scale is taken out of the vectors before they are compared. */
import {centred, norm, unitRows, type Floats} from './matrix.js';

/** Pooled vectors of n parallel sentences at one hidden state. */
export interface LayerVectors {
  /** [n, features] row-major, of the source sentences. */
  readonly x: Floats;
  /** [n, features] row-major, of their translations. */
  readonly y: Floats;
}

/** Text tokens of each sentence, >= 1. */
export interface TokenCounts {
  /** [n] of the source sentences. */
  readonly x: ArrayLike<number>;
  /** [n] of their translations. */
  readonly y: ArrayLike<number>;
}

/** How vectors are prepared before they are compared. */
export interface PrepareOptions {
  /** Length of a vector. */
  readonly features: number;
  /** Default: vectors are centred only, and what sentence length explains stays in. */
  readonly counts?: TokenCounts;
  /** `feature` (default): every feature counts alike; `global`: features keep their scale. */
  readonly scale?: 'feature' | 'global';
}

interface PreparedVectors {
  /** [n, features] unit rows; all zero where the side has collapsed. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** At least one side is the same vector for every sentence, up to what its length explains. */
  readonly collapsed: boolean;
}

// Rounding leaves about 1e-16 of a constant side; anything below 1e-9 of the raw norm is noise of that kind.
const collapsedBelow = 1e-9;
// A feature with less than a millionth of the largest variance is not blown up to count like the others.
const varianceFloor = 1e-6;

/** Residuals of the regression of each feature on [1, log tokens], scaled by feature, rows at unit length. */
export function prepare(
  {x, y}: LayerVectors,
  {features, counts, scale = 'feature'}: PrepareOptions,
): PreparedVectors {
  const sides = [residuals(x, features, counts?.x), residuals(y, features, counts?.y)] as const;
  if (scale === 'feature') scaleFeatures(sides[0].values, sides[1].values, features);
  return {
    x: unitRows(sides[0].values, features),
    y: unitRows(sides[1].values, features),
    collapsed: sides[0].collapsed || sides[1].collapsed,
  };
}

interface Residuals {
  readonly values: Float64Array;
  readonly collapsed: boolean;
}

function residuals(raw: Floats, features: number, counts: ArrayLike<number> | undefined): Residuals {
  const values = centred(raw, features);
  if (counts !== undefined) removeTrend(values, features, logTokens(counts));
  const collapsed = norm(values) <= collapsedBelow * norm(Float64Array.from(raw));
  return {values: collapsed ? new Float64Array(values.length) : values, collapsed};
}

function logTokens(counts: ArrayLike<number>): Float64Array {
  return centred(
    Float64Array.from(counts, (count) => Math.log(count)),
    1,
  );
}

/** Takes away slope × predictor from each feature; both are centred already. */
function removeTrend(values: Float64Array, features: number, predictor: Float64Array): void {
  const n = predictor.length;
  const power = predictor.reduce((sum, p) => sum + p * p, 0);
  if (power <= 1e-20 * n) return; // all lengths are equal, up to rounding: there is no trend to fit
  const slopes = new Float64Array(features);
  for (let i = 0; i < n; i++)
    for (let f = 0; f < features; f++)
      slopes[f] = (slopes[f] ?? 0) + ((predictor[i] ?? 0) * (values[i * features + f] ?? 0)) / power;
  for (let i = 0; i < n; i++)
    for (let f = 0; f < features; f++) {
      const k = i * features + f;
      values[k] = (values[k] ?? 0) - (predictor[i] ?? 0) * (slopes[f] ?? 0);
    }
}

function scaleFeatures(x: Float64Array, y: Float64Array, features: number): void {
  const variances = new Float64Array(features);
  const n = x.length / features;
  for (let k = 0; k < x.length; k++) {
    const f = k % features;
    variances[f] = (variances[f] ?? 0) + ((x[k] ?? 0) ** 2 + (y[k] ?? 0) ** 2) / (2 * n);
  }
  const floor = varianceFloor * variances.reduce((largest, v) => Math.max(largest, v), 0);
  if (floor === 0) return; // both sides have collapsed
  const scales = variances.map((v) => 1 / Math.sqrt(Math.max(v, floor)));
  for (let k = 0; k < x.length; k++) {
    const s = scales[k % features] ?? 0;
    x[k] = (x[k] ?? 0) * s;
    y[k] = (y[k] ?? 0) * s;
  }
}
