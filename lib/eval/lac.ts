/** The Language Alignment Coefficient of one hidden state, crossmap definition. */
import {prepare, type LayerVectors, type PrepareOptions} from './alignment-prepare.js';
import {checkVectors} from './alignment-check.js';
import {rowProducts} from './matrix.js';
import {countRivals, winTable, type RivalCounts} from './rivals.js';

/** Sizes of the choice, partner included, that R averages over: one to five bits of identity. */
export const choiceSizes: readonly number[] = [2, 4, 8, 16, 32];

/** LAC of one hidden state, with what it is made of. */
export interface Lac {
  /** Mean of closeness and retrieval, in [-1, 1]: 0 for chance, 1 for perfect. */
  readonly lac: number;
  /** How much closer partners are than pairs at random, as a share of what is possible. */
  readonly closeness: number;
  /** How many of five bits of a sentence's identity can be read off its translation, as a share. */
  readonly retrieval: number;
  /** r_m for each m of `choiceSizes` that is at most n: chance-corrected probability of picking the partner out of m. */
  readonly retrievalByChoice: readonly number[];
  /** Whether a side is the same vector for every sentence, up to what its length explains. */
  readonly collapsed: boolean;
  /** [n, n] cosines of the prepared vectors. */
  readonly scores: Float64Array;
}

/**
 * LAC of n parallel sentences at one hidden state: 0 for chance and 1 for perfect, whatever n is, with no credit for
 * anisotropy, language offset or sentence length. Symmetric in x and y. Duplicates should be taken out first (`distinctPairs`).
 *
 * @returns all zeros where a side has collapsed
 * @throws ERR_ARGUMENT on sizes that do not fit, fewer than 8 sentences, token counts below 1, values that are not finite
 */
export function lac(vectors: LayerVectors, options: PrepareOptions): Lac {
  checkVectors([vectors], options, 'lac');
  return lacOfLayer(vectors, options);
}

/** `lac` for vectors that have been checked. */
export function lacOfLayer(vectors: LayerVectors, options: PrepareOptions): Lac {
  const {x, y, collapsed} = prepare(vectors, options);
  const n = x.length / options.features;
  const scores = rowProducts(x, y, options.features);
  const closeness = closenessOf(scores, n);
  const retrievalByChoice = retrievalByChoiceOf(scores, n);
  const retrieval = mean(retrievalByChoice);
  return {lac: (closeness + retrieval) / 2, closeness, retrieval, retrievalByChoice, collapsed, scores};
}

function closenessOf(scores: Float64Array, n: number): number {
  let [own, all] = [0, 0];
  for (let i = 0; i < n; i++) own += (scores[i * n + i] ?? 0) / n;
  for (const score of scores) all += score / (n * n);
  return closenessFrom(own, all);
}

/** C from the mean score of partners and the mean score of all pairs. */
export function closenessFrom(own: number, all: number): number {
  return all < 1 ? Math.max(-1, (own - all) / (1 - all)) : 0;
}

function retrievalByChoiceOf(scores: Float64Array, n: number): number[] {
  const axes = [countRivals(scores, n, 'rows'), countRivals(scores, n, 'columns')];
  return choiceSizes
    .filter((m) => m <= n)
    .map((m) => {
      const win = winTable(n, m - 1);
      const p = mean(axes.map((counts) => meanWin(counts, win)));
      return (p - 1 / m) / (1 - 1 / m);
    });
}

function meanWin({above, tied}: RivalCounts, win: (above: number, tied: number) => number): number {
  let sum = 0;
  for (let i = 0; i < above.length; i++) sum += win(above[i] ?? 0, tied[i] ?? 0);
  return sum / above.length;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
