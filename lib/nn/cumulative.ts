/** Where packed things begin. */

/** [n + 1] sums of what comes before each entry, then the sum of all. */
export function cumulative(sizes: readonly number[]): number[] {
  const starts = [0];
  let sum = 0;
  for (const size of sizes) starts.push((sum += size));
  return starts;
}
