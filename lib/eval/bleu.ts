/** BLEU, to the digit as sacreBLEU computes it. */
import {CrossmapError} from '../errors.js';
import {bleuWords, type BleuTokenizer} from './bleu-tokenizers.js';
import {countMatches, countNgrams, mostOf, total} from './ngrams.js';
import {formatFixed} from './python-text.js';
import {scoreVersion} from './score-version.js';
import type {TextMetric, TextScore, Translated} from './text-metric.js';

/**
 * What an order without a match counts as: `exp` half of the last such order's share, from half a match on; `floor` `value` matches;
 * `add-k` every order above 1 has `value` matches more; `none` nothing, and then the score is 0.
 */
export type Smoothing = 'exp' | 'floor' | 'add-k' | 'none';

/** Options of BLEU; the defaults are those of sacreBLEU. */
export interface BleuOptions {
  /** Default `13a`. */
  readonly tokenizer?: BleuTokenizer;
  /** Default `exp`. */
  readonly smoothing?: Smoothing;
  /** Of `floor` (default 0.1) and `add-k` (default 1). */
  readonly smoothingValue?: number;
  /** Longest n-grams that count; default 4. */
  readonly maxOrder?: number;
  /** Orders for which the hypothesis is too short are left out: for single sentences. Default false. */
  readonly effectiveOrder?: boolean;
  /** Default false. */
  readonly lowercase?: boolean;
}

/** BLEU, and what it is made of. */
export interface BleuScore extends TextScore {
  /** [maxOrder] n-grams of the hypotheses that a reference has. */
  readonly matches: readonly number[];
  /** [maxOrder] n-grams of the hypotheses. */
  readonly totals: readonly number[];
  /** [maxOrder] in percent, smoothed. */
  readonly precisions: readonly number[];
  /** Factor of the score, 0 to 1: below 1 where the hypotheses are shorter than their references. */
  readonly brevityPenalty: number;
  /** Words. */
  readonly hypothesisLength: number;
  /** Words of the references that are closest in length. */
  readonly referenceLength: number;
}

const defaultValues: {readonly [K in Smoothing]: number | undefined} = {
  exp: undefined,
  floor: 0.1,
  'add-k': 1,
  none: undefined,
};

/**
 * BLEU with the settings given: geometric mean of n-gram precisions times a penalty for brevity.
 *
 * @throws ERR_ARGUMENT for a maxOrder that is no whole number of at least 1
 * @see Papineni et al. 2002, doi:10.3115/1073083.1073135; Post 2018, arXiv:1804.08771, for tokenizers and signature; Chen and Cherry 2014,
 *   doi:10.3115/v1/W14-3346, for smoothing
 */
export function bleu(options: BleuOptions = {}): TextMetric<BleuScore> {
  const {
    tokenizer = '13a',
    smoothing = 'exp',
    maxOrder = 4,
    effectiveOrder = false,
    lowercase = false,
  } = options;
  if (!Number.isSafeInteger(maxOrder) || maxOrder < 1)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `bleu: maxOrder must be a whole number of at least 1; got ${maxOrder}`,
    );
  const {smoothingValue = defaultValues[smoothing]} = options;
  const settings = {tokenizer, smoothing, smoothingValue, maxOrder, effectiveOrder, lowercase};
  return {
    statistics: (sentence) => statisticsOf(sentence, settings),
    scoreOf(sums, references) {
      const score = scoreOf(sums, settings);
      const signature = signatureOf(settings, references);
      return {name: 'BLEU', signature, ...score, text: textOf(score, signature)};
    },
  };
}

interface Settings extends Required<Omit<BleuOptions, 'smoothingValue'>> {
  readonly smoothingValue: number | undefined;
}

/** Lengths of hypothesis and closest reference, then matches and totals of each order. */
function statisticsOf(
  {hypothesis, references}: Translated,
  {tokenizer, lowercase, maxOrder}: Settings,
): number[] {
  const wordsOf = (text: string): string[] => bleuWords(lowercase ? text.toLowerCase() : text, tokenizer);
  const words = wordsOf(hypothesis);
  const referenceWords = references.map(wordsOf);
  const orders = Array.from({length: maxOrder}, (_, index) => index + 1).map((n) => {
    const counts = countNgrams(words, n, ' ');
    return {
      matches: countMatches(counts, mostOf(referenceWords.map((each) => countNgrams(each, n, ' ')))),
      total: total(counts),
    };
  });
  return [
    words.length,
    closestLength(
      words.length,
      referenceWords.map((each) => each.length),
    ),
    ...orders.map(({matches}) => matches),
    ...orders.map((order) => order.total),
  ];
}

