/** Wall times of runs, by the package `benchmark`, in alternation. */
import Benchmark from 'benchmark';
import {scope, synchronize} from '../../lib/tensor/index.js';
import {sized} from './quick.js';
import {timesOf, type Times} from './statistics.js';

/**
 * One run of what is measured. Tensors that it makes before it returns are freed for it; a promise is for peers that do not use our tensors.
 */
export type Run = () => unknown;

// A sample is repeated until it lasts this long, so that the clock and the wait for the device do not count.
const leastSampleSeconds = sized(0.02, 0.0001);
const leastRounds = sized(7, 2);
const mostRounds = 60;

/** Runs it, waits until it is done, and frees what it made. */
export async function runOnce(run: Run): Promise<void> {
  let result: unknown;
  scope(() => {
    result = run();
  });
  await result;
  await synchronize();
}

/**
 * Times of each run. They take turns, so that what else the machine does hits all alike; the first turn warms up and is dropped.
 *
 * @param seconds of measurement for all together; at least seven rounds are made, on a quick run two
 */
export async function measure(runs: readonly Run[], seconds: number): Promise<Times[]> {
  const samples = runs.map((): number[] => []);
  const repeats = runs.map(() => 1);
  let end = Infinity;
  for (let round = 0; round <= mostRounds && (round <= leastRounds || performance.now() < end); round++) {
    for (const [index, run] of runs.entries()) {
      const time = await sample(run, repeats[index] ?? 1);
      repeats[index] = Math.max(1, Math.ceil(leastSampleSeconds / time));
      if (round > 0) samples[index]?.push(time);
    }
    if (round === 0) end = performance.now() + seconds * 1000;
  }
  return samples.map(timesOf);
}

/** Seconds of one run: the mean over `repeats` of them, or over as many as the least length of a sample takes. */
async function sample(run: Run, repeats: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const benchmark = new Benchmark({
      defer: true,
      delay: 0,
      initCount: repeats,
      minSamples: 1,
      maxTime: 1e-9, // ends after the first sample: the turns are ours to give
      minTime: leastSampleSeconds,
      fn(deferred: {resolve: () => void}) {
        void runOnce(run).then(deferred.resolve.bind(deferred), reject);
      },
      onComplete() {
        resolve(benchmark.stats.mean);
      },
      onError() {
        reject(benchmark.error);
      },
    });
    benchmark.run({async: true});
  });
}
