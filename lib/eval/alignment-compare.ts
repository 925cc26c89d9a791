/** Two models, or many language pairs, side by side. */
import {fail} from './alignment-check.js';
import type {MeasuredAlignment} from './alignment.js';
import {centralInterval, type Interval} from './bootstrap.js';
import {mean} from './lac.js';
import type {PairAlignment} from './results.js';

/** How the LAC of a second model differs from that of a first. */
export interface AlignmentDifference {
  /** `second.lac - first.lac`. */
  readonly difference: number;
  /** 95 % interval of the difference. */
  readonly interval: Interval;
  /** `undecided` as long as the interval holds 0. */
  readonly better: 'first' | 'second' | 'undecided';
}

/**
 * Difference in LAC of two models on the same sentences, both measured with the same seed and number of draws, so that
 * each draw weighs the sentences of both alike.
 *
 * @throws ERR_ARGUMENT when the two were not measured on the same draws
 */
export function compareAlignments(first: MeasuredAlignment, second: MeasuredAlignment): AlignmentDifference {
  const [a, b] = [first, second].map(
    ({alignment, seed, draws}) =>
      `${alignment.source}-${alignment.target}, ${alignment.pairs} pairs, seed ${seed}, ${draws.length} draws`,
  );
  if (a !== b) fail('compareAlignments', `both must be measured on the same draws; got ${a} and ${b}`);
  const draws = second.draws.map((value, d) => value - (first.draws[d] ?? 0));
  const interval = centralInterval(draws, [-2, 2]);
  const better = interval[0] > 0 ? 'second' : interval[1] < 0 ? 'first' : 'undecided';
  return {difference: second.alignment.lac - first.alignment.lac, interval, better};
}

/** Over language pairs: the plain mean and the minimum of `lac`. */
export function summarizeAlignment(pairs: readonly PairAlignment[]): {mean: number; minimum: number} {
  const values = pairs.map(({lac}) => lac);
  return {mean: mean(values), minimum: Math.min(...values)};
}
