/** Sentence pairs: two files with matching lines (Moses), or two columns of one tab-separated file. */
import {CrossmapError} from '../../errors.js';
import {cleanText} from './clean.js';
import {readLines, type ReadOptions} from './lines.js';

/** Cleaned text of the source and the target side; a side may be empty. */
export type SentencePair = readonly [source: string, target: string];

/** Where the pairs of one entry of `data.parallel` lie. */
export interface PairFiles {
  readonly source: string;
  readonly target: string;
  readonly files?: readonly [string, string];
  readonly file?: string;
  /** Counted from 0; default [0, 1]. */
  readonly columns?: readonly [number, number];
  /** The entry, for errors: `data.parallel[0]`. */
  readonly option: string;
}

/**
 * The pairs of an entry in the order of its lines, some thousands at a time. A first row of a tab-separated file that has the two
 * language codes in the two columns is a heading and no pair.
 *
 * @throws ERR_DATA for files with unequal numbers of lines and for a row without the column; what `readLines` throws
 */
export async function* readPairs(
  corpus: PairFiles,
  options: Omit<ReadOptions, 'option'>,
): AsyncGenerator<SentencePair[]> {
  const {files, file, option} = corpus;
  if (files !== undefined) yield* readMoses(files, {...options, option});
  else if (file !== undefined) yield* readColumns(file, corpus, options);
}

async function* readMoses(
  [sourceFile, targetFile]: readonly [string, string],
  options: ReadOptions,
): AsyncGenerator<SentencePair[]> {
  const source = createLineQueue(sourceFile, options);
  const target = createLineQueue(targetFile, options);
  try {
    while ((await source.fill()) && (await target.fill())) {
      const count = Math.min(source.waiting(), target.waiting());
      const targets = target.take(count);
      yield source.take(count).map((x, i): SentencePair => [cleanText(x), cleanText(targets[i] ?? '')]);
    }
    const [lines, others] = [await source.count(), await target.count()];
    if (lines !== others)
      throw new CrossmapError(
        'ERR_DATA',
        `${sourceFile} has ${lines} lines and ${targetFile} has ${others}; line n of one must translate line n of the other (${options.option})`,
      );
  } finally {
    await source.close();
    await target.close();
  }
}

/** Lines of a file that wait for those of the other file. */
interface LineQueue {
  /** Makes at least one line wait; false at the end of the file. */
  fill(): Promise<boolean>;
  waiting(): number;
  take(count: number): string[];
  /** Reads to the end; the number of lines of the whole file. */
  count(): Promise<number>;
  close(): Promise<void>;
}

function createLineQueue(file: string, options: ReadOptions): LineQueue {
  const lines = readLines(file, options);
  let queue: string[] = [];
  let at = 0;
  let read = 0;
  const next = async (): Promise<boolean> => {
    const {done, value} = await lines.next();
    if (done) return false;
    queue = value;
    at = 0;
    read += value.length;
    return true;
  };
  return {
    async fill() {
      while (at === queue.length) if (!(await next())) return false;
      return true;
    },
    waiting: () => queue.length - at,
    take(count) {
      at += count;
      return queue.slice(at - count, at);
    },
    async count() {
      while (await next());
      return read;
    },
    close: async () => void (await lines.return(undefined)),
  };
}

async function* readColumns(
  file: string,
  {source, target, columns: [first, second] = [0, 1], option}: PairFiles,
  options: Omit<ReadOptions, 'option'>,
): AsyncGenerator<SentencePair[]> {
  const last = Math.max(first, second);
  let line = 0;
  for await (const lines of readLines(file, {...options, option})) {
    const pairs: SentencePair[] = [];
    for (const text of lines) {
      line++;
      if (text === '') continue;
      const cells = text.split('\t');
      if (cells.length <= last)
        throw new CrossmapError(
          'ERR_DATA',
          `${file}:${line}: has ${cells.length} tab-separated columns; column ${last} (counted from 0) is needed for ${option}`,
        );
      const pair: SentencePair = [cleanText(cells[first] ?? ''), cleanText(cells[second] ?? '')];
      if (line > 1 || pair[0] !== source || pair[1] !== target) pairs.push(pair);
    }
    if (pairs.length > 0) yield pairs;
  }
}
