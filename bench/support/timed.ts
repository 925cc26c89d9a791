/** Wall times of runs in a row, with one wait at the end. */
import {scope, synchronize, type Device} from '../../lib/tensor/index.js';

/** Runs that were timed together. */
export interface Timed {
  /** Of one run. */
  readonly seconds: number;
  readonly runs: number;
}

/** Times so many runs that they last about `seconds` together; at least one. What each makes is freed. */
export async function timed(run: () => void, seconds: number, device?: Device): Promise<Timed> {
  const once = await timeOf(run, 1, device);
  const runs = Math.max(1, Math.ceil(seconds / once));
  return {seconds: runs === 1 ? once : await timeOf(run, runs, device), runs};
}

async function timeOf(run: () => void, runs: number, device?: Device): Promise<number> {
  await synchronize(device);
  const start = performance.now();
  for (let each = 0; each < runs; each++) scope(run);
  await synchronize(device);
  return (performance.now() - start) / 1000 / runs;
}
