/**
 * Decides, from hashes alone, what is held out and what must therefore be dropped. What is held out depends on the texts and neither
 * on the order of files nor on the seed: runs with other seeds are measured on the same sentences.
 */
import {createHashIndex, hashNumbers, type HashIndex} from '../corpus/hash.js';
import type {PairCorpus, TextCorpus} from '../corpus/corpora.js';
import type {Fates} from '../corpus/fates.js';
import type {DocumentFate, PairFate} from '../corpus/filter.js';
import {markDuplicates} from './duplicates.js';
import type {Scan, ScannedPairs, ScannedText} from '../corpus/scan.js';
import {lowestFirst} from './lowest-first.js';

/** Keeps the hash that ranks texts for the cut apart from the hash that identifies them. */
const cutSeed = 0x1e1d;

/** What is held out of a corpus at most: a corpus smaller than the wish keeps half to train on. */
const largestShare = 0.5;

/** What is done with the text of a language. */
export interface TextPlan {
  readonly corpus: TextCorpus;
  /** [documents] */
  readonly fates: Fates<DocumentFate>;
  readonly counts: Readonly<Record<DocumentFate, number>>;
  /** [sentences] 1 where a sentence of a training document occurs in held-out text, and is dropped. */
  readonly leaks: Uint8Array;
  /** Sentences that are dropped. */
  readonly leaked: number;
}

/** What is done with the pairs of two languages. */
export interface PairPlan {
  readonly corpus: PairCorpus;
  /** [pairs] */
  readonly fates: Fates<PairFate>;
  readonly counts: Readonly<Record<PairFate, number>>;
  /** The side by whose text pairs were chosen to be held out: 0 source, 1 target. */
  readonly pivot: 0 | 1;
}

/** What is done with every document, sentence and pair of the corpora, in the order of reading. */
export interface CorpusPlan {
  readonly texts: readonly TextPlan[];
  readonly pairs: readonly PairPlan[];
}

/** How much is held out: `data.heldOut` of the configuration. */
export interface CutOptions {
  readonly documentShare: number;
  readonly pairs: number;
}

/** The plan for what was scanned. */
export function planCorpora(scan: Scan, {documentShare, pairs: wanted}: CutOptions): CorpusPlan {
  const documents = scan.texts.map((text) => cutDocuments(text, documentShare));
  const pivots = pivotLanguages(scan);
  const sides = scan.pairs.map(({corpus}) =>
    pivots.indexOf(corpus.source) < pivots.indexOf(corpus.target) ? 0 : 1,
  );
  const firsts = firstSources(scan);
  const fates = scan.pairs.map((pairs, i) => cutPairs(pairs, firsts[i] ? wanted : 0, sides[i] ?? 0));
  const heldOut = heldOutTexts(scan, documents, fates);
  return {
    texts: scan.texts.map((text, i) => planText(text, documents[i] ?? text.fates, heldOut)),
    pairs: scan.pairs.map((pairs, i) => ({
      ...planPairs(pairs, fates[i] ?? pairs.fates, heldOut),
      pivot: sides[i] ?? 0,
    })),
  };
}

/**
 * Fates with the duplicates and the held-out documents: those with the lowest hashes, at least one if any are wanted and two are there.
 */
function cutDocuments(
  {documents, sentences, fates, groups}: ScannedText,
  share: number,
): Fates<DocumentFate> {
  const ranks = Float64Array.from({length: documents.length}, (_, i) => {
    const end = i + 1 < documents.length ? documents.at(i + 1) : sentences.length;
    let rank = 0;
    for (let j = documents.at(i); j < end; j++) rank = hashNumbers(rank, sentences.at(j), cutSeed);
    return rank;
  });
  const cut = markDuplicates({fates, hashes: ranks, ranks, groups});
  if (share === 0) return cut;
  const keep = cut.count('keep');
  const wanted = Math.max(1, Math.round(share * keep));
  let left = Math.min(wanted, Math.floor(keep * Math.max(share, largestShare)));
  for (const i of lowestFirst({ranks, tieOf: (at) => at, counts: (at) => cut.at(at) === 'keep'})) {
    if (left-- <= 0) break;
    cut.set(i, 'heldOut');
  }
  return cut;
}

/** Whether each is the first source of its two languages: pairs are held out of that one alone, so that they are of one kind. */
function firstSources({pairs}: Scan): boolean[] {
  const keys = pairs.map(({corpus: {source, target}}) => [source, target].sort().join(' '));
  return keys.map((key, i) => keys.indexOf(key) === i);
}

