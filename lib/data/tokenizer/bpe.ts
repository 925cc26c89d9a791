/**
 * Byte pair encoding, trained: the most frequent pair of neighbours becomes a symbol, again and again. Ties go to the pair with the lower
 * ids, as in the library that reads the result, so both find the same merges in the same text.
 *
 * @see Sennrich et al. 2016, arXiv:1508.07909
 */
import type {Breather} from '../pace.js';
import {alphabet, byteRanks} from './alphabet.js';
import {createHeap, type Heap} from './heap.js';

/** Merges in order, each of two symbols written in the alphabet. */
export type Merges = readonly (readonly [left: string, right: string])[];

/** What to stop at. */
interface BpeOptions {
  /** Entries of the vocabulary at most, the 256 bytes included, control tokens not. */
  readonly entries: number;
  readonly breather: Breather;
  /** Called with the share that is done. */
  readonly onProgress?: (done: number) => void;
}

/** A pair seen once says nothing: merging it would spell one word of one text. */
const rarest = 2;

/** Pairs of symbols are keys: left * stride + right, exact for vocabularies up to 2^26. */
const stride = 2 ** 26;

interface Candidate {
  readonly count: number;
  readonly pair: number;
}

interface Pairs {
  readonly counts: Map<number, number>;
  /** Indices of words that have had the pair at some time; a word may come twice. */
  readonly places: Map<number, number[]>;
}

/**
 * Trains on words with their counts.
 *
 * @returns fewer merges than asked for where no pair occurs twice any more
 * @throws ERR_ABORTED
 */
export async function trainMerges(
  counts: ReadonlyMap<string, number>,
  {entries, breather, onProgress}: BpeOptions,
): Promise<Merges> {
  const words: Int32Array[] = [];
  const weights: number[] = [];
  const pairs: Pairs = {counts: new Map(), places: new Map()};
  for (const [word, count] of counts) {
    const symbols = symbolsOf(word);
    eachPair(symbols, (pair) => addPair(pairs, pair, {index: words.length, by: count}));
    words.push(symbols);
    weights.push(count);
    if (words.length % 1024 === 0) await breather.breathe();
  }
  const queue: Heap<Candidate> = createHeap(
    (a, b) => a.count > b.count || (a.count === b.count && a.pair < b.pair),
  );
  for (const [pair, count] of pairs.counts) queue.push({count, pair});
  const symbols = [...alphabet];
  const ids = new Map(symbols.map((symbol, id) => [symbol, id]));
  const merges: [string, string][] = [];
  while (symbols.length < entries) {
    const best = nextPair(queue, pairs.counts);
    if (best === undefined) break;
    const [left, right] = [Math.floor(best / stride), best % stride];
    const merge: [string, string] = [symbols[left] ?? '', symbols[right] ?? ''];
    merges.push(merge);
    const name = merge.join('');
    const merged = ids.get(name) ?? symbols.length; // two ways to one symbol share its id
    if (merged === symbols.length) symbols.push(name);
    ids.set(name, merged);
    for (const pair of mergeEverywhere(best, merged, {words, weights, pairs}))
      queue.push({count: pairs.counts.get(pair) ?? 0, pair});
    onProgress?.(symbols.length / entries);
    await breather.breathe();
  }
  return merges;
}

function symbolsOf(word: string): Int32Array {
  return Int32Array.from(Buffer.from(word), (byte) => byteRanks[byte] ?? 0);
}

function eachPair(word: Int32Array, visit: (pair: number) => void): void {
  for (let i = 0; i + 1 < word.length; i++) visit((word[i] ?? 0) * stride + (word[i + 1] ?? 0));
}

function addPair({counts, places}: Pairs, pair: number, {index, by}: {index: number; by: number}): void {
  counts.set(pair, (counts.get(pair) ?? 0) + by);
  const known = places.get(pair);
  if (known === undefined) places.set(pair, [index]);
  else if (known.at(-1) !== index) known.push(index);
}

/** The most frequent pair. Counts in the queue may be too high, never too low: a stale one goes back with what is true. */
function nextPair(queue: Heap<Candidate>, counts: ReadonlyMap<number, number>): number | undefined {
  for (;;) {
    const top = queue.pop();
    if (top === undefined) return undefined;
    const count = counts.get(top.pair) ?? 0;
    if (count < rarest) continue;
    if (count === top.count) return top.pair;
    queue.push({count, pair: top.pair});
  }
}

interface State {
  readonly words: Int32Array[];
  readonly weights: readonly number[];
  readonly pairs: Pairs;
}

/** Merges a pair in all words. Returns the pairs that have come into being. */
function mergeEverywhere(pair: number, merged: number, {words, weights, pairs}: State): Set<number> {
  const born = new Set<number>();
  const places = pairs.places.get(pair) ?? [];
  pairs.places.delete(pair);
  for (const index of new Set(places)) {
    const word = words[index] ?? new Int32Array();
    const by = weights[index] ?? 0;
    words[index] = mergeWord(word, pair, {
      merged,
      lose: (lost) => void pairs.counts.set(lost, (pairs.counts.get(lost) ?? 0) - by),
      gain: (gained) => {
        addPair(pairs, gained, {index, by});
        born.add(gained);
      },
    });
  }
  pairs.counts.delete(pair);
  return born;
}

interface WordMerge {
  readonly merged: number;
  readonly lose: (pair: number) => void;
  readonly gain: (pair: number) => void;
}

/** The word with the pair merged from left to right, in its own memory. */
function mergeWord(word: Int32Array, pair: number, {merged, lose, gain}: WordMerge): Int32Array {
  const [left, right] = [Math.floor(pair / stride), pair % stride];
  let length = 0;
  for (let i = 0; i < word.length; i++) {
    const symbol = word[i] ?? 0;
    if (symbol !== left || i + 1 === word.length || word[i + 1] !== right) {
      word[length++] = symbol;
      continue;
    }
    if (length > 0) {
      const before = word[length - 1] ?? 0;
      lose(before * stride + left);
      gain(before * stride + merged);
    }
    const after = word[i + 2];
    if (after !== undefined) {
      lose(right * stride + after);
      gain(merged * stride + after);
    }
    word[length++] = merged;
    i++;
  }
  return word.subarray(0, length);
}
