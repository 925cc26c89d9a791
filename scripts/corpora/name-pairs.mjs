// Names of pairs: one for one English sentence, in every language and in whatever format the corpus lay.
import {sha256Of} from './checksum.mjs';

/**
 * Sentences that translate each other.
 *
 * @typedef {object} Pair
 * @property {string} document that they stand in; empty where it is not known
 * @property {string} english
 * @property {string} other
 */

/** Letters of a hash that names a sentence: a corpus of 100,000 has two of one name once in 50,000 times. */
const nameLetters = 12;

/**
 * Pairs named `DOCUMENT#HASH`, with the hash of the English sentence: neither its place in a file nor how a translation was split
 * tells which sentence it is. A document that one language knows is that of the sentence in all. Another translation of the same
 * sentence in the same document has a number, from 2.
 *
 * @param {ReadonlyMap<string, readonly Pair[]>} pairs of a corpus, by language
 * @returns {Map<string, {id: string, english: string, other: string}[]>}
 */
export function namePairs(pairs) {
  /** @type {Map<string, string>} */
  const documents = new Map();
  for (const {document, english} of [...pairs.values()].flat())
    if (document !== '' && !documents.has(english)) documents.set(english, document);
  const named = [...pairs].map(([language, list]) => {
    /** @type {Map<string, number>} */
    const counts = new Map();
    const rows = list.map(({document, english, other}) => {
      const name = `${document || (documents.get(english) ?? '')}#${hashOf(english)}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      return {id: count === 1 ? name : `${name}.${count}`, english, other};
    });
    return /** @type {const} */ ([language, rows]);
  });
  return new Map(named);
}

/** @param {string} text */
function hashOf(text) {
  return sha256Of(text).slice(0, nameLetters);
}