/** Of two that are equally close the shorter. */
function closestLength(length: number, lengths: readonly number[]): number {
  const [first = 0] = lengths;
  return lengths.reduce((closest, each) => {
    const further = Math.abs(each - length) - Math.abs(closest - length);
    return further < 0 || (further === 0 && each < closest) ? each : closest;
  }, first);
}

type BareScore = Omit<BleuScore, keyof TextScore> & {readonly score: number};

function scoreOf(sums: readonly number[], settings: Settings): BareScore {
  const {maxOrder} = settings;
  const [hypothesisLength = 0, referenceLength = 0] = sums;
  const matches = sums.slice(2, 2 + maxOrder);
  const totals = sums.slice(2 + maxOrder);
  const brevityPenalty = penaltyOf(hypothesisLength, referenceLength);
  const parts = {matches, totals, brevityPenalty, hypothesisLength, referenceLength};
  if (matches.every((count) => count === 0)) return {...parts, score: 0, precisions: totals.map(() => 0)};
  const {precisions, order} = smoothedPrecisions(matches, totals, settings);
  const logSum = precisions.slice(0, order).reduce((sum, precision) => sum + logOf(precision), 0);
  return {...parts, score: brevityPenalty * Math.exp(logSum / order), precisions};
}

function penaltyOf(hypothesisLength: number, referenceLength: number): number {
  if (hypothesisLength >= referenceLength) return 1;
  return hypothesisLength > 0 ? Math.exp(1 - referenceLength / hypothesisLength) : 0;
}

/** The logarithm of 0 is a number so small that every score with it is 0. */
function logOf(precision: number): number {
  return precision === 0 ? -9_999_999_999 : Math.log(precision);
}

/** @returns precisions in percent, and how many of them count */
function smoothedPrecisions(
  matches: readonly number[],
  totals: readonly number[],
  {smoothing, smoothingValue = 0, effectiveOrder, maxOrder}: Settings,
): {readonly precisions: number[]; readonly order: number} {
  const precisions = totals.map(() => 0);
  let halvings = 1;
  let order = maxOrder;
  for (const index of totals.keys()) {
    const added = smoothing === 'add-k' && index > 0 ? smoothingValue : 0;
    const count = (totals[index] ?? 0) + added;
    const found = (matches[index] ?? 0) + added;
    if (count === 0) break; // the hypotheses are too short for this order and all above
    if (effectiveOrder) order = index + 1;
    if (found > 0) precisions[index] = (100 * found) / count;
    else if (smoothing === 'floor') precisions[index] = (100 * smoothingValue) / count;
    else if (smoothing === 'exp') precisions[index] = 100 / ((halvings *= 2) * count);
  }
  return {precisions, order};
}

function signatureOf(
  {lowercase, effectiveOrder, tokenizer, smoothing, smoothingValue}: Settings,
  references: number | 'var',
): string {
  const value = smoothingValue === undefined ? '' : `[${formatFixed(smoothingValue, 2)}]`;
  return [
    `nrefs:${references}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    `eff:${effectiveOrder ? 'yes' : 'no'}`,
    `tok:${tokenizer}`,
    `smooth:${smoothing}${value}`,
    scoreVersion,
  ].join('|');
}

function textOf(
  {score, precisions, brevityPenalty, hypothesisLength, referenceLength}: BareScore,
  signature: string,
): string {
  const ratio = referenceLength === 0 ? 0 : hypothesisLength / referenceLength;
  return (
    `BLEU|${signature} = ${formatFixed(score, 2)} ${precisions.map((each) => formatFixed(each, 1)).join('/')} ` +
    `(BP = ${formatFixed(brevityPenalty, 3)} ratio = ${formatFixed(ratio, 3)} ` +
    `hyp_len = ${hypothesisLength} ref_len = ${referenceLength})`
  );
}
