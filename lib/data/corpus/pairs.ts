/** Sentence pairs, in whatever format they lie. */
import type {ReadOptions} from './bytes.js';
import {cleanText} from './clean.js';
import {readColumns} from './columns.js';
import {pairFormatOf, type PairFormat} from './format.js';
import {readMoses} from './moses.js';
import {onDemand} from './on-demand.js';
import {fieldOf, readJsonLines, textAt, type Placed} from './records.js';

/** Cleaned text of the source and the target side; a side may be empty. */
export type SentencePair = readonly [source: string, target: string];

/** Where the pairs of one entry of `data.parallel` lie. */
export interface PairFiles {
  /** Language of the first side. */
  readonly source: string;
  /** Language of the second side. */
  readonly target: string;
  /** Two with matching lines. */
  readonly files?: readonly [string, string];
  /** Files that hold both sides, one after the other. */
  readonly file?: readonly string[];
  /** Of `file`; default: what each name says. */
  readonly format?: PairFormat;
  /** Of tab-separated files, counted from 0; default [0, 1]. */
  readonly columns?: readonly [number, number];
  /** Of records; default the two languages, alone or in a field `translation`. */
  readonly fields?: readonly [string, string];
  /** The entry, for errors: `data.parallel[0]`. */
  readonly option: string;
}

/** How an entry is read. @inline */
type PairOptions = Omit<ReadOptions, 'option'>;

/**
 * The pairs of an entry in the order of its files, some thousands at a time.
 *
 * @throws what reading the format throws
 */
export async function* readPairs(corpus: PairFiles, options: PairOptions): AsyncGenerator<SentencePair[]> {
  const {files, file: rest = [], option} = corpus;
  const sources = files
    ? [readMoses(files, {...options, option})]
    : rest.map((file) => readers[corpus.format ?? pairFormatOf(file)](file, corpus, {...options, option}));
  for (const pairs of sources)
    for await (const batch of pairs) yield batch.map(([x, y]) => [cleanText(x), cleanText(y)]);
}

/** Sentences of two languages, sentence n of one the translation of sentence n of the other. */
export interface Sides {
  /** Language of `sources`. */
  readonly source: string;
  /** Language of `targets`. */
  readonly target: string;
  /** [pairs] cleaned text. */
  readonly sources: readonly string[];
  /** [pairs] cleaned text, translations of `sources`. */
  readonly targets: readonly string[];
}

/**
 * The pairs of an entry that have both sides, the first of them up to a limit.
 *
 * @throws what reading the format throws
 */
export async function readSides(
  corpus: PairFiles,
  {limit = Infinity, ...options}: PairOptions & {readonly limit?: number | undefined},
): Promise<Sides> {
  const {source, target} = corpus;
  const pairs: SentencePair[] = [];
  for await (const batch of readPairs(corpus, options)) {
    pairs.push(...batch.filter(([x, y]) => x !== '' && y !== ''));
    if (pairs.length >= limit) break;
  }
  const kept = pairs.slice(0, limit);
  return {source, target, sources: kept.map(([x]) => x), targets: kept.map(([, y]) => y)};
}

type RawPairs = AsyncGenerator<(readonly [string, string])[]>;

const readers: {
  readonly [K in PairFormat]: (file: string, corpus: PairFiles, options: ReadOptions) => RawPairs;
} = {
  tsv: (file, corpus, options) => readColumns(file, corpus.columns ?? [0, 1], {...options, ...corpus}),
  tmx: (...args) => onDemand(async () => (await import('./tmx.js')).readTmx(...args)),
  po: (...args) => onDemand(async () => (await import('./po.js')).readPo(...args)),
  jsonl: (file, corpus, options) => recordPairs(readJsonLines(file, options), corpus),
  parquet: (file, corpus, options) =>
    recordPairs(
      onDemand(async () => {
        const {readParquet} = await import('./parquet.js');
        return readParquet(file, corpus.fields ?? candidates(corpus).flat(), options);
      }),
      corpus,
    ),
};

/** Where the two sides are looked for, the first that the first record has. */
function candidates({source, target}: PairFiles): readonly (readonly [string, string])[] {
  return [
    [source, target],
    [`translation.${source}`, `translation.${target}`],
  ];
}

async function* recordPairs(records: AsyncGenerator<Placed[]>, corpus: PairFiles): RawPairs {
  let {fields} = corpus;
  for await (const batch of records) {
    fields ??= candidates(corpus).find((paths) =>
      paths.every((path) => fieldOf(batch[0]?.value, path) !== undefined),
    ) ?? [corpus.source, corpus.target];
    const [x, y] = fields;
    yield batch.map(
      (record) => [textAt(record, x, corpus.option), textAt(record, y, corpus.option)] as const,
    );
  }
}
