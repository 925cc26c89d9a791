/** The numbers of benches. They need no addon, so that other programs can make them in a process without ours. */

/** Where the numbers begin and how far they spread. */
export interface RandomOptions {
  /** A whole number of 32 bits. */
  readonly seed: number;
  /** Standard deviation, default 1. */
  readonly std?: number;
}

/** Uniform numbers of mean 0. bench/peers/seeded.py makes the same. */
export function randomValues(count: number, {seed, std = 1}: RandomOptions): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  let state = seed;
  for (let index = 0; index < count; index++) {
    // The generator of Numerical Recipes, section 7.1: x' = 1664525 x + 1013904223 modulo 2^32.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[index] = (state / 2 ** 31 - 1) * Math.sqrt(3) * std;
  }
  return values;
}
