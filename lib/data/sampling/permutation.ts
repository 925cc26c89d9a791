/** A seeded order of 0 to n - 1 that needs no memory. */

const rounds = 6;

/**
 * The number at a place in a seeded permutation of 0 to length - 1: a Feistel network over the next power of four, walked on until it
 * falls below `length`.
 *
 * @param place 0 to length - 1
 * @param key 32 bits
 * @see Black and Rogaway 2002, "Ciphers with arbitrary finite domains"
 */
export function permuted(place: number, length: number, key: number): number {
  const halfBits = Math.max(1, Math.ceil(Math.log2(length) / 2));
  let at = place;
  do at = feistel(at, halfBits, key);
  while (at >= length);
  return at;
}

function feistel(value: number, halfBits: number, key: number): number {
  const size = 2 ** halfBits;
  let left = Math.floor(value / size);
  let right = value % size;
  for (let round = 0; round < rounds; round++) {
    // Sizes are powers of two up to 2^26, so the mask of 32 bits is exact.
    [left, right] = [right, (left ^ scramble(right, key + Math.imul(round, 0x9e3779b9))) & (size - 1)];
  }
  return left * size + right;
}

/** The finaliser of MurmurHash3. */
function scramble(value: number, key: number): number {
  let h = value ^ key;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
