/** What is not trained on: pairs that are no translations hurt more than missing ones (arXiv:2407.00436), and so does text that repeats. */
import type {Config} from '../../config/index.js';
import {lengthInLetters} from './clean.js';
import type {Document} from './documents.js';
import type {SentencePair} from './pairs.js';
import {scriptShareOf, type ScriptShare} from './script.js';

/** The filters of a configuration. */
export type FilterOptions = Config['data']['filters'];

/**
 * What becomes of a pair. Every word but `keep` and `heldOut` is a reason to leave it out. The steps of a build keep places in this list,
 * and so in that of documents.
 */
export const pairFates = [
  'keep',
  'empty',
  'identical',
  'ratio',
  'script',
  'duplicate',
  'nearDuplicate',
  'heldOut',
  'heldOutSentence',
] as const;

export type PairFate = (typeof pairFates)[number];

/** What becomes of a document; as for pairs. */
export const documentFates = ['keep', 'script', 'duplicate', 'nearDuplicate', 'heldOut'] as const;

export type DocumentFate = (typeof documentFates)[number];

/** The verdict on a pair alone, of cleaned text. */
type PairJudge = (pair: SentencePair) => 'keep' | 'empty' | 'identical' | 'ratio' | 'script';

/** The verdict on a document alone, of cleaned text. */
type DocumentJudge = (document: Document) => 'keep' | 'script';

/** Judges pairs of two languages. */
export function createPairJudge(
  {source, target}: {readonly source: string; readonly target: string},
  {lengthRatio, scriptShare}: FilterOptions,
): PairJudge {
  const [shareX, shareY] = [scriptShareOf(source), scriptShareOf(target)];
  return ([x, y]) => {
    if (x === '' || y === '') return 'empty';
    if (x === y) return 'identical';
    const [lettersX, lettersY] = [lengthInLetters(x), lengthInLetters(y)];
    if (Math.max(lettersX, lettersY) > lengthRatio * Math.min(lettersX, lettersY)) return 'ratio';
    return isInScript(x, shareX, scriptShare) && isInScript(y, shareY, scriptShare) ? 'keep' : 'script';
  };
}

/** Judges documents of a language. */
export function createDocumentJudge(language: string, {scriptShare}: FilterOptions): DocumentJudge {
  const share = scriptShareOf(language);
  return (document) => (isInScript(document.join(' '), share, scriptShare) ? 'keep' : 'script');
}

function isInScript(text: string, share: ScriptShare, least: number): boolean {
  return least === 0 || share(text) >= least;
}
