// Paragraphs into sentences, and two paragraphs into sentences that translate each other.
import {cleanText} from '../../dist/lib/data/corpus/clean.js';
import {isBalanced} from './judge.mjs';

/** Full stops after these, in lower case, end no sentence. */
const abbreviations = new Set(
  [
    'al cf ca dr e.g eg etc fig i.e ie jr mr mrs ms no nos nr p pp prof resp sec sr st vol vs',
    'bzgl bzw ca d.h evtl ggf inkl sog u.a usw vgl z.b zzgl',
    'apod atd např popř příp resp tj tzn tzv č obr kap',
    'art ej p.ej pág págs núm sra ud uds',
    'av c.-à-d env ex p.ex',
    'dll dsb dst hlm mis',
    'vb vs örn',
    'гл др им напр рис см стр т.д т.е т.п тис т.ч ін т.з',
  ].flatMap((line) => line.split(' ')),
);

/** An end of a sentence in a script with spaces, with quotation marks that belong to it, before what may begin the next. */
const spacedEnd = /([.!?…]+["'”’»)\]]*)\s+(?=["'“‘„«(¿¡[]*[\p{Lu}\p{Lt}\p{Lo}\p{N}])/gu;

/** Chinese has no space there. */
const ideographicEnd = /[。！？]+["'”’』」》）)]*\s*/gu;

/**
 * The sentences of a paragraph. What is in doubt stays together: a full stop after a number or an abbreviation ends nothing.
 *
 * @param {string} paragraph cleaned text
 * @returns {string[]}
 */
export function splitSentences(paragraph) {
  /** @type {string[]} */
  const sentences = [];
  let start = 0;
  for (const end of endsOf(paragraph)) {
    sentences.push(paragraph.slice(start, end).trim());
    start = end;
  }
  return [...sentences, paragraph.slice(start).trim()].filter((sentence) => sentence !== '');
}

/** @param {string} paragraph */
function endsOf(paragraph) {
  const spaced = [...paragraph.matchAll(spacedEnd)]
    .filter(({index, 1: mark = ''}) => !(mark === '.' && isAbbreviation(paragraph.slice(0, index))))
    .map(({index, 0: match}) => index + match.length);
  const ideographic = [...paragraph.matchAll(ideographicEnd)].map(
    ({index, 0: match}) => index + match.length,
  );
  return [...new Set([...spaced, ...ideographic])].sort((a, b) => a - b);
}

/** @param {string} before what stands in front of a full stop */
function isAbbreviation(before) {
  const word = /[^\s("'“„«]*$/u.exec(before)?.[0].toLowerCase() ?? '';
  return /\d$/.test(word) || /^\p{L}$/u.test(word) || abbreviations.has(word);
}

/**
 * Sentences beside their translations: paragraph by paragraph where both sides have as many, sentence by sentence where both sides split
 * alike, else whole.
 *
 * @param {string} english paragraphs, a line each
 * @param {string} other
 * @returns {(readonly [string, string])[]} cleaned text
 */
export function splitAlike(english, other) {
  const [first, second] = [english, other].map(paragraphsOf);
  if (first === undefined || second === undefined) return [];
  if (first.length !== second.length) return splitParagraph(first.join(' '), second.join(' '));
  return first.flatMap((paragraph, index) => splitParagraph(paragraph, second[index] ?? ''));
}

/** @param {string} text */
export function paragraphsOf(text) {
  return text
    .split('\n')
    .map((line) => cleanText(line).replace(/\( | (?=\))/g, (found) => found.trim()))
    .filter((line) => line !== '');
}

/**
 * @param {string} english
 * @param {string} other
 * @returns {(readonly [string, string])[]}
 */
function splitParagraph(english, other) {
  const [sources, targets] = [splitSentences(english), splitSentences(other)];
  const pairs = sources.map((sentence, index) => /** @type {const} */ ([sentence, targets[index] ?? '']));
  const isAlike = sources.length === targets.length && pairs.every(([x, y]) => isBalanced(x, y));
  return isAlike ? pairs : [[english, other]];
}
