/** The words that a tokenizer is trained on: as much text of each language as there is of the others. */
import type {Scan} from '../corpus/scan.js';
import {hashText} from '../corpus/hash.js';
import {mixShares} from '../sampling/shares.js';
import {countWords} from '../tokenizer/words.js';

/** Text enough to tell frequent pairs of symbols from rare ones, for vocabularies of tens of thousands. */
const sampleBytes = 10_000_000;

/** A small language counts up to so many times, or its words would stay in pieces. */
const heaviest = 4;

/** Keeps the hash that samples texts apart from the hash that identifies them. */
const sampleSeed = 0x5a3b;

/** Counts the words of a balanced sample. */
interface WordSample {
  /** Counts a text, if it is in the sample: which does not depend on the order of files. */
  add(language: string, text: string): void;
  readonly counts: ReadonlyMap<string, number>;
}

/** An empty sample of what was scanned. */
export function createWordSample(scan: Scan): WordSample {
  const bytes = bytesByLanguage(scan);
  const sizes = [...bytes.values()];
  const {shares} = mixShares(
    sizes.map((size) => ({bytes: size, tokens: size})),
    {alpha: 0, maxEpochs: 1, budget: sampleBytes},
  );
  const total = Math.min(
    sampleBytes,
    sizes.reduce((a, b) => a + b, 0),
  );
  const rates = new Map(
    [...bytes].map(([language, size], i) => {
      const fair = sampleBytes / sizes.length;
      const weight = Math.max(1, Math.min(heaviest, Math.round(fair / size)));
      return [language, {kept: ((shares[i] ?? 0) * total) / size, weight}];
    }),
  );
  const counts = new Map<string, number>();
  return {
    counts,
    add(language, text) {
      const {kept = 1, weight = 1} = rates.get(language) ?? {};
      if (hashText(text, sampleSeed) < kept * 2 ** 53) countWords(text, counts, weight);
    },
  };
}

function bytesByLanguage({texts, pairs}: Scan): Map<string, number> {
  const bytes = new Map<string, number>();
  const add = (language: string, more: number): void =>
    void bytes.set(language, (bytes.get(language) ?? 0) + more);
  for (const {corpus, bytes: more} of texts) add(corpus.language, more);
  for (const {corpus, bytesX, bytesY} of pairs) {
    add(corpus.source, bytesX);
    add(corpus.target, bytesY);
  }
  return bytes;
}
