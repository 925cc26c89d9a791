/** Counting n-grams. */

/** How often each n-gram occurs. */
export type NgramCounts = ReadonlyMap<string, number>;

/**
 * N-grams of a list of parts, which are joined to a key.
 *
 * @param separator must not occur in the parts, unless all n-grams have parts of one length
 */
export function countNgrams(parts: readonly string[], n: number, separator: string): NgramCounts {
  const counts = new Map<string, number>();
  for (let start = 0; start + n <= parts.length; start++) {
    const key = parts.slice(start, start + n).join(separator);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** For each n-gram the most that one of the counts has. */
export function mostOf(all: readonly NgramCounts[]): NgramCounts {
  const most = new Map<string, number>();
  for (const counts of all)
    for (const [key, count] of counts) most.set(key, Math.max(count, most.get(key) ?? 0));
  return most;
}

/** How many n-grams of `counts` are also in `reference`, each at most as often as there. */
export function countMatches(counts: NgramCounts, reference: NgramCounts): number {
  let matches = 0;
  for (const [key, count] of counts) matches += Math.min(count, reference.get(key) ?? 0);
  return matches;
}

export function total(counts: NgramCounts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
