/** Two files with matching lines: Moses style. */
import {CrossmapError} from '../../errors.js';
import type {ReadOptions} from './bytes.js';
import {readLines} from './lines.js';

/**
 * Line n of one file beside line n of the other, some thousands at a time.
 *
 * @throws ERR_DATA for files with unequal numbers of lines; what `readLines` throws
 */
export async function* readMoses(
  [sourceFile, targetFile]: readonly [string, string],
  options: ReadOptions,
): AsyncGenerator<(readonly [string, string])[]> {
  const source = createLineQueue(sourceFile, options);
  const target = createLineQueue(targetFile, options);
  try {
    while ((await source.fill()) && (await target.fill())) {
      const count = Math.min(source.waiting(), target.waiting());
      const targets = target.take(count);
      yield source.take(count).map((x, i) => [x, targets[i] ?? ''] as const);
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
