/** A bar while weights are written, in a terminal alone: elsewhere the result says all. */
import {createBar, type ProgressStream} from './bar.js';

/** Steps of a whole bar; what is seen is the percentage. */
const total = 1000;

/** Runs work that tells its share, with a bar that is gone afterwards. */
export async function withModelProgress<Result>(
  stream: ProgressStream,
  work: (onProgress: (done: number) => void) => Promise<Result>,
): Promise<Result> {
  if (!stream.isTTY) return work(() => undefined);
  const bar = createBar(stream, 'writing the weights {bar} {percentage} %');
  bar.start(total, 0);
  try {
    return await work((done) => bar.update(Math.floor(done * total)));
  } finally {
    bar.stop();
  }
}
