// Which sentences and pairs are worth training on.
import {lengthInLetters} from '../../dist/lib/data/corpus/clean.js';
import {scriptShareOf} from '../../dist/lib/data/corpus/script.js';

/** Stands for what mark-up shows and text cannot say: a cross reference, a picture, a variable. */
export const gap = '\uFFFC';

/** Words of a sentence; Chinese, which has no spaces, counts characters. */
const words = {least: 4, most: 70};
const characters = {least: 6, most: 250};

/** Most that one side may be longer than the other, in letters; short sides differ more by chance. */
const lengthRatio = 2.5;
const lengthSlack = 12;

/** Least share of letters in the script of the language. */
const scriptShare = 0.6;

/** From this share of common words on, a translation is taken for English that stayed. */
const copiedShare = 0.5;

/** Left over from mark-up, code or variables. A per cent sign after a number is none. */
const leftover = /[<>{}|\\$^~`=@#_]|(?<!\d ?)%|&[a-z]+;|\bhttps?:|\bwww\.|--/u;

const sentenceEnd = /[.!?…:;。！？：；]["'”’»“)\]』」》）]*$/u;

/**
 * Whether text is one natural sentence, or a few that belong together.
 *
 * @param {string} text cleaned
 * @param {string} language
 */
export function isSentence(text, language) {
  if (text.includes(gap) || leftover.test(text) || !sentenceEnd.test(text) || /^[\p{Ll}.,;:)]/u.test(text))
    return false;
  const [count, {least, most}] =
    language === 'zh' ? [Array.from(text).length, characters] : [text.split(' ').length, words];
  return count >= least && count <= most && shareOf(language)(text) >= scriptShare;
}

/** @type {Map<string, (text: string) => number>} */
const shares = new Map();

/** @param {string} language */
function shareOf(language) {
  const share = shares.get(language) ?? scriptShareOf(language);
  shares.set(language, share);
  return share;
}

/**
 * Whether a sentence and its translation may be one: of like length, with the same numbers, and not English twice.
 *
 * @param {string} english
 * @param {string} other
 * @param {string} language of the other
 */
export function isTranslation(english, other, language) {
  return (
    isSentence(english, 'en') &&
    isSentence(other, language) &&
    isBalanced(english, other) &&
    numbersAgree(english, other) &&
    !isCopy(english, other)
  );
}

/**
 * @param {string} english
 * @param {string} other
 */
export function isBalanced(english, other) {
  const [x, y] = [lengthInLetters(english), lengthInLetters(other)];
  return Math.max(x, y) <= lengthRatio * Math.min(x, y) + lengthSlack;
}

/**
 * Whether both sides have the same numbers, in whatever order and however their digits are grouped.
 *
 * @param {string} english
 * @param {string} other
 */
export function numbersAgree(english, other) {
  const [x, y] = [english, other].map(
    (text) => /** @type {readonly string[]} */ (text.normalize('NFKC').match(/\d+/g) ?? []),
  );
  if (x === undefined || y === undefined) return false;
  return x.join('') === y.join('') || [...x].sort().join(' ') === [...y].sort().join(' ');
}

/** An ideograph is one: a sentence of Chinese, which has no spaces, would count as a word or two. */
const word = /\p{Script=Han}|\p{L}{2,}/gu;

/**
 * Whether a translation is English, wholly or for the most part.
 *
 * @param {string} english
 * @param {string} other
 */
function isCopy(english, other) {
  const [own, copied] = [english, other].map((text) => text.toLowerCase().match(word) ?? []);
  if (own === undefined || copied === undefined || copied.length === 0) return true;
  const known = new Set(own);
  return copied.filter((word) => known.has(word)).length >= copiedShare * copied.length;
}
