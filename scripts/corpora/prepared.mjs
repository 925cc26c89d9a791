// Corpora that were prepared before, in the formats that crossmap reads, brought into one layout.
import fs from 'node:fs';
import path from 'node:path';
import {gunzipSync} from 'node:zlib';
import {readDocuments} from '../../dist/lib/data/corpus/documents.js';
import {readPairs} from '../../dist/lib/data/corpus/pairs.js';
import {readParquet} from '../../dist/lib/data/corpus/parquet.js';
import {fieldOf, readJsonLines} from '../../dist/lib/data/corpus/records.js';
import {readLines} from '../../dist/lib/data/corpus/lines.js';
import {SetUpError, say, since} from '../setup/say.mjs';
import {sha256OfFile} from './checksum.mjs';
import {languages, sources} from './sources.mjs';

/** @typedef {import('./write.mjs').Corpus} Corpus */
/** @typedef {import('./write.mjs').Pair} Pair */

/**
 * How a corpus may lie in the folder: the files of a pair of languages, and what gives its units their names.
 *
 * @type {readonly {files: (stem: string, language: string) => string[], ids: (file: string) => Promise<string[]>}[]}
 */
const formats = [
  {files: (stem, language) => [`moses/${stem}.en.gz`, `moses/${stem}.${language}.gz`], ids: async () => []},
  {files: (stem) => [`tsv/${stem}.tsv.gz`], ids: idsOfColumns},
  {files: (stem) => [`jsonl/${stem}.jsonl.gz`], ids: (file) => idsOfRecords(readJsonLines(file, {option}))},
  {files: (stem) => [`tmx/${stem}.tmx.gz`], ids: async (file) => idsOfUnits(file)},
  {
    files: (stem) => [`parquet/${stem}.parquet`],
    ids: (file) => idsOfRecords(readParquet(file, ['id'], {option})),
  },
];

/** What an error names beside the file. */
const option = '--from';

/**
 * All corpora of the folder that are among the sources, in the languages of the experiment.
 *
 * @param {string} folder
 * @param {readonly string[]} names of those that are wanted
 * @returns {Promise<Corpus[]>}
 */
export async function readPrepared(folder, names) {
  /** @type {Corpus[]} */
  const corpora = [];
  for (const source of sources.filter(({name}) => names.includes(name))) {
    const start = performance.now();
    const inputs = new Set(/** @type {string[]} */ ([]));
    const pairs = new Map();
    for (const language of languages)
      pairs.set(language, await pairsOf(folder, source.name, language, inputs));
    const mono = new Map();
    for (const language of ['en', ...languages])
      mono.set(language, await documentsOf(folder, `mono/${source.name}.${language}.txt.gz`, inputs));
    if (inputs.size === 0) continue;
    /** @type {import('./write.mjs').InputFile[]} */
    const hashed = [];
    for (const name of inputs) hashed.push({name, sha256: await sha256OfFile(path.join(folder, name))});
    corpora.push({
      source,
      version: '(prepared)',
      inputs: hashed,
      pairs,
      mono,
    });
    say(`${source.name}: ${inputs.size} files in ${since(start)}`);
  }
  if (corpora.length === 0)
    throw new SetUpError(
      `corpora: ${folder} has none of ${names.join(', ')} in moses/, tsv/, jsonl/, tmx/ or parquet/`,
    );
  return corpora;
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {string} language
 * @param {Set<string>} inputs takes the files that were read
 * @returns {Promise<Pair[]>}
 */
async function pairsOf(folder, name, language, inputs) {
  const stem = `${name}.en-${language}`;
  const found = formats
    .map(({files, ids}) => ({files: files(stem, language), ids}))
    .find(({files}) => files.every((file) => fs.existsSync(path.join(folder, file))));
  if (found === undefined) return [];
  for (const file of found.files) inputs.add(file);
  const [first = '', second] = found.files.map((file) => path.join(folder, file));
  const ids = await found.ids(first);
  /** @type {readonly [number, number]} */
  const columns = ids.length > 0 ? [1, 2] : [0, 1];
  /** @type {Pick<import('../../dist/lib/data/corpus/pairs.js').PairFiles, 'file' | 'files' | 'columns'>} */
  const where = second === undefined ? {file: [first], columns} : {files: [first, second]};
  /** @type {Pair[]} */
  const pairs = [];
  for await (const batch of readPairs({source: 'en', target: language, option, ...where}, {}))
    for (const [english, other] of batch)
      pairs.push({document: documentOf(ids[pairs.length] ?? ''), english, other});
  if (ids.length > 0 && ids.length !== pairs.length)
    throw new SetUpError(`corpora: ${first} has ${ids.length} names for ${pairs.length} pairs`);
  return pairs;
}

/** @param {string} id `DOCUMENT#n` */
function documentOf(id) {
  return id.slice(0, Math.max(0, id.lastIndexOf('#')));
}

/**
 * The first column, where the heading calls it `id`.
 *
 * @param {string} file
 */
async function idsOfColumns(file) {
  /** @type {string[]} */
  const lines = [];
  for await (const batch of readLines(file, {option})) lines.push(...batch);
  const [heading = '', ...rows] = lines
    .filter((line) => line !== '')
    .map((line) => line.split('\t', 1)[0] ?? '');
  return heading === 'id' ? rows : [];
}

/** @param {AsyncGenerator<import('../../dist/lib/data/corpus/records.js').Placed[]>} records */
async function idsOfRecords(records) {
  /** @type {string[]} */
  const ids = [];
  for await (const batch of records)
    for (const {value} of batch) {
      const id = fieldOf(value, 'id');
      if (typeof id === 'string') ids.push(id);
    }
  return ids;
}

/**
 * The reader of TMX gives the text of units and not their names: those stand in the same order.
 *
 * @param {string} file
 */
function idsOfUnits(file) {
  const text = gunzipSync(fs.readFileSync(file)).toString('utf8');
  return [...text.matchAll(/<tu\s[^>]*?\btuid="([^"]*)"/g)].map(([, id = '']) => id);
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {Set<string>} inputs
 */
async function documentsOf(folder, name, inputs) {
  const file = path.join(folder, name);
  if (!fs.existsSync(file)) return [];
  inputs.add(name);
  /** @type {(readonly string[])[]} */
  const documents = [];
  for await (const batch of readDocuments(file, {option})) documents.push(...batch);
  return documents;
}
