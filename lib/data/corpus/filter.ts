/** Which pairs are no translations: they hurt more than missing ones (arXiv:2407.00436). */
import {lengthInLetters} from './clean.js';
import type {SentencePair} from './pairs.js';

/** What becomes of a pair. Every word but `keep` and `heldOut` is a reason to leave it out. */
export type PairFate = 'keep' | 'empty' | 'identical' | 'ratio' | 'duplicate' | 'heldOut' | 'heldOutSentence';

const longestRatio = 3;

/** The verdict on a pair alone, of cleaned text. */
export function judgePair([x, y]: SentencePair): 'keep' | 'empty' | 'identical' | 'ratio' {
  if (x === '' || y === '') return 'empty';
  if (x === y) return 'identical';
  const [lettersX, lettersY] = [lengthInLetters(x), lengthInLetters(y)];
  const ratio = Math.max(lettersX, lettersY) / Math.min(lettersX, lettersY);
  return ratio > longestRatio ? 'ratio' : 'keep';
}
