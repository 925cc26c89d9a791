// node scripts/data/demo-text.mjs <folder of corpora>: makes the text that `crossmap demo` trains on, in data/. NOTICE names the
// sources. The folder holds mono/, moses/, tsv/ and tmx/ of the LibreOffice help and the Debian handbook; the result is committed.
import fs from 'node:fs';
import path from 'node:path';
import {gunzipSync, gzipSync} from 'node:zlib';

/** What a language takes of each kind: enough for minutes of training, and small. */
const textBytes = 560_000;
const pairCount = 1600;

/** Languages with text of their own and pairs with English from the LibreOffice help. */
const languages = /** @type {const} */ (['cs', 'uk', 'zh', 'ta', 'hi']);

const target = new URL('../../data/', import.meta.url);

/** @typedef {readonly [english: string, other: string]} Pair */

/**
 * Every so many items, so that all parts of a corpus are there.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {number} share
 * @returns {T[]}
 */
function evenly(items, share) {
  return items.filter((_, i) => Math.floor((i + 1) * share) > Math.floor(i * share));
}

/**
 * @param {string} root
 * @param {string} file
 * @returns {string}
 */
function read(root, file) {
  return gunzipSync(fs.readFileSync(path.join(root, file))).toString('utf8');
}

/**
 * @param {string} name
 * @param {string} text
 */
function write(name, text) {
  const packed = gzipSync(text, {level: 9});
  fs.writeFileSync(new URL(name, target), packed);
  process.stdout.write(`${name}: ${Buffer.byteLength(text)} bytes, ${packed.length} packed\n`);
}

/**
 * @param {string} text
 * @returns {string[]}
 */
function linesOf(text) {
  return text.split('\n').filter((line) => line !== '');
}

/**
 * @param {string} root
 * @param {string} language
 */
function writeText(root, language) {
  const text = read(root, `mono/libreoffice-help.${language}.txt.gz`);
  const documents = text.trim().split(/\n{2,}/);
  write(
    `${language}.txt.gz`,
    joinDocuments(evenly(documents, Math.min(1, textBytes / Buffer.byteLength(text)))),
  );
}

/** @param {readonly string[]} documents */
function joinDocuments(documents) {
  return `${documents.join('\n\n')}\n`;
}

/**
 * @param {string} language
 * @param {readonly Pair[]} pairs
 */
function writePairs(language, pairs) {
  const rows = [['en', language], ...evenly(pairs, Math.min(1, pairCount / pairs.length))];
  write(`en-${language}.tsv.gz`, rows.map((row) => `${row.join('\t')}\n`).join(''));
}

/**
 * Pairs with English from the LibreOffice help, which comes in another format for Czech and Ukrainian.
 *
 * @param {string} root
 * @param {string} language
 * @returns {Pair[]}
 */
function helpPairs(root, language) {
  if (language === 'cs') return columns(read(root, 'tsv/libreoffice-help.en-cs.tsv.gz'), 0, 1);
  if (language === 'uk') return translationUnits(read(root, 'tmx/libreoffice-help.en-uk.tmx.gz'));
  const [english, other] = ['en', language].map((side) =>
    linesOf(read(root, `moses/libreoffice-help.en-${language}.${side}.gz`)),
  );
  return (english ?? []).map((line, i) => [line, other?.[i] ?? '']);
}

/**
 * @param {string} text
 * @param {number} first
 * @param {number} second
 * @returns {Pair[]}
 */
function columns(text, first, second) {
  return linesOf(text)
    .slice(1)
    .map((line) => line.split('\t'))
    .map((cells) => [cells[first] ?? '', cells[second] ?? '']);
}

/**
 * @param {string} text TMX with one unit a line
 * @returns {Pair[]}
 */
function translationUnits(text) {
  return linesOf(text).flatMap((line) => {
    const [english, other] = [...line.matchAll(/<seg>(.*?)<\/seg>/g)].map(([, segment = '']) =>
      unescape(segment),
    );
    return english === undefined || other === undefined ? [] : [/** @type {Pair} */ ([english, other])];
  });
}

/** @param {string} text */
function unescape(text) {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

/**
 * Arabic from the Debian handbook: every second section is text, the others are pairs.
 *
 * @param {string} root
 */
function writeArabic(root) {
  /** @type {Map<string, Pair[]>} */
  const sections = new Map();
  for (const line of linesOf(read(root, 'tsv/debian-handbook.en-ar.tsv.gz')).slice(1)) {
    const [id = '', english = '', arabic = ''] = line.split('\t');
    const section = id.replace(/\.\d+\.\d+$/, '');
    sections.set(section, [...(sections.get(section) ?? []), [english, arabic]]);
  }
  const all = [...sections.values()];
  const text = all.filter((_, i) => i % 2 === 0);
  write('ar.txt.gz', joinDocuments(text.map((pairs) => pairs.map(([, arabic]) => arabic).join('\n'))));
  writePairs('ar', all.filter((_, i) => i % 2 === 1).flat());
}

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error('usage: node scripts/data/demo-text.mjs <folder of corpora>');
fs.mkdirSync(target, {recursive: true});
for (const language of ['en', ...languages]) writeText(root, language);
for (const language of languages) writePairs(language, helpPairs(root, language));
writeArabic(root);
