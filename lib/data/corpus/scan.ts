/** The first reading of the corpora: every text as a number, so that what is kept, held out and dropped can be decided. */
import {CrossmapError} from '../../errors.js';
import type {Breather} from '../pace.js';
import type {CorpusOptions, PairCorpus, TextCorpus} from './corpora.js';
import {createFates, type Fates} from './fates.js';
import {documentFates, pairFates, type DocumentFate, type FilterOptions, type PairFate} from './filter.js';
import {inOrder} from '../in-order.js';
import {createNearDuplicates, type NearDuplicates} from './min-hash.js';
import {createNumberList, type NumberList} from './numbers.js';
import type {Scanner} from './scanner.js';

/** The text of one language, as numbers. */
export interface ScannedText {
  readonly corpus: TextCorpus;
  /** [documents] index of the first sentence of each document. */
  readonly documents: NumberList;
  /** [sentences] hash of each sentence. */
  readonly sentences: NumberList;
  /** [documents] the verdict on each document alone. */
  readonly fates: Fates<DocumentFate>;
  /** [documents] the first of those that are nearly the same; absent where near duplicates are not looked for. */
  readonly groups?: Int32Array;
  readonly bytes: number;
}

/** The pairs of two languages, as numbers. */
export interface ScannedPairs {
  readonly corpus: PairCorpus;
  /** [pairs] the verdict on each pair alone. */
  readonly fates: Fates<PairFate>;
  /** [pairs] hashes of the two sides. */
  readonly x: NumberList;
  readonly y: NumberList;
  /** [pairs] as for documents: pairs that are nearly the same on both sides together. */
  readonly groups?: Int32Array;
  /** UTF-8 bytes of the sides of the pairs that pass. */
  readonly bytesX: number;
  readonly bytesY: number;
}

/** All corpora, as numbers. */
export interface Scan {
  readonly texts: readonly ScannedText[];
  readonly pairs: readonly ScannedPairs[];
}

/** How a corpus is scanned. */
export interface ScanOptions {
  readonly filters: FilterOptions;
  readonly scanner: Scanner;
  readonly breather: Breather;
  readonly reading: CorpusOptions;
}

/**
 * Reads the text of a language once.
 *
 * @throws ERR_DATA for a corpus without text, and what reading throws
 */
export async function scanText(corpus: TextCorpus, options: ScanOptions): Promise<ScannedText> {
  const {scanner, breather, reading} = options;
  const {language} = corpus;
  const near = nearDuplicates(options);
  const documents = createNumberList();
  const sentences = createNumberList();
  const fates = createFates(documentFates);
  let bytes = 0;
  const batches = inOrder(corpus.documents(reading), {
    ahead: scanner.ahead,
    work: (batch) => scanner.documents({language, documents: batch}),
  });
  for await (const batch of batches) {
    let first = sentences.length;
    for (const length of batch.lengths) {
      documents.push(first);
      first += length;
    }
    sentences.append(batch.hashes);
    fates.append(batch.verdicts);
    if (batch.signatures) near?.add(batch.signatures);
    bytes += batch.bytes;
    await breather.breathe();
  }
  if (documents.length === 0) throw empty(`no text of language ${language}`, corpus.files);
  return {corpus, documents, sentences, fates, ...(near && {groups: near.groups()}), bytes};
}

/**
 * Reads the pairs of two languages once.
 *
 * @throws ERR_DATA for a corpus without a pair that passes, and what reading throws
 */
export async function scanPairs(corpus: PairCorpus, options: ScanOptions): Promise<ScannedPairs> {
  const {scanner, breather, reading} = options;
  const {source, target} = corpus;
  const near = nearDuplicates(options);
  const fates = createFates(pairFates);
  const [x, y] = [createNumberList(), createNumberList()];
  let [bytesX, bytesY] = [0, 0];
  const batches = inOrder(corpus.pairs(reading), {
    ahead: scanner.ahead,
    work: (batch) => scanner.pairs({source, target, pairs: batch}),
  });
  for await (const batch of batches) {
    fates.append(batch.verdicts);
    x.append(batch.x);
    y.append(batch.y);
    if (batch.signatures) near?.add(batch.signatures);
    bytesX += batch.bytesX;
    bytesY += batch.bytesY;
    await breather.breathe();
  }
  if (fates.count('keep') === 0)
    throw empty(`no usable pair of ${source} and ${target} among ${fates.length}`, corpus.files);
  return {corpus, fates, x, y, ...(near && {groups: near.groups()}), bytesX, bytesY};
}

function nearDuplicates({filters: {nearDuplicates: similarity}}: ScanOptions): NearDuplicates | undefined {
  return similarity === 'off' ? undefined : createNearDuplicates(similarity);
}

function empty(what: string, files: readonly string[]): CrossmapError {
  return new CrossmapError('ERR_DATA', `${what} in ${files.join(', ')}`);
}
