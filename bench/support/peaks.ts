/** What the processor reaches at most: the rates to which kernels answer. */
import {native} from '../../lib/native.js';
import {zeros, type FloatDType} from '../../lib/tensor/index.js';
import type {Peaks} from './comparison.js';
import {timed} from './timed.js';

/** Beyond the caches of most processors, read and write together. */
const copiedBytes = 2 ** 27;

/**
 * Multiply-adds in registers, and a copy of memory, both by loops of our own on all threads of the CPU device.
 *
 * @param seconds of each loop
 */
export async function measurePeaks(dtype: FloatDType, seconds: number): Promise<Peaks> {
  return {...(await flopPeak(dtype, seconds)), bytesPerSecond: await copyRate(seconds)};
}

/** Of the ways in which the processor multiplies elements of this dtype the fastest counts: not on all is the special one. */
export async function flopPeak(dtype: FloatDType, seconds: number): Promise<FlopPeak> {
  let best: FlopPeak = {flopsPerSecond: 0, flopsBy: ''};
  for (const name of native.multiplyAdds(dtype)) {
    let flops = 0;
    const run = (): void => void (flops = native.runPeakLoops(name));
    const {seconds: once} = await timed(run, seconds, 'cpu');
    if (flops / once > best.flopsPerSecond)
      best = {flopsPerSecond: flops / once, flopsBy: `a loop of ${name}`};
  }
  return best;
}

type FlopPeak = Required<Pick<Peaks, 'flopsBy' | 'flopsPerSecond'>>;

/** Bytes read and written. */
async function copyRate(seconds: number): Promise<number> {
  const from = zeros([copiedBytes], {dtype: 'uint8', device: 'cpu'});
  const to = zeros([copiedBytes], {dtype: 'uint8', device: 'cpu'});
  const run = (): void => to.copyFrom(from);
  await timed(run, 0, 'cpu'); // the first touches the pages
  const {seconds: once} = await timed(run, seconds, 'cpu');
  from.dispose();
  to.dispose();
  return (2 * copiedBytes) / once;
}
