/** Some thousand texts as numbers: the work of the first reading that needs no other text, so any thread can do it. */
import type {Document} from './documents.js';
import {
  createDocumentJudge,
  createPairJudge,
  documentFates,
  pairFates,
  type FilterOptions,
} from './filter.js';
import {hashText} from './hash.js';
import type {SentencePair} from './pairs.js';
import {signaturesOf, type Signatures} from './signature.js';

/** Documents of a language. */
export interface DocumentJob {
  readonly language: string;
  readonly documents: readonly Document[];
}

/** Pairs of two languages. */
export interface PairJob {
  readonly source: string;
  readonly target: string;
  readonly pairs: readonly SentencePair[];
}

/** Documents as numbers. */
export interface DocumentBatch {
  /** [documents] the verdict on each alone, as its place in `documentFates`. */
  readonly verdicts: Uint8Array;
  /** [documents] how many sentences each has. */
  readonly lengths: Uint32Array;
  /** [sentences] */
  readonly hashes: Float64Array;
  /** UTF-8 bytes of all sentences. */
  readonly bytes: number;
  /** Absent where near duplicates are not looked for. */
  readonly signatures?: Signatures;
}

/** Pairs as numbers. */
export interface PairBatch {
  /** [pairs] the verdict on each alone, as its place in `pairFates`. */
  readonly verdicts: Uint8Array;
  /** [pairs] hashes of the two sides. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** UTF-8 bytes of the sides of the pairs that pass. */
  readonly bytesX: number;
  readonly bytesY: number;
  /** Of both sides together; absent where near duplicates are not looked for. */
  readonly signatures?: Signatures;
}

/** Documents as numbers. */
export function scanDocuments({language, documents}: DocumentJob, filters: FilterOptions): DocumentBatch {
  const judge = createDocumentJudge(language, filters);
  const sentences = documents.flat();
  return {
    verdicts: Uint8Array.from(documents, (document) => documentFates.indexOf(judge(document))),
    lengths: Uint32Array.from(documents, ({length}) => length),
    hashes: Float64Array.from(sentences, (sentence) => hashText(sentence)),
    bytes: bytesOf(sentences),
    ...signed(
      documents.map((document) => document.join(' ')),
      filters,
    ),
  };
}

/** Pairs as numbers. */
export function scanPairs({source, target, pairs}: PairJob, filters: FilterOptions): PairBatch {
  const judge = createPairJudge({source, target}, filters);
  const verdicts = Uint8Array.from(pairs, (pair) => pairFates.indexOf(judge(pair)));
  const kept = pairs.filter((_, i) => pairFates[verdicts[i] ?? 0] === 'keep');
  return {
    verdicts,
    x: Float64Array.from(pairs, ([x]) => hashText(x)),
    y: Float64Array.from(pairs, ([, y]) => hashText(y)),
    bytesX: bytesOf(kept.map(([x]) => x)),
    bytesY: bytesOf(kept.map(([, y]) => y)),
    ...signed(
      pairs.map((pair) => pair.join(' ')),
      filters,
    ),
  };
}

function signed(
  texts: readonly string[],
  {nearDuplicates}: FilterOptions,
): {readonly signatures?: Signatures} {
  return nearDuplicates === 'off' ? {} : {signatures: signaturesOf(texts)};
}

function bytesOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
