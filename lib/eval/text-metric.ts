/** What BLEU and chrF share: a score of sums over sentences, so that any set of sentences has one. */
import {CrossmapError} from '../errors.js';
import {createRandom} from './random.js';

/** A score, 0 to 100, and how it came about. */
export interface TextScore {
  /** As in sacreBLEU's output: `BLEU`, `chrF2`, `chrF2++`. */
  readonly name: string;
  /** 0 to 100. */
  readonly score: number;
  /** Every option that changes the score; two scores compare only where their signatures are the same. */
  readonly signature: string;
  /** The line that sacreBLEU prints, with two digits. */
  readonly text: string;
}

/** A translation and what it is measured against. */
export interface Translated {
  /** A translation that is scored. */
  readonly hypothesis: string;
  /** At least one. */
  readonly references: readonly string[];
}

/** A metric whose score follows from sums of the sentences' statistics. */
export interface TextMetric<Score extends TextScore = TextScore> {
  /** Counts of one sentence; always the same number of them. */
  statistics(sentence: Translated): readonly number[];
  /**
   * The score of a whole corpus, from its counts.
   *
   * @param sums statistics, added up
   * @param references of each sentence, or `var` where their number differs
   */
  scoreOf(sums: readonly number[], references: number | 'var'): Score;
}

/** The score of all sentences together. @throws ERR_ARGUMENT without a sentence, or for one without reference */
export function corpusScore<Score extends TextScore>(
  metric: TextMetric<Score>,
  sentences: readonly Translated[],
): Score {
  checkSentences(sentences);
  return metric.scoreOf(sumOf(sentences.map((each) => metric.statistics(each))), referenceCount(sentences));
}

/** How sure a score is, from sentences drawn again with replacement. */
export interface ScoreInterval {
  /** Mean over the draws. */
  readonly mean: number;
  /** Half the width of the central 95 % of the draws. */
  readonly halfWidth: number;
}

/** How sentences are drawn. */
export interface DrawOptions {
  /** Default 1000. */
  readonly draws?: number;
  /** Default 12345. */
  readonly seed?: number;
}

/**
 * The interval as sacreBLEU computes it, from our own random numbers.
 *
 * @throws ERR_ARGUMENT
 */
export function scoreInterval(
  metric: TextMetric,
  sentences: readonly Translated[],
  options: DrawOptions = {},
): ScoreInterval {
  checkSentences(sentences);
  const scores = drawnScores(metric, [sentences], options).map(([score = 0]) => score);
  return {mean: meanOf(scores), halfWidth: halfWidthOf(scores)};
}

/** Two systems on the same sentences. */
export interface ScoreComparison {
  /** Score of the second less that of the first. */
  readonly difference: number;
  /** Central 95 % of the differences over the draws. */
  readonly interval: readonly [low: number, high: number];
  /**
   * How likely a difference of this size is where there is none, as sacreBLEU computes it: share of the draws whose absolute difference,
   * less the mean of these, exceeds that of all sentences. The sentences themselves count as a draw, so it is never 0.
   */
  readonly pValue: number;
}

/**
 * Paired bootstrap: both systems are scored on the same draws.
 *
 * @throws ERR_ARGUMENT where the systems do not have the same sentences to translate
 * @see Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation"
 */
export function compareScores(
  metric: TextMetric,
  [first, second]: readonly [readonly Translated[], readonly Translated[]],
  options: DrawOptions = {},
): ScoreComparison {
  const drawn = differenceDraws(metric, [first, second], options);
  const difference = corpusScore(metric, second).score - corpusScore(metric, first).score;
  const distances = drawn.map(Math.abs);
  const mean = meanOf(distances);
  const further = distances.filter((each) => each - mean > Math.abs(difference)).length;
  const [low, high] = centralOf(drawn);
  return {difference, interval: [low, high], pValue: (further + 1) / (drawn.length + 1)};
}

/** [draws] score of the second system less that of the first. @throws as `compareScores` */
export function differenceDraws(
  metric: TextMetric,
  [first, second]: readonly [readonly Translated[], readonly Translated[]],
  options: DrawOptions = {},
): number[] {
  checkSentences(first);
  if (first.length !== second.length)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `compareScores: both must have the same sentences; got ${first.length} and ${second.length}`,
    );
  return drawnScores(metric, [first, second], options).map(([a = 0, b = 0]) => b - a);
}

/** [draws][systems] scores of sentences that are drawn with replacement, the same ones for all systems. */
function drawnScores(
  metric: TextMetric,
  systems: readonly (readonly Translated[])[],
  {draws = 1000, seed = 12_345}: DrawOptions,
): number[][] {
  if (!Number.isSafeInteger(draws) || draws < 1)
    throw new CrossmapError('ERR_ARGUMENT', `draws must be a whole number of at least 1; got ${draws}`);
  const random = createRandom(seed);
  const statistics = systems.map((sentences) => sentences.map((each) => metric.statistics(each)));
  const count = systems[0]?.length ?? 0;
  const references = referenceCount(systems[0] ?? []);
  return Array.from({length: draws}, () => {
    const drawn = Array.from({length: count}, () => random.below(count));
    return statistics.map(
      (each) => metric.scoreOf(sumOf(drawn.map((at) => each[at] ?? [])), references).score,
    );
  });
}

function sumOf(statistics: readonly (readonly number[])[]): number[] {
  const sums = Array.from(statistics[0] ?? [], () => 0);
  for (const each of statistics) for (const [at, value] of each.entries()) sums[at] = (sums[at] ?? 0) + value;
  return sums;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What is left without the 1/40 of the values at each end. */
function centralOf(values: readonly number[]): readonly [low: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const cut = Math.floor(sorted.length / 40);
  return [sorted[cut] ?? NaN, sorted[sorted.length - cut - 1] ?? NaN];
}

function halfWidthOf(values: readonly number[]): number {
  const [low, high] = centralOf(values);
  return (high - low) / 2;
}

function referenceCount(sentences: readonly Translated[]): number | 'var' {
  const counts = new Set(sentences.map(({references}) => references.length));
  const [count = 0] = counts;
  return counts.size > 1 ? 'var' : count;
}

/** @throws ERR_ARGUMENT without a sentence, or for one without reference */
export function checkSentences(sentences: readonly Translated[]): void {
  if (sentences.length === 0) throw new CrossmapError('ERR_ARGUMENT', 'a score needs at least one sentence');
  const without = sentences.findIndex(({references}) => references.length === 0);
  if (without !== -1)
    throw new CrossmapError('ERR_ARGUMENT', `sentence ${without} has no reference to be measured against`);
}
