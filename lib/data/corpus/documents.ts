/** Text of one language: one sentence a line with a blank line between documents, or records that hold a document each. */
import {cleanText} from './clean.js';
import type {ReadOptions} from './bytes.js';
import {textFormatOf, type TextFormat} from './format.js';
import {readLines} from './lines.js';
import {onDemand} from './on-demand.js';
import {readJsonLines, textAt, type Placed} from './records.js';

/** The cleaned sentences of a document, at least one, none empty. */
export type Document = readonly string[];

/** Lines that count as a document where a file has no documents: enough for context, few enough to hold some out. */
const linesTogether = 16;

/** A file that shows no blank line in so many is taken to have none. */
const longestWait = 64 * linesTogether;

/** Options of `readDocuments`. */
export interface DocumentOptions extends ReadOptions {
  /** Default: what the file's name says. */
  readonly format?: TextFormat;
  /** Of records: path of the field that holds the text; default `text`. */
  readonly field?: string;
}

/**
 * The documents of a file in order, some thousands of sentences at a time.
 *
 * @throws what reading the format throws
 */
export function readDocuments(file: string, options: DocumentOptions): AsyncGenerator<Document[]> {
  return readers[options.format ?? textFormatOf(file)](file, options);
}

const readers: {
  readonly [K in TextFormat]: (file: string, options: DocumentOptions) => AsyncGenerator<Document[]>;
} = {
  text: readText,
  jsonl: (file, options) => recordDocuments(readJsonLines(file, options), options),
  parquet: (file, options) =>
    recordDocuments(
      onDemand(async () => (await import('./parquet.js')).readParquet(file, [fieldOfText(options)], options)),
      options,
    ),
};

function fieldOfText({field = 'text'}: DocumentOptions): string {
  return field;
}

/** Each record is a document, each of its lines a sentence. */
async function* recordDocuments(
  records: AsyncGenerator<Placed[]>,
  options: DocumentOptions,
): AsyncGenerator<Document[]> {
  const field = fieldOfText(options);
  for await (const batch of records) {
    const documents = batch
      .map((record) => textAt(record, field, options.option).split('\n').map(cleanText))
      .map((lines) => lines.filter((line) => line !== ''))
      .filter((sentences) => sentences.length > 0);
    if (documents.length > 0) yield documents;
  }
}

/** A file without blank lines is a list of sentences: every 16 lines count as a document, or nothing of it could be held out. */
async function* readText(file: string, options: ReadOptions): AsyncGenerator<Document[]> {
  let open: string[] = [];
  let isList: boolean | undefined;
  for await (const lines of readLines(file, options)) {
    const complete: Document[] = [];
    for (const line of lines) {
      const sentence = cleanText(line);
      if (sentence !== '') open.push(sentence);
      else if (open.length > 0) {
        isList ??= false;
        complete.push(open);
        open = [];
      }
      if (isList === undefined && open.length >= longestWait) isList = true;
      if (isList && open.length >= linesTogether) complete.push(...inGroups(open.splice(0)));
    }
    if (complete.length > 0) yield complete;
  }
  if (open.length > 0) yield isList === false ? [open] : inGroups(open);
}

function inGroups(sentences: readonly string[]): Document[] {
  const groups: Document[] = [];
  for (let at = 0; at < sentences.length; at += linesTogether)
    groups.push(sentences.slice(at, at + linesTogether));
  return groups;
}
