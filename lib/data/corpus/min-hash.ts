/** Texts that are nearly the same, found without comparing each with each. */
import {createHashIndex} from './hash.js';
import {createNumberList} from './numbers.js';
import {bands, minima, type Signatures} from './signature.js';

/** Groups of texts that are nearly the same. */
export interface NearDuplicates {
  /** The next texts, by their signatures. */
  add(signatures: Signatures): void;
  /** [texts] the place of the first text of each one's group; its own where it is like none before it. */
  groups(): Int32Array;
}

/**
 * Groups texts by the Jaccard similarity that their signatures tell; what is like something that is like a third is in one group with it.
 * Takes about 1,000 bytes a text while tables grow, and the texts are not kept.
 *
 * @param similarity from which on two texts are the same, above 0 to 1
 * @see Leskovec et al. 2020, "Mining of Massive Datasets", section 3.4, for bands
 */
export function createNearDuplicates(similarity: number): NearDuplicates {
  const signatures = createSignatureList();
  const bandIndex = createHashIndex();
  const bandOwner = createNumberList(); // first text with each band
  const parents = createNumberList();

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
    add({minima: bytes, bands: hashes}) {
      signatures.push(bytes);
      for (let at = 0; at < hashes.length; at++) {
        if (at % bands === 0) parents.push(parents.length);
        const text = parents.length - 1;
        const place = bandIndex.add(hashes[at] ?? 0);
        if (place === bandOwner.length) bandOwner.push(text);
        else if (signatures.similarity(bandOwner.at(place), text) >= similarity)
          join(bandOwner.at(place), text);
      }
    },
    groups: () => Int32Array.from({length: parents.length}, (_, text) => rootOf(text)),
  };
}

interface SignatureList {
  /** @param more [texts, minima] */
  push(more: Uint8Array): void;
  /** Estimate of the Jaccard similarity of two texts. */
  similarity(a: number, b: number): number;
}

function createSignatureList(): SignatureList {
  let bytes = new Uint8Array(1024 * minima);
  let length = 0;
  return {
    push(more) {
      if (length + more.length > bytes.length) {
        const grown = new Uint8Array(2 * (length + more.length));
        grown.set(bytes);
        bytes = grown;
      }
      bytes.set(more, length);
      length += more.length;
    },
    similarity(a, b) {
      let equal = 0;
      for (let i = 0; i < minima; i++) if (bytes[a * minima + i] === bytes[b * minima + i]) equal++;
      // Minima that differ have the same eight bits once in 256 times.
      return (equal / minima - 1 / 256) / (1 - 1 / 256);
    },
  };
}
