/** Groups of pairs over several micro-batches, whose own groups are numbered each for itself. */
import type {Batch} from '../data/batch.js';

/**
 * [pairs] the pairs of all batches, one after the other: those that share a text on either side, directly or through other pairs, are
 * one group, as within a batch. Texts are the same where their tokens are.
 */
export function groupsOfStep(batches: readonly Batch[]): Int32Array {
  const texts = batches.flatMap(textsOfPairs);
  const groups = Int32Array.from(texts, (_, pair) => pair);
  const firstWith = new Map<string, number>();
  for (const [pair, sides] of texts.entries())
    for (const text of sides) {
      const first = rootOf(groups, firstWith.get(text) ?? pair);
      const own = rootOf(groups, pair);
      groups[Math.max(first, own)] = Math.min(first, own);
      firstWith.set(text, Math.min(first, own));
    }
  return groups.map((_, pair) => rootOf(groups, pair));
}

/** The first pair of a group: a pair points to an earlier one of its group, the first to itself. */
function rootOf(groups: Int32Array, pair: number): number {
  let root = pair;
  for (let next = groups[root]; next !== undefined && next !== root; next = groups[root]) root = next;
  return root;
}

function textsOfPairs({tokens, pairs}: Batch): (readonly [string, string])[] {
  const text = (starts: Int32Array, ends: Int32Array, pair: number): string =>
    tokens.subarray(starts[pair], ends[pair]).join();
  return Array.from(pairs.groups, (_, pair) => [
    text(pairs.xStarts, pairs.xEnds, pair),
    text(pairs.yStarts, pairs.yEnds, pair),
  ]);
}