/** Languages, those first that most language pairs have. */
function pivotLanguages({pairs}: Scan): string[] {
  const counts = new Map<string, number>();
  for (const {corpus} of pairs)
    for (const language of [corpus.source, corpus.target])
      counts.set(language, (counts.get(language) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([language]) => language);
}

/**
 * Fates with the duplicates and the held-out pairs: those with the lowest hashes, no sentence twice on its side. The hash is that of the
 * more common language, so pairs that translate one sentence into several languages are held out together: they would have to be
 * dropped anyway, and the languages are measured on the same sentences.
 */
function cutPairs({fates, x, y, groups}: ScannedPairs, wanted: number, pivotSide: 0 | 1): Fates<PairFate> {
  const [pivot, other] = pivotSide === 0 ? [x, y] : [y, x];
  const {length} = fates;
  const ranks = Float64Array.from({length}, (_, i) => hashNumbers(pivot.at(i), 0, cutSeed));
  const hashes = Float64Array.from({length}, (_, i) => hashNumbers(x.at(i), y.at(i)));
  // By the pivot's rank too: of sentences that are nearly the same, several languages keep the same one.
  const cut = markDuplicates({fates, hashes, ranks, groups});
  const count = Math.min(wanted, Math.floor(cut.count('keep') * largestShare));
  if (count === 0) return cut;
  const [takenX, takenY] = [createHashIndex(), createHashIndex()];
  for (const i of lowestFirst({ranks, tieOf: other.at, counts: (at) => cut.at(at) === 'keep'})) {
    if (takenX.size === count) break;
    if (takenX.has(x.at(i)) || takenY.has(y.at(i))) continue;
    takenX.add(x.at(i));
    takenY.add(y.at(i));
    cut.set(i, 'heldOut');
  }
  return cut;
}

/** Every sentence of a held-out document and both sides of every held-out pair, whatever their language. */
function heldOutTexts(
  scan: Scan,
  documents: readonly Fates<DocumentFate>[],
  fates: readonly Fates<PairFate>[],
): HashIndex {
  const texts = createHashIndex();
  scan.texts.forEach((text, i) => {
    eachSentence(text, (sentence, document) => {
      if (documents[i]?.at(document) === 'heldOut') texts.add(text.sentences.at(sentence));
    });
  });
  scan.pairs.forEach(({x, y}, i) => {
    for (let pair = 0; pair < x.length; pair++) {
      if (fates[i]?.at(pair) !== 'heldOut') continue;
      texts.add(x.at(pair));
      texts.add(y.at(pair));
    }
  });
  return texts;
}

const noDocuments: Readonly<Record<DocumentFate, number>> = {
  keep: 0,
  script: 0,
  duplicate: 0,
  nearDuplicate: 0,
  heldOut: 0,
};

const noPairs: Readonly<Record<PairFate, number>> = {
  keep: 0,
  empty: 0,
  identical: 0,
  ratio: 0,
  script: 0,
  duplicate: 0,
  nearDuplicate: 0,
  heldOut: 0,
  heldOutSentence: 0,
};

function planText(text: ScannedText, fates: Fates<DocumentFate>, texts: HashIndex): TextPlan {
  const leaks = new Uint8Array(text.sentences.length);
  let leaked = 0;
  eachSentence(text, (sentence, document) => {
    if (fates.at(document) !== 'keep' || !texts.has(text.sentences.at(sentence))) return;
    leaks[sentence] = 1;
    leaked++;
  });
  const counts = {...noDocuments};
  for (const fate of fates) counts[fate]++;
  return {corpus: text.corpus, fates, counts, leaks, leaked};
}

function planPairs(
  {corpus, x, y}: ScannedPairs,
  cut: Fates<PairFate>,
  texts: HashIndex,
): Omit<PairPlan, 'pivot'> {
  const fates = cut.copy();
  for (let i = 0; i < cut.length; i++)
    if (cut.at(i) === 'keep' && (texts.has(x.at(i)) || texts.has(y.at(i)))) fates.set(i, 'heldOutSentence');
  const counts = {...noPairs};
  for (const fate of fates) counts[fate]++;
  return {corpus, fates, counts};
}

function eachSentence(
  {documents, sentences}: ScannedText,
  visit: (sentence: number, document: number) => void,
): void {
  for (let document = 0; document < documents.length; document++) {
    const end = document + 1 < documents.length ? documents.at(document + 1) : sentences.length;
    for (let sentence = documents.at(document); sentence < end; sentence++) visit(sentence, document);
  }
}
