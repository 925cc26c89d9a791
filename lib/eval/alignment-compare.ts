/** Two models, or many language pairs, side by side. */
import {fail} from './alignment-check.js';
import type {MeasuredAlignment} from './alignment.js';
import {centralInterval, type Interval} from './bootstrap.js';
import {mean} from './lac.js';
import type {PairAlignment} from './results.js';
import {pairedMeanDraws} from './intervals.js';

/** How a measure of a second model differs from that of a first. */
export interface MeasureDifference {
  /** That of the second less that of the first. */
  readonly difference: number;
  /** 95 % interval of the difference. */
  readonly interval: Interval;
  /** `undecided` as long as the interval holds 0. */
  readonly better: 'first' | 'second' | 'undecided';
}

/** How the alignment of a second model differs from that of a first: LAC, and what stands beside it, from the same draws. */
export interface AlignmentDifference extends MeasureDifference {
  /** Means over layers 1..layers and both directions. */
  readonly precisionAt1: MeasureDifference;
  /** The same of the errors of the margin score, of which fewer are better. */
  readonly marginError: MeasureDifference;
}

/**
 * Difference of two models on the same sentences, both measured with the same seed and number of draws, so that each draw weighs the
 * sentences of both alike.
 *
 * @throws ERR_ARGUMENT when the two were not measured on the same draws
 */
export function compareAlignments(first: MeasuredAlignment, second: MeasuredAlignment): AlignmentDifference {
  const [a, b] = [first, second].map(
    ({alignment, seed, draws}) =>
      `${alignment.source}-${alignment.target}, ${alignment.pairs} pairs, seed ${seed}, ${draws.length} draws`,
  );
  if (a !== b) fail('compareAlignments', `both must be measured on the same draws; got ${a} and ${b}`);
  return {
    ...differenceOf(
      second.alignment.lac - first.alignment.lac,
      second.draws.map((value, d) => value - (first.draws[d] ?? 0)),
    ),
    precisionAt1: ofSentences('precisions', first, second),
    marginError: mirrored(ofSentences('errors', first, second)),
  };
}

/** Of a measure of which more is better. */
function differenceOf(difference: number, draws: Float64Array): MeasureDifference {
  const interval = centralInterval(draws, [-2, 2]);
  const better = interval[0] > 0 ? 'second' : interval[1] < 0 ? 'first' : 'undecided';
  return {difference, interval, better};
}

/** The same seed draws the sentences that LAC weighs. */
function ofSentences(
  measure: 'precisions' | 'errors',
  first: MeasuredAlignment,
  second: MeasuredAlignment,
): MeasureDifference {
  const [a, b] = [first[measure], second[measure]];
  const settings = {draws: first.draws.length, seed: first.seed};
  return differenceOf(mean(b) - mean(a), pairedMeanDraws([a, b], settings));
}

/** The same numbers where less is better. */
function mirrored({better, ...rest}: MeasureDifference): MeasureDifference {
  const opposite = {first: 'second', second: 'first', undecided: 'undecided'} as const;
  return {...rest, better: opposite[better]};
}

/** Over language pairs: the plain mean and the minimum of `lac`. */
export function summarizeAlignment(pairs: readonly PairAlignment[]): {mean: number; minimum: number} {
  const values = pairs.map(({lac}) => lac);
  return {mean: mean(values), minimum: Math.min(...values)};
}
