// What of the messages becomes text and what pairs: documents are shared out, and sentences chosen.
import {sha256Of} from './checksum.mjs';
import {isSentence, isTranslation} from './judge.mjs';
import {paragraphsOf, splitAlike, splitSentences} from './sentences.mjs';

/** @typedef {import('./catalogue.mjs').Message} Message */
/** @typedef {import('./name-pairs.mjs').Pair} Pair */

/** Of the English letters of a corpus, those of documents that are text and no pairs. */
const textShare = 0.4;

/**
 * The documents that are text: in the order of their hashes, until they have their share.
 *
 * @param {string} corpus
 * @param {readonly Message[]} messages
 * @returns {Set<string>}
 */
export function documentsOfText(corpus, messages) {
  /** @type {Map<string, number>} */
  const sizes = new Map();
  for (const {document, english} of messages)
    sizes.set(document, (sizes.get(document) ?? 0) + english.length);
  const rank = (/** @type {string} */ name) => sha256Of(`${corpus}/${name}`);
  const ordered = [...sizes].map(([name, size]) => ({name, size, rank: rank(name)}));
  ordered.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  let left = textShare * ordered.reduce((sum, {size}) => sum + size, 0);
  const chosen = ordered.filter(({size}) => {
    const fits = size <= left;
    if (fits) left -= size;
    return fits;
  });
  return new Set(chosen.map(({name}) => name));
}

/**
 * Sentences that translate each other, each pair once.
 *
 * @param {readonly Message[]} messages
 * @param {string} language
 * @returns {Pair[]}
 */
export function pairsOf(messages, language) {
  const seen = new Set();
  return messages.flatMap(({document, english, other}) =>
    splitAlike(english, other).flatMap(([source, target]) => {
      const key = `${source}\t${target}`;
      if (seen.has(key) || !isTranslation(source, target, language)) return [];
      seen.add(key);
      return [{document, english: source, other: target}];
    }),
  );
}

/**
 * The sentences of documents, each once. What stayed English is left out of another language.
 *
 * @param {readonly Message[]} messages
 * @param {string} language
 * @returns {string[][]}
 */
export function sentencesOf(messages, language) {
  const seen = new Set();
  /** @type {Map<string, string[]>} */
  const documents = new Map();
  for (const {document, english, other} of messages) {
    const sentences = documents.get(document) ?? [];
    documents.set(document, sentences);
    const stayed = new Set(language === 'en' ? [] : sentencesIn(english));
    for (const sentence of sentencesIn(language === 'en' ? english : other)) {
      if (seen.has(sentence) || stayed.has(sentence) || !isSentence(sentence, language)) continue;
      seen.add(sentence);
      sentences.push(sentence);
    }
  }
  return [...documents.values()].filter((sentences) => sentences.length > 0);
}

/** @param {string} text paragraphs, a line each */
function sentencesIn(text) {
  return paragraphsOf(text).flatMap(splitSentences);
}
