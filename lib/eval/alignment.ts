/** Alignment of a language pair over all hidden states, with intervals. */
import {checkPairs, checkVectors, fail} from './alignment-check.js';
import type {LayerVectors, PrepareOptions, TokenCounts} from './alignment-prepare.js';
import {
  centralInterval,
  evenWeights,
  resampleWeights,
  weightedLac,
  type ResampleWeights,
} from './bootstrap.js';
import {unbiasedCka} from './cka.js';
import {distinctPairs} from './distinct-pairs.js';
import {lacOfLayer, mean} from './lac.js';
import {aboveEmbedding, twoFoldPeak} from './alignment-peak.js';
import {meanCosine, mexa} from './mexa.js';
import type {AlignmentFlag, PairAlignment} from './results.js';
import {cosinesOf, foundFirst, marginMisses, meansOf, type EachWay} from './retrieval.js';
import {pickSentences, type Sentences} from './sentences.js';

/** Pooled vectors of n parallel held-out sentences at every hidden state of a model. */
export interface PairVectors {
  /** Language of x. */
  readonly source: string;
  /** Language of y. */
  readonly target: string;
  /** Hidden states 0 (embedding) to layers; or one alone, of embeddings that have no layers. */
  readonly layers: readonly LayerVectors[];
  /** Length of a vector. */
  readonly features: number;
  /** [n] text tokens of each sentence; without them what sentence length explains stays in. */
  readonly counts?: TokenCounts;
  /** [n] the sentences; pairs with a duplicate on either side are then left out. Default: all pairs are distinct. */
  readonly texts?: {readonly x: readonly string[]; readonly y: readonly string[]};
  /** As in `lac`: `feature` (default) or `global`. */
  readonly scale?: 'feature' | 'global';
  /** Of the resampling; pairs with as many sentences and the same seed share their draws. */
  readonly seed: number;
  /** Draws of the intervals; default 1000. */
  readonly draws?: number;
}

/** An alignment with what comparing it with another model's needs. */
export interface MeasuredAlignment {
  /** What `alignPair` gives. */
  readonly alignment: PairAlignment;
  /** Of the draws. */
  readonly seed: number;
  /** [draws] resampled `lac`. */
  readonly draws: Float64Array;
  /** [pairs] of each sentence pair how often its sides find each other first, by cosine: means over layers 1..layers and both directions. */
  readonly precisions: readonly number[];
  /** [pairs] the same of the errors of the margin score. */
  readonly errors: readonly number[];
}

/**
 * Alignment of a language pair: LAC by METHOD section 3 with its interval, and the usual measures beside it.
 *
 * @throws ERR_ARGUMENT on sizes that do not fit, no hidden state, fewer than 8 distinct pairs, values that are
 *   not finite (the message names the hidden state)
 */
export function alignPair(vectors: PairVectors): PairAlignment {
  return measureAlignment(vectors).alignment;
}

/** `alignPair` that keeps the draws, for `compareAlignments`. */
export function measureAlignment(vectors: PairVectors): MeasuredAlignment {
  const {source, target} = vectors;
  const {layers, options, n} = distinctSentences(vectors);
  const weights = resampleWeights(n, vectors.draws ?? 1000, vectors.seed);
  const measured = layers.map((layer) => measureLayer(layer, options, weights));
  const above = aboveEmbedding(measured);
  const draws = meanDraws(above.map((layer) => layer.draws));
  const alignment: PairAlignment = {
    source,
    target,
    pairs: n,
    lacByLayer: measured.map(({lac}) => lac.lac),
    intervalByLayer: measured.map((layer) => centralInterval(layer.draws, [-1, 1])),
    closenessByLayer: measured.map(({lac}) => lac.closeness),
    retrievalByLayer: measured.map(({lac}) => lac.retrieval),
    lac: mean(above.map(({lac}) => lac.lac)),
    interval: centralInterval(draws, [-1, 1]),
    peak: twoFoldPeak({layers, options}, n, vectors.seed),
    precisionAt1: measured.map(({found}) => meansOf(found)),
    marginErrorByLayer: measured.map(({missed}) => meansOf(missed)),
    mexaByLayer: measured.map((layer) => layer.mexa),
    meanCosineByLayer: measured.map((layer) => layer.meanCosine),
    ckaByLayer: measured.map((layer) => layer.cka),
    flags: flagsOf(
      n,
      measured.some(({lac}) => lac.collapsed),
    ),
  };
  const precisions = meanOfPairs(above.map(({found}) => found));
  const errors = meanOfPairs(above.map(({missed}) => missed));
  return {alignment, seed: vectors.seed, draws, precisions, errors};
}

/** The distinct sentences of a pair, after checking that everything fits. */
function distinctSentences(vectors: PairVectors): Sentences & {readonly n: number} {
  const {source, target, layers, texts, features, counts, scale = 'feature', draws = 1000} = vectors;
  const where = `alignPair ${source}-${target}`;
  if (layers.length === 0) fail(where, 'at least one hidden state is needed; got none');
  if (!Number.isSafeInteger(draws) || draws < 1)
    fail(where, `draws must be a whole number >= 1; got ${draws}`);
  const options = {features, scale, ...(counts && {counts})};
  const n = checkVectors(layers, options, where);
  if (texts === undefined) return {layers, options, n};
  for (const side of ['x', 'y'] as const)
    if (texts[side].length !== n)
      fail(where, `texts.${side} must be [${n}], one per sentence; got [${texts[side].length}]`);
  const kept = distinctPairs(texts.x, texts.y);
  checkPairs(kept.length, where);
  return {...pickSentences({layers, options}, kept), n: kept.length};
}

interface MeasuredLayer {
  readonly lac: ReturnType<typeof lacOfLayer>;
  readonly draws: Float64Array;
  readonly found: EachWay;
  readonly missed: EachWay;
  readonly mexa: number;
  readonly meanCosine: number;
  readonly cka: number;
}

function measureLayer(layer: LayerVectors, options: PrepareOptions, weights: ResampleWeights): MeasuredLayer {
  const {n} = weights;
  const lac = lacOfLayer(layer, options);
  const cosines = cosinesOf(layer, options.features);
  return {
    lac,
    draws: shiftedDraws(lac.lac, lac.scores, weights),
    found: foundFirst(cosines, n),
    missed: marginMisses(cosines, n),
    mexa: mexa(cosines, n),
    meanCosine: meanCosine(cosines, n),
    cka: unbiasedCka(layer, options.features),
  };
}

/** Draws of the weighted statistic, moved so that even weights would give LAC itself. */
function shiftedDraws(lac: number, scores: Float64Array, weights: ResampleWeights): Float64Array {
  const shift = lac - (weightedLac(scores, evenWeights(weights.n))[0] ?? 0);
  return weightedLac(scores, weights).map((value) => value + shift);
}

function meanDraws(layers: readonly Float64Array[]): Float64Array {
  const sums = new Float64Array(layers[0]?.length ?? 0);
  for (const draws of layers) draws.forEach((value, b) => (sums[b] = (sums[b] ?? 0) + value / layers.length));
  return sums;
}

/** [pairs] means over layers and both directions. */
function meanOfPairs(layers: readonly EachWay[]): number[] {
  const all = layers.flat();
  return Array.from(all[0] ?? [], (_, pair) => mean(all.map((values) => values[pair] ?? 0)));
}

function flagsOf(n: number, collapsed: boolean): AlignmentFlag[] {
  const flags: AlignmentFlag[] = [];
  if (n < 32) flags.push('tooFewPairs');
  else if (n < 100) flags.push('fewPairs');
  if (collapsed) flags.push('collapsed');
  return flags;
}
