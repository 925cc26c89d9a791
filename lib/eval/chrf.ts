/** chrF and chrF++, to the digit as sacreBLEU computes them. */
import {CrossmapError} from '../errors.js';
import {countMatches, countNgrams, total, type NgramCounts} from './ngrams.js';
import {formatFixed, splitWords, withoutSpaces} from './python-text.js';
import {scoreVersion} from './score-version.js';
import type {TextMetric, Translated} from './text-metric.js';

/** Options of chrF; the defaults are those of sacreBLEU. */
export interface ChrfOptions {
  /** Longest n-grams of code points; default 6. */
  readonly characterOrder?: number;
  /** Longest n-grams of words: 0, the default, is chrF, 2 is chrF++. */
  readonly wordOrder?: number;
  /** How many times as much as precision recall counts; default 2. */
  readonly beta?: number;
  /** Default false. */
  readonly lowercase?: boolean;
  /** White space counts as characters; default false. */
  readonly whitespace?: boolean;
  /** The mean of the orders' F-scores, as chrF++.py, NLTK and Moses have it; default false. */
  readonly epsSmoothing?: boolean;
}

/**
 * chrF with the settings given: F-score of the mean precision and recall over all orders that both sides are long enough for.
 *
 * @throws ERR_ARGUMENT for orders that are no whole numbers of at least 0, or both 0; for a beta that is not above 0
 * @see Popović 2015, doi:10.18653/v1/W15-3049; Popović 2017, doi:10.18653/v1/W17-4770
 */
export function chrf(options: ChrfOptions = {}): TextMetric {
  const {
    characterOrder = 6,
    wordOrder = 0,
    beta = 2,
    lowercase = false,
    whitespace = false,
    epsSmoothing = false,
  } = options;
  const settings = {characterOrder, wordOrder, beta, lowercase, whitespace, epsSmoothing};
  checkSettings(settings);
  return {
    statistics: (sentence) => statisticsOf(sentence, settings),
    scoreOf(sums, references) {
      const score = fScore(sums, settings);
      const name = `chrF${beta}${'+'.repeat(wordOrder)}`;
      const signature = signatureOf(settings, references);
      return {name, score, signature, text: `${name}|${signature} = ${formatFixed(score, 2)}`};
    },
  };
}

type Settings = Required<ChrfOptions>;

function checkSettings({characterOrder, wordOrder, beta}: Settings): void {
  const isOrder = (order: number): boolean => Number.isSafeInteger(order) && order >= 0;
  if (!isOrder(characterOrder) || !isOrder(wordOrder) || characterOrder + wordOrder === 0)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `chrf: orders must be whole numbers, not both 0; got ${characterOrder} and ${wordOrder}`,
    );
  if (!(beta > 0)) throw new CrossmapError('ERR_ARGUMENT', `chrf: beta must be above 0; got ${beta}`);
}

/** For each order how many n-grams the hypothesis has, the reference has, and both have; of the reference with the best F-score. */
function statisticsOf({hypothesis, references}: Translated, settings: Settings): readonly number[] {
  const own = ngramsOf(hypothesis, settings);
  const each = references.map((reference) => compared(own, ngramsOf(reference, settings)));
  const scores = each.map((statistics) => fScore(statistics, settings));
  return each[scores.indexOf(Math.max(...scores))] ?? [];
}

/** Of all orders: characters, then words. */
function ngramsOf(text: string, {characterOrder, wordOrder, lowercase, whitespace}: Settings): NgramCounts[] {
  const cased = lowercase ? text.toLowerCase() : text;
  const characters = Array.from(whitespace ? cased : withoutSpaces(cased));
  const words = splitWords(cased).flatMap(withoutPunctuation);
  return [
    ...Array.from({length: characterOrder}, (_, index) => countNgrams(characters, index + 1, '')),
    ...Array.from({length: wordOrder}, (_, index) => countNgrams(words, index + 1, ' ')),
  ];
}

const punctuation = /[!-/:-@[-`{-~]/u;

/** One mark of punctuation, at the end or else at the start, is a word of its own. */
function withoutPunctuation(word: string): string[] {
  const characters = Array.from(word);
  const [first = ''] = characters;
  const last = characters.at(-1) ?? '';
  if (characters.length === 1) return [word];
  if (punctuation.test(last)) return [word.slice(0, -1), last];
  return punctuation.test(first) ? [first, word.slice(1)] : [word];
}

function compared(own: readonly NgramCounts[], reference: readonly NgramCounts[]): number[] {
  return own.flatMap((counts, order) => {
    const other = reference[order] ?? new Map<string, number>();
    // Without a reference long enough the n-grams of the hypothesis are no mistakes.
    return [other.size > 0 ? total(counts) : 0, total(other), countMatches(counts, other)];
  });
}

/** @returns 0 to 100 */
function fScore(sums: readonly number[], {beta, epsSmoothing}: Settings): number {
  const orders = Array.from({length: sums.length / 3}, (_, order) => {
    const [own = 0, reference = 0, matches = 0] = sums.slice(3 * order, 3 * order + 3);
    return {own, reference, matches};
  });
  if (epsSmoothing) return smoothedScore(orders, beta);
  const counted = orders.filter(({own, reference}) => own > 0 && reference > 0);
  if (counted.length === 0) return 0;
  const precision = counted.reduce((sum, {matches, own}) => sum + matches / own, 0) / counted.length;
  const recall = counted.reduce((sum, {matches, reference}) => sum + matches / reference, 0) / counted.length;
  if (precision + recall === 0) return 0;
  return 100 * (((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall));
}

interface Order {
  readonly own: number;
  readonly reference: number;
  readonly matches: number;
}

function smoothedScore(orders: readonly Order[], beta: number): number {
  const eps = 1e-16;
  const scores = orders.map(({own, reference, matches}) => {
    const precision = own > 0 ? matches / own : eps;
    const recall = reference > 0 ? matches / reference : eps;
    const sum = beta ** 2 * precision + recall;
    return sum > 0 ? ((1 + beta ** 2) * precision * recall) / sum : eps;
  });
  return (100 * scores.reduce((sum, score) => sum + score, 0)) / orders.length;
}

function signatureOf(
  {lowercase, epsSmoothing, characterOrder, wordOrder, whitespace}: Settings,
  references: number | 'var',
): string {
  return [
    `nrefs:${references}`,
    `case:${lowercase ? 'lc' : 'mixed'}`,
    `eff:${epsSmoothing ? 'no' : 'yes'}`,
    `nc:${characterOrder}`,
    `nw:${wordOrder}`,
    `space:${whitespace ? 'yes' : 'no'}`,
    scoreVersion,
  ].join('|');
}
