/** A sum of float64 values that is rounded once, at the end: the order of the terms does not matter. */

export interface ExactSum {
  add(value: number): void;
  /** The sum of all values so far, correctly rounded but for half-way cases. */
  value(): number;
}

/**
 * Keeps the sum as partial sums that do not overlap, so no bit is lost.
 *
 * @see Shewchuk 1997, Adaptive Precision Floating-Point Arithmetic, theorem 10
 */
export function createExactSum(): ExactSum {
  let partials: number[] = [];
  return {
    add(value) {
      const kept: number[] = [];
      let rest = value;
      for (const partial of partials) {
        const [large, small] = Math.abs(rest) < Math.abs(partial) ? [partial, rest] : [rest, partial];
        const sum = large + small;
        const error = small - (sum - large);
        if (error !== 0) kept.push(error);
        rest = sum;
      }
      kept.push(rest);
      partials = kept;
    },
    value: () => partials.reduceRight((sum, partial) => sum + partial, 0),
  };
}
