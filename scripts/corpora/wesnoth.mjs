// The strings of The Battle for Wesnoth: its own mark-up, and the order in which scenarios say them.
import fs from 'node:fs';
import path from 'node:path';
import {listFiles} from '../setup/files.mjs';
import {gap} from './judge.mjs';

/** @typedef {import('./catalogue.mjs').Entry} Entry */

/** A string that is translated, in the language of the game's data; a quotation mark in it is doubled. */
const translatable = /_\s*"((?:[^"]|"")*)"/g;

/**
 * Where the strings of text domains stand: compiled catalogues are sorted by letters, and a story has an order.
 *
 * @typedef {object} Order
 * @property {(domain: string, entries: readonly Entry[]) => Entry[]} sort
 * @property {(domain: string, entry: Entry) => string} documentOf the file; the domain for what stands in no file
 */

/** @type {Map<string, Order>} */
const known = new Map();

/**
 * @param {readonly string[]} folders of unpacked packages
 * @returns {Order}
 */
export function orderOfStrings(folders) {
  const key = folders.join('\n');
  const order = known.get(key) ?? readOrder(folders);
  known.set(key, order);
  return order;
}

/**
 * @param {readonly string[]} folders
 * @returns {Order}
 */
function readOrder(folders) {
  /** @type {Map<string, {document: string, rank: number}>} */
  const places = new Map();
  for (const folder of folders)
    for (const file of listFiles(['.'], (name) => name.endsWith('.cfg'), folder))
      for (const {domain, string} of stringsOf(fs.readFileSync(path.join(folder, file), 'utf8'))) {
        const key = `${domain}\n${string}`;
        const document = file.replace(/^.*?\/data\//, '').replace(/\.cfg$/, '');
        if (!places.has(key)) places.set(key, {document, rank: places.size});
      }
  const placeOf = (/** @type {string} */ domain, /** @type {Entry} */ {source}) =>
    places.get(`${domain}\n${source}`);
  return {
    documentOf: (domain, entry) => placeOf(domain, entry)?.document ?? domain,
    sort: (domain, entries) => {
      const ranked = entries.map((entry) => ({entry, rank: placeOf(domain, entry)?.rank ?? places.size}));
      return ranked.sort((a, b) => a.rank - b.rank).map(({entry}) => entry);
    },
  };
}

/**
 * The translatable strings of a file in order, each with the text domain that is in force there.
 *
 * @param {string} text
 * @returns {{domain: string, string: string}[]}
 */
export function stringsOf(text) {
  const parts = text.split(/^[ \t]*#textdomain[ \t]+(\S+).*$/m);
  return parts.flatMap((part, index) => {
    if (index % 2 === 1) return [];
    const domain = parts[index - 1] ?? 'wesnoth';
    return [...part.matchAll(translatable)].map(([, string = '']) => ({
      domain,
      string: string.replaceAll('""', '"'),
    }));
  });
}

/**
 * The text of the help's own elements: `<ref>dst='x' text='orcs'</ref>` is orcs.
 *
 * @param {string} markup
 */
export function helpOfGame(markup) {
  return markup
    .replace(/<(ref|italic|bold|format|jump)>.*?\btext='((?:[^'\\]|\\.)*)'.*?<\/\1>/gs, '$2')
    .replace(/<(header|img|jump|bug|format)>.*?<\/\1>/gs, '\n')
    .replaceAll("\\'", "'");
}

/**
 * Text without mark-up, without what stands before `^` to tell messages apart, and with a gap for each variable.
 *
 * @param {string} markup
 */
export function textOfGame(markup) {
  return markup
    .replace(/^[^^\s.!?]*(?: [^^\s.!?]+){0,3}\^/, '')
    .replace(/<\/?(?:i|b|u|big|small|tt|span|sub|sup)\b[^<>]*>/g, '')
    .replace(/\$[\w.[\]]+\|?/g, gap);
}
