/** Seeded random numbers for resampling: the same on every machine. */
import {CrossmapError} from '../errors.js';

export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** Uniform whole number in [0, bound). */
  below(bound: number): number;
}

/**
 * xoshiro128**, its state filled by splitmix32 from `seed` and `stream`.
 *
 * @param seed whole number, 0 to 2^53 - 1
 * @param stream keeps apart the uses that one seed has
 * @throws ERR_ARGUMENT
 * @see Blackman and Vigna 2021, arXiv:1805.01407
 */
export function createRandom(seed: number, stream = 0): Random {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new CrossmapError('ERR_ARGUMENT', `seed must be a whole number from 0 to 2^53 - 1; got ${seed}`);
  const next = generator(seed >>> 0, (Math.floor(seed / 2 ** 32) + Math.imul(stream, 0x9e3779b9)) >>> 0);
  const uniform = (): number => next() / 2 ** 32;
  return {uniform, below: (bound) => Math.floor(uniform() * bound)};
}

function generator(low: number, high: number): () => number {
  const mix = splitMix(low);
  const other = splitMix(high ^ mix());
  let [a, b, c, d] = [mix() ^ other(), mix() ^ other(), mix() ^ other(), mix() ^ other()];
  if ((a | b | c | d) === 0) a = 1; // all zero is the one state that xoshiro never leaves
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}

function splitMix(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return z ^ (z >>> 15);
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
