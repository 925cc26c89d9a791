/** metrics.jsonl: every event of a run, one a line. */
import {open, type FileHandle} from 'node:fs/promises';
import {CrossmapError} from '../errors.js';
import type {TrainEvent} from './events.js';

/** A metrics file that is written to. */
interface Metrics {
  /** @throws ERR_IO */
  write(event: TrainEvent): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a metrics file for appending.
 *
 * @param options.fresh empties it first
 * @throws ERR_IO
 */
export async function openMetrics(path: string, {fresh}: {readonly fresh: boolean}): Promise<Metrics> {
  const inFile = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CrossmapError('ERR_IO', `cannot write ${path}: ${reason}`, {cause});
    }
  };
  return inFile(async () => {
    const file = await open(path, fresh ? 'w+' : 'a+');
    if (await endsInLine(file)) await file.appendFile('\n');
    return {
      write: (event) => inFile(() => file.appendFile(`${JSON.stringify(event)}\n`)),
      close: () => file.close(),
    };
  });
}

/** Whether the last line has no end: a killed run may have left half of one. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const {size} = await file.stat();
  if (size === 0) return false;
  const {buffer} = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 10;
}
