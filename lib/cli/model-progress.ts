/** A bar while weights are written, in a terminal alone: elsewhere the result says all. */
import {SingleBar} from 'cli-progress';
import type {ProgressStream} from './progress.js';

/** Steps of a whole bar; what is seen is the percentage. */
const total = 1000;

/** Runs work that tells its share, with a bar that is gone afterwards. */
export async function withModelProgress<Result>(
  stream: ProgressStream,
  work: (onProgress: (done: number) => void) => Promise<Result>,
): Promise<Result> {
  if (!stream.isTTY) return work(() => undefined);
  const bar = new SingleBar({
    stream,
    format: 'writing the weights {bar} {percentage} %',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    clearOnComplete: true,
    hideCursor: true,
    linewrap: false,
    gracefulExit: false, // interrupts are for the work, which stops by itself
  });
  bar.start(total, 0);
  try {
    return await work((done) => bar.update(Math.floor(done * total)));
  } finally {
    bar.stop();
  }
}
