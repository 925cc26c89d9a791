/** Texts by their ranks, the lowest first, of which only some are on the heap at once. */

/** Texts that have ranks. */
interface RankedTexts {
  /** [texts] */
  readonly ranks: Float64Array;
  /** Of equal ranks the lower tie comes first. */
  tieOf(index: number): number;
  /** Whether a text counts. One that has been given need not count any more. */
  counts(index: number): boolean;
  /** Texts that are sorted at once. Default 65,536. */
  readonly atOnce?: number;
}

/** The places of the texts that count. Takes eight bytes a text, outside of the heap. */
export function* lowestFirst({
  ranks,
  tieOf,
  counts,
  atOnce = 1 << 16,
}: RankedTexts): Generator<number, void, undefined> {
  const sorted = sortedRanks(ranks, counts);
  let above = -Infinity;
  for (let done = 0; done < sorted.length;) {
    // All of one rank come together, so that nothing of it is left for the next time.
    const upTo = sorted[Math.min(done + atOnce, sorted.length) - 1] ?? Infinity;
    const some: {readonly index: number; readonly rank: number; readonly tie: number}[] = [];
    for (const [index, rank] of ranks.entries())
      if (rank > above && rank <= upTo && counts(index)) some.push({index, rank, tie: tieOf(index)});
    some.sort((a, b) => a.rank - b.rank || a.tie - b.tie);
    for (const {index} of some) yield index;
    done += some.length;
    above = upTo;
  }
}

/** Of the texts that count. `filter` would put each on the heap. */
function sortedRanks(ranks: Float64Array, counts: (index: number) => boolean): Float64Array {
  const sorted = new Float64Array(ranks.length);
  let length = 0;
  for (const [index, rank] of ranks.entries()) if (counts(index)) sorted[length++] = rank;
  return sorted.subarray(0, length).sort();
}
