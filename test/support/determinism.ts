/** Results must not depend on the number of threads. */
import type {ExecutionContext} from 'ava';
import {setThreads, type Tensor} from '../../lib/tensor/index.js';

/**
 * Passes if `run` gives the same bits on one thread, on two and on five.
 *
 * @param run enqueues its ops before it returns: the number of threads is that of the moment
 */
export async function sameOnAnyThreads(t: ExecutionContext, run: () => readonly Tensor[]): Promise<void> {
  const results = [1, 2, 5].map((threads) => {
    setThreads(threads);
    return run().map((each) => each.data());
  });
  setThreads(2);
  const [first, ...others] = await Promise.all(results.map((each) => Promise.all(each)));
  for (const other of others) t.deepEqual(other, first);
}
