// The folder of corpora: pairs/, mono/, sources.json and README.md, whole or not at all.
import fs from 'node:fs';
import path from 'node:path';
import {gzipSync} from 'node:zlib';
import {publishDirectory, publishFilled, removePublished} from '../../dist/lib/formats/atomic.js';
import {SetUpError} from '../setup/say.mjs';
import {sha256Of} from './checksum.mjs';
import {namePairs} from './name-pairs.mjs';
import {withProgress} from './progress.mjs';

/** @typedef {import('./name-pairs.mjs').Pair} Pair */

/** @typedef {{readonly name: string, readonly sha256: string}} InputFile */

/**
 * A corpus as it is written.
 *
 * @typedef {object} Corpus
 * @property {import('./sources.mjs').Source} source
 * @property {string} version of the package
 * @property {readonly InputFile[]} inputs the files that it was made from
 * @property {ReadonlyMap<string, readonly Pair[]>} pairs by language; English is the other side
 * @property {ReadonlyMap<string, readonly (readonly string[])[]>} mono documents, lists of sentences, by language
 */

/**
 * @typedef {object} WrittenFile
 * @property {string} file
 * @property {string} corpus
 * @property {string} language
 * @property {'pairs' | 'sentences'} unit
 * @property {number} count
 * @property {number} bytes packed
 * @property {string} sha256
 */

const sourcesFile = 'sources.json';

/**
 * Writes all corpora. A folder that this wrote before is replaced.
 *
 * @param {string} output
 * @param {readonly Corpus[]} corpora
 * @param {string} way how they were made, for people
 * @returns {Promise<readonly WrittenFile[]>}
 */
export async function writeCorpora(output, corpora, way) {
  checkOutput(output);
  /** @type {WrittenFile[]} */
  const files = [];
  const folder = path.resolve(output);
  const draft = `${folder}.new`;
  await removePublished(draft);
  await publishDirectory(draft, async (temporary) => {
    await withProgress({name: 'writing', total: corpora.length, unit: 'corpora'}, async (at) => {
      for (const [index, corpus] of corpora.entries()) {
        files.push(...writeCorpus(temporary, corpus));
        at(index + 1);
      }
    });
    fs.writeFileSync(path.join(temporary, sourcesFile), sourcesText(corpora, files, way));
    fs.writeFileSync(path.join(temporary, 'README.md'), readmeText(corpora, files, way));
  });
  await publishFilled(draft, folder);
  return files;
}

/**
 * Refuses a folder that holds something else.
 *
 * @param {string} output
 */
export function checkOutput(output) {
  const names = fs.existsSync(output) ? fs.readdirSync(output) : [];
  if (names.length > 0 && !names.includes(sourcesFile))
    throw new SetUpError(
      `corpora: ${output} holds other files, and no ${sourcesFile} of an earlier run; name a new folder`,
    );
}

/**
 * @param {string} folder
 * @param {Corpus} corpus
 */
function writeCorpus(folder, {source: {name}, pairs, mono}) {
  /** @type {WrittenFile[]} */
  const files = [];
  for (const [language, rows] of namePairs(pairs)) {
    if (rows.length === 0) continue;
    const lines = [['id', 'en', language], ...rows.map(({id, english, other}) => [id, english, other])];
    const text = lines.map((cells) => `${cells.join('\t')}\n`).join('');
    const file = `pairs/${name}.en-${language}.tsv.gz`;
    files.push({
      corpus: name,
      language,
      unit: 'pairs',
      count: rows.length,
      ...writePacked(folder, file, text),
    });
  }
  for (const [language, documents] of mono) {
    if (documents.length === 0) continue;
    const text = `${documents.map((document) => document.join('\n')).join('\n\n')}\n`;
    const file = `mono/${name}.${language}.txt.gz`;
    const count = documents.reduce((sum, document) => sum + document.length, 0);
    files.push({corpus: name, language, unit: 'sentences', count, ...writePacked(folder, file, text)});
  }
  return files;
}

/**
 * @param {string} folder
 * @param {string} file
 * @param {string} text
 */
function writePacked(folder, file, text) {
  const packed = gzipSync(text, {level: 9});
  fs.mkdirSync(path.dirname(path.join(folder, file)), {recursive: true});
  fs.writeFileSync(path.join(folder, file), packed);
  return {file, bytes: packed.length, sha256: sha256Of(packed)};
}

/**
 * @param {readonly Corpus[]} corpora
 * @param {readonly WrittenFile[]} files
 * @param {string} way
 */
function sourcesText(corpora, files, way) {
  const sources = corpora.map(({source, version, inputs}) => ({...source, version, inputs}));
  return `${JSON.stringify({made: way, sources, files}, undefined, 2)}\n`;
}

/**
 * @param {readonly Corpus[]} corpora
 * @param {readonly WrittenFile[]} files
 * @param {string} way
 */
function readmeText(corpora, files, way) {
  const tables = /** @type {const} */ ([
    ['pairs', 'Sentence pairs with English'],
    ['sentences', 'Sentences of one language'],
  ]).map(([unit, title]) => `## ${title}\n\n${countTable(corpora, files, unit)}`);
  const licences = corpora.map(
    ({source, version}) =>
      `- **${source.name}**: ${source.package} ${version}. ${source.attribution} Licence: ${source.licence}.`,
  );
  return [
    '# Corpora',
    `Made by \`npm run corpora\`, ${way}. Each text stays under its own licence; whoever passes it on keeps this list.`,
    ...tables,
    `## Sources\n\n${licences.join('\n')}`,
    'Changes: mark-up was removed and the text split into sentences; those of unusual length, without a counterpart, left in English or said before were left out.',
  ]
    .join('\n\n')
    .concat('\n');
}

/**
 * Corpora by languages, with sums.
 *
 * @param {readonly Corpus[]} corpora
 * @param {readonly WrittenFile[]} files
 * @param {'pairs' | 'sentences'} unit
 */
export function countTable(corpora, files, unit) {
  const own = files.filter((file) => file.unit === unit);
  const columns = [...new Set(own.map(({language}) => language))].sort();
  const names = corpora.map(({source}) => source.name);
  const count = (/** @type {(file: WrittenFile) => boolean} */ wanted) =>
    own.filter(wanted).reduce((sum, file) => sum + file.count, 0);
  const row = (/** @type {readonly (string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [
    row(['', ...columns]),
    row(['---', ...columns.map(() => '---:')]),
    ...names.map((name) =>
      row([
        name,
        ...columns.map((language) => count((file) => file.corpus === name && file.language === language)),
      ]),
    ),
    row(['all', ...columns.map((language) => count((file) => file.language === language))]),
  ].join('\n');
}
