/** Seeded numbers for tests. */

/** Uniform numbers in [0, 1): mulberry32. */
export function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` numbers from the normal distribution, by Box and Muller. */
export function normalNumbers(count: number, seed = 1, scale = 1): number[] {
  const uniform = uniformNumbers(seed);
  return Array.from(
    {length: count},
    () => scale * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

/** `count` whole numbers from 0 to `below`, left out. */
export function wholeNumbers(count: number, below: number, seed = 1): number[] {
  const uniform = uniformNumbers(seed);
  return Array.from({length: count}, () => Math.floor(uniform() * below));
}
