/** Reads the folder that `npm run corpora` writes. */
import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {gunzipSync} from 'node:zlib';
import {hashOf} from './hash-order.js';
import type {Pair} from './pairs.js';

/** Rows of a corpus without documents that are taken for one: enough that neighbours stay together. */
const rowsTogether = 25;

/** A document: its sentences. */
export type Document = readonly string[];

/** Corpora, by their names, in a folder. */
export interface Corpora {
  readonly folder: string;
  readonly names: readonly string[];
}

/** All pairs of the hub with a language. A corpus that has none is passed over. */
export async function readPairs(corpora: Corpora, hub: string, language: string): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (const {corpus, file} of filesOf(corpora, `pairs/*.${hub}-${language}.tsv.gz`)) {
    const [header = '', ...lines] = await linesOf(file);
    if (header !== `id\t${hub}\t${language}`)
      throw new Error(`${file}: its first line is ${JSON.stringify(header)}, not id, ${hub}, ${language}`);
    for (const [row, line] of lines.entries()) {
      const [id = '', source = '', target = ''] = line.split('\t');
      const document = id.startsWith('#')
        ? `${Math.floor(row / rowsTogether)}`
        : id.slice(0, id.lastIndexOf('#'));
      pairs.push({document: `${corpus}/${document}`, source, target});
    }
  }
  return pairs;
}

/** All documents of a language. */
export async function readDocuments(corpora: Corpora, language: string): Promise<Document[]> {
  const documents: string[][] = [[]];
  for (const {file} of filesOf(corpora, `mono/*.${language}.txt.gz`))
    for (const line of [...(await linesOf(file)), ''])
      if (line === '') documents.push([]);
      else documents.at(-1)?.push(line);
  return documents.filter((document) => document.length > 0);
}

/** Identity of the text of some languages. */
export async function hashOfCorpora(
  corpora: Corpora,
  hub: string,
  languages: readonly string[],
): Promise<string> {
  const patterns = languages.map((language) => `pairs/*.${hub}-${language}.tsv.gz`);
  const texts = [hub, ...languages].map((language) => `mono/*.${language}.txt.gz`);
  const hashes: string[] = [];
  for (const pattern of [...patterns, ...texts])
    for (const {corpus, file} of filesOf(corpora, pattern))
      hashes.push(`${pattern} ${corpus} ${hashOf((await linesOf(file)).join('\n'))}`);
  return hashOf(hashes.join('\n'));
}

/** The files of a pattern in which `*` is a corpus: those that are there, one at least. */
function filesOf({folder, names}: Corpora, pattern: string): {corpus: string; file: string}[] {
  const files = names
    .map((corpus) => ({corpus, file: join(folder, pattern.replace('*', corpus))}))
    .filter(({file}) => existsSync(file));
  if (files.length === 0)
    throw new Error(
      `${folder} has no ${pattern} of ${names.join(', ')}: run npm run corpora -- --output ${folder}`,
    );
  return files;
}

/** Lines without the empty one at the end. */
async function linesOf(file: string): Promise<string[]> {
  const text = gunzipSync(await readFile(file)).toString('utf8');
  return text.replace(/\n+$/, '').split('\n');
}
