/** The first reading of the corpora: every text as a number, so that what is kept, held out and dropped can be decided. */
import {CrossmapError} from '../../errors.js';
import {createBreather, type Breather} from '../pace.js';
import type {Corpora, CorpusOptions, PairCorpus, TextCorpus} from './corpora.js';
import {
  createDocumentJudge,
  createPairJudge,
  type DocumentFate,
  type FilterOptions,
  type PairFate,
} from './filter.js';
import {hashText} from './hash.js';
import {createNearDuplicates, type NearDuplicates} from './min-hash.js';
import {createNumberList, type NumberList} from './numbers.js';

/** The text of one language, as numbers. */
export interface ScannedText {
  readonly corpus: TextCorpus;
  /** [documents] index of the first sentence of each document. */
  readonly documents: NumberList;
  /** [sentences] hash of each sentence. */
  readonly sentences: NumberList;
  /** [documents] the verdict on each document alone. */
  readonly fates: readonly DocumentFate[];
  /** [documents] the first of those that are nearly the same; absent where near duplicates are not looked for. */
  readonly groups?: Int32Array;
  readonly bytes: number;
}

/** The pairs of two languages, as numbers. */
export interface ScannedPairs {
  readonly corpus: PairCorpus;
  /** [pairs] the verdict on each pair alone. */
  readonly fates: readonly PairFate[];
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

/** How corpora are scanned. */
interface ScanOptions extends CorpusOptions {
  readonly filters: FilterOptions;
}

/**
 * Reads all corpora once.
 *
 * @throws ERR_DATA for a corpus without text, and what reading throws
 */
export async function scanCorpora(corpora: Corpora, options: ScanOptions): Promise<Scan> {
  const breather = createBreather(options.signal);
  const texts: ScannedText[] = [];
  for (const corpus of corpora.texts) texts.push(await scanText(corpus, options, breather));
  const pairs: ScannedPairs[] = [];
  for (const corpus of corpora.pairs) pairs.push(await scanPairs(corpus, options, breather));
  return {texts, pairs};
}

async function scanText(corpus: TextCorpus, options: ScanOptions, breather: Breather): Promise<ScannedText> {
  const judge = createDocumentJudge(corpus.language, options.filters);
  const near = nearDuplicates(options);
  const documents = createNumberList();
  const sentences = createNumberList();
  const fates: DocumentFate[] = [];
  let bytes = 0;
  for await (const batch of corpus.documents(options)) {
    for (const document of batch) {
      documents.push(sentences.length);
      fates.push(judge(document));
      near?.add(document.join(' '));
      for (const sentence of document) {
        sentences.push(hashText(sentence));
        bytes += Buffer.byteLength(sentence);
      }
    }
    await breather.breathe();
  }
  if (documents.length === 0) throw empty(`no text of language ${corpus.language}`, corpus.files);
  return {corpus, documents, sentences, fates, ...(near && {groups: near.groups()}), bytes};
}

async function scanPairs(
  corpus: PairCorpus,
  options: ScanOptions,
  breather: Breather,
): Promise<ScannedPairs> {
  const judge = createPairJudge(corpus, options.filters);
  const near = nearDuplicates(options);
  const fates: PairFate[] = [];
  const [x, y] = [createNumberList(), createNumberList()];
  let [bytesX, bytesY] = [0, 0];
  for await (const batch of corpus.pairs(options)) {
    for (const pair of batch) {
      const fate = judge(pair);
      fates.push(fate);
      near?.add(pair.join(' '));
      x.push(hashText(pair[0]));
      y.push(hashText(pair[1]));
      if (fate !== 'keep') continue;
      bytesX += Buffer.byteLength(pair[0]);
      bytesY += Buffer.byteLength(pair[1]);
    }
    await breather.breathe();
  }
  if (!fates.includes('keep'))
    throw empty(
      `no usable pair of ${corpus.source} and ${corpus.target} among ${fates.length}`,
      corpus.files,
    );
  return {corpus, fates, x, y, ...(near && {groups: near.groups()}), bytesX, bytesY};
}

function nearDuplicates({filters: {nearDuplicates: similarity}}: ScanOptions): NearDuplicates | undefined {
  return similarity === 'off' ? undefined : createNearDuplicates(similarity);
}

function empty(what: string, files: readonly string[]): CrossmapError {
  return new CrossmapError('ERR_DATA', `${what} in ${files.join(', ')}`);
}
