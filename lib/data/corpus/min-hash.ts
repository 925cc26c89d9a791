/** Texts that are nearly the same, found without comparing each with each. */
import {createHashIndex, hashNumbers} from './hash.js';
import {createNumberList} from './numbers.js';

/** Groups of texts that are nearly the same. */
export interface NearDuplicates {
  /** The next text. */
  add(text: string): void;
  /** [texts] the place of the first text of each one's group; its own where it is like none before it. */
  groups(): Int32Array;
}

/** Letters of a shingle: long enough to be rare, short enough for a sentence to have many, in scripts without spaces too. */
const shingleLength = 5;

/** Minima of a signature: their standard error at a similarity of 0.8 is 0.035. */
const minima = 128;

/**
 * Minima of a band; texts that share a band are compared. With 16 bands of 8, texts of a similarity of 0.9 are compared in 99.99 of 100
 * cases, of 0.8 in 95 and of 0.5 in 6.
 */
const bandLength = 8;
const bands = minima / bandLength;

/**
 * Groups texts by the Jaccard similarity of their sets of five letters, case, punctuation and white space aside; what is like something
 * that is like a third is in one group with it. Takes about 500 bytes a text, and the texts are not kept.
 *
 * @param similarity from which on two texts are the same, above 0 to 1
 * @see Broder 1997, "On the resemblance and containment of documents", for MinHash; Li and König 2010, arXiv:0910.3349, for eight bits a
 *   minimum; Leskovec et al. 2020, "Mining of Massive Datasets", section 3.4, for bands
 */
export function createNearDuplicates(similarity: number): NearDuplicates {
  const signatures = createSignatures();
  const bandIndex = createHashIndex();
  const bandOwner = createNumberList(); // first text with each band
  const parents = createNumberList();
  const values = new Uint32Array(minima);

  const rootOf = (text: number): number => {
    let root = text;
    while (parents.at(root) !== root) root = parents.at(root);
    return root;
  };
  const join = (a: number, b: number): void => {
    const [first, last] = [rootOf(a), rootOf(b)].sort((x, y) => x - y);
    if (first !== undefined && last !== undefined) parents.set(last, first);
  };
  return {
    add(text) {
      const index = parents.length;
      parents.push(index);
      minimaOf(text, values);
      signatures.push(values);
      for (let band = 0; band < bands; band++) {
        const place = bandIndex.add(bandHash(values, band));
        if (place === bandOwner.length) bandOwner.push(index);
        else if (signatures.similarity(bandOwner.at(place), index) >= similarity)
          join(bandOwner.at(place), index);
      }
    },
    groups: () => Int32Array.from({length: parents.length}, (_, text) => rootOf(text)),
  };
}

/** For each of the hash functions the least value among the shingles of a text. */
function minimaOf(text: string, values: Uint32Array): void {
  values.fill(0xffffffff);
  const letters = text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
  const shingles = Math.max(1, letters.length - shingleLength + 1);
  for (let at = 0; at < shingles; at++) {
    const hash = shingleHash(letters, at);
    for (let i = 0; i < minima; i++) {
      const value = (Math.imul(hash, factors[i] ?? 1) + (offsets[i] ?? 0)) >>> 0;
      if (value < (values[i] ?? 0)) values[i] = value;
    }
  }
}

function shingleHash(letters: string, start: number): number {
  let hash = 0x9e3779b9;
  const end = Math.min(start + shingleLength, letters.length);
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ letters.charCodeAt(at), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return hash ^ (hash >>> 15);
}

/** 53 bits of a band and its place. */
function bandHash(values: Uint32Array, band: number): number {
  let hash = band;
  for (const value of values.subarray(band * bandLength, (band + 1) * bandLength))
    hash = hashNumbers(hash, value);
  return hash;
}

/** x -> factor x + offset modulo 2^32, with odd factors: each is a permutation. */
const [factors, offsets] = permutations();

function permutations(): readonly [Int32Array, Int32Array] {
  let state = 0x2545f491;
  const next = (): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return Math.imul(state ^ (state >>> 12), 0x297a2d39);
  };
  const factor = Int32Array.from({length: minima}, () => next() | 1);
  return [factor, Int32Array.from({length: minima}, next)];
}

interface Signatures {
  push(values: Uint32Array): void;
  /** Estimate of the Jaccard similarity of two texts. */
  similarity(a: number, b: number): number;
}

/** Eight bits of each minimum. */
function createSignatures(): Signatures {
  let bytes = new Uint8Array(1024 * minima);
  let count = 0;
  return {
    push(values) {
      if ((count + 1) * minima > bytes.length) {
        const grown = new Uint8Array(2 * bytes.length);
        grown.set(bytes);
        bytes = grown;
      }
      for (let i = 0; i < minima; i++) bytes[count * minima + i] = (values[i] ?? 0) & 0xff;
      count++;
    },
    similarity(a, b) {
      let equal = 0;
      for (let i = 0; i < minima; i++) if (bytes[a * minima + i] === bytes[b * minima + i]) equal++;
      // Minima that differ have the same eight bits once in 256 times.
      return (equal / minima - 1 / 256) / (1 - 1 / 256);
    },
  };
}
