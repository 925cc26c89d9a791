/** Intervals for LAC: the scores stay, the sentences are weighted as if they had been drawn again. */
import {choiceSizes, closenessFrom} from './lac.js';
import {createRandom} from './random.js';
import {isAbove} from './rivals.js';

/** Draws of a resampling; the same n, draws and seed give the same weights. */
export interface ResampleWeights {
  readonly n: number;
  readonly draws: number;
  /** [n, draws] how often each sentence occurs in each draw; every draw sums to n. */
  readonly values: Float64Array;
}

/** Both ends belong to it. */
export type Interval = readonly [low: number, high: number];

/** Multinomial weights: each draw takes n sentences with replacement. */
export function resampleWeights(n: number, draws: number, seed: number): ResampleWeights {
  const random = createRandom(seed);
  const values = new Float64Array(n * draws);
  for (let b = 0; b < draws; b++)
    for (let t = 0; t < n; t++) {
      const k = random.below(n) * draws + b;
      values[k] = (values[k] ?? 0) + 1;
    }
  return {n, draws, values};
}

/** The one draw in which every sentence occurs once. */
export function evenWeights(n: number): ResampleWeights {
  return {n, draws: 1, values: new Float64Array(n).fill(1)};
}

/**
 * The weighted statistic of LAC for each draw, in which a sentence drawn twice is never its own rival.
 *
 * @param scores [n, n] cosines of the prepared vectors
 * @returns [draws]
 */
export function weightedLac(scores: Float64Array, weights: ResampleWeights): Float64Array {
  const closeness = weightedCloseness(scores, weights);
  const rows = weightedRetrieval(scores, weights, 'rows');
  const columns = weightedRetrieval(scores, weights, 'columns');
  return closeness.map((c, b) => (c + ((rows[b] ?? 0) + (columns[b] ?? 0)) / 2) / 2);
}

function weightedCloseness(scores: Float64Array, {n, draws, values}: ResampleWeights): Float64Array {
  const own = new Float64Array(draws);
  const others = new Float64Array(draws);
  const squares = new Float64Array(draws);
  const rivals = new Float64Array(draws);
  for (let i = 0; i < n; i++) {
    const w = values.subarray(i * draws, (i + 1) * draws);
    const partner = scores[i * n + i] ?? 0;
    rivals.fill(0);
    // Each unordered pair once: w_i w_j (S_ij + S_ji).
    addScaled(rivals, values, i + 1, n, (j) => (scores[i * n + j] ?? 0) + (scores[j * n + i] ?? 0));
    for (let b = 0; b < draws; b++) {
      const weight = w[b] ?? 0;
      own[b] = (own[b] ?? 0) + weight * partner;
      others[b] = (others[b] ?? 0) + weight * (rivals[b] ?? 0);
      squares[b] = (squares[b] ?? 0) + weight * weight;
    }
  }
  return own.map((sum, b) => {
    const d = sum / n;
    const pairs = n * n - (squares[b] ?? 0);
    const o = pairs > 0 ? (others[b] ?? 0) / pairs : 0;
    return closenessFrom(d, (d + (n - 1) * o) / n);
  });
}

/** out += sum over j in [from, to) of factor(j) × row j of values [rows, out.length]; four rows in each sweep over out. */
function addScaled(
  out: Float64Array,
  values: Float64Array,
  from: number,
  to: number,
  factor: (j: number) => number,
): void {
  const width = out.length;
  for (let j = from; j < to; j += 4) {
    const f0 = factor(j);
    const f1 = j + 1 < to ? factor(j + 1) : 0;
    const f2 = j + 2 < to ? factor(j + 2) : 0;
    const f3 = j + 3 < to ? factor(j + 3) : 0;
    const r0 = j * width;
    const r1 = Math.min(j + 1, to - 1) * width;
    const r2 = Math.min(j + 2, to - 1) * width;
    const r3 = Math.min(j + 3, to - 1) * width;
    for (let b = 0; b < width; b++)
      out[b] =
        (out[b] ?? 0) +
        f0 * (values[r0 + b] ?? 0) +
        f1 * (values[r1 + b] ?? 0) +
        f2 * (values[r2 + b] ?? 0) +
        f3 * (values[r3 + b] ?? 0);
  }
}

/** Mean over m of (p_m - 1/m) / (1 - 1/m), p_m the weighted mean of (1 - a)^(m - 1), a the share of rivals that score higher. */
function weightedRetrieval(
  scores: Float64Array,
  {n, draws, values}: ResampleWeights,
  axis: 'rows' | 'columns',
): Float64Array {
  const sizes = choiceSizes.filter((m) => m <= n);
  const out = new Float64Array(draws);
  const beaten = new Float64Array(draws);
  const [own, step] = axis === 'rows' ? [n, 1] : [1, n];
  for (let i = 0; i < n; i++) {
    const partner = scores[i * n + i] ?? 0;
    const above: number[] = [];
    for (let j = 0; j < n; j++) if (isAbove(scores[i * own + j * step] ?? 0, partner)) above.push(j);
    beaten.fill(0);
    addRows(beaten, values, above);
    for (let b = 0; b < draws; b++) {
      const weight = values[i * draws + b] ?? 0;
      if (weight === 0) continue;
      const share = n > weight ? (beaten[b] ?? 0) / (n - weight) : 0;
      out[b] = (out[b] ?? 0) + (weight / n) * meanChoice(1 - share, sizes);
    }
  }
  return out;
}

function addRows(out: Float64Array, values: Float64Array, rows: readonly number[]): void {
  const width = out.length;
  for (let k = 0; k + 4 <= rows.length; k += 4) {
    const r0 = (rows[k] ?? 0) * width;
    const r1 = (rows[k + 1] ?? 0) * width;
    const r2 = (rows[k + 2] ?? 0) * width;
    const r3 = (rows[k + 3] ?? 0) * width;
    for (let b = 0; b < width; b++)
      out[b] =
        (out[b] ?? 0) +
        ((values[r0 + b] ?? 0) + (values[r1 + b] ?? 0)) +
        ((values[r2 + b] ?? 0) + (values[r3 + b] ?? 0));
  }
  for (const row of rows.slice(rows.length - (rows.length % 4)))
    for (let b = 0; b < width; b++) out[b] = (out[b] ?? 0) + (values[row * width + b] ?? 0);
}

/** (chance^(m - 1) - 1/m) / (1 - 1/m), averaged over the sizes m, which are successive powers of two from 2 on. */
function meanChoice(chance: number, sizes: readonly number[]): number {
  let sum = 0;
  let power = chance; // chance^(m - 1)
  for (const m of sizes) {
    sum += (power - 1 / m) / (1 - 1 / m);
    power = power * power * chance;
  }
  return sum / sizes.length;
}

/**
 * Central 95 % of the draws, clipped to the range that the statistic can take.
 *
 * @param draws [draws], in any order
 */
export function centralInterval(draws: Float64Array, [lowest, highest]: Interval): Interval {
  const sorted = Float64Array.from(draws).sort();
  const clip = (value: number): number => Math.min(highest, Math.max(lowest, value));
  return [clip(quantile(sorted, 0.025)), clip(quantile(sorted, 0.975))];
}

/** Linear between order statistics. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const low = sorted[below] ?? 0;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? 0;
  return low + (high - low) * (position - below);
}
