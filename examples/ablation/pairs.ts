/** Sentence pairs of the experiment, and partners that do not belong together. */
import {orderByHash} from './hash-order.js';

export interface Pair {
  /** What it was cut from: `CORPUS/DOCUMENT`. */
  readonly document: string;
  readonly source: string;
  readonly target: string;
}

/** Pairs whose partners change places, at most. */
const binSize = 50;

/**
 * The same sentences with other partners of about the same length, so that neither length nor text tells them from true pairs. No
 * pair keeps its partner, unless there is one alone.
 */
export function shufflePartners(pairs: readonly Pair[]): Pair[] {
  const byLength = orderByHash(pairs, 'ties', keyOfPair).sort((a, b) => a.target.length - b.target.length);
  const shuffled: Pair[] = [];
  for (let start = 0; start < byLength.length; start += binSize) {
    // The last bin takes up what would be too few to change places.
    const end = byLength.length - start < 2 * binSize ? byLength.length : start + binSize;
    const bin = orderByHash(byLength.slice(start, end), 'partners', keyOfPair);
    for (const [index, pair] of bin.entries())
      shuffled.push({...pair, target: bin[(index + 1) % bin.length]?.target ?? ''});
    if (end === byLength.length) break;
  }
  return orderByHash(shuffled, 'order', keyOfPair);
}

/** What a pair is ordered by. */
export function keyOfPair({source, target}: Pair): string {
  return `${source}\t${target}`;
}

/** Tab-separated lines. */
export function pairLines(pairs: readonly Pair[]): string {
  return pairs.map(({source, target}) => `${source}\t${target}\n`).join('');
}
