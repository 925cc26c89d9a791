/**
 * Our side of a duel: a line of JSON in, a line of JSON out. A process holds one case, so that its memory is that case's.
 *
 * {"ask": "work"}                  -> {"flops": ..., "bytes": ..., "tokens": ...} of one run
 * {"ask": "check"}                 -> {"probes": {"loss": [norm, product], ...}}
 * {"ask": "memory"}                -> {"extraBytes": ...}
 * {"ask": "peaks", "seconds": 0.2} -> {"flopsPerSecond": ..., "flopsBy": ..., "bytesPerSecond": ...} of the processor
 * {"ask": "time", "seconds": 0.2}  -> {"seconds": ..., "runs": ...}
 *
 * or {"error": "..."}. Times are wall times of runs that are enqueued in a row, with one wait at the end.
 */
import {createInterface} from 'node:readline';
import {parseArgs} from 'node:util';
import {
  emptyCache,
  memory,
  requireDevice,
  resetPeakMemory,
  scope,
  setThreads,
  synchronize,
  type Device,
} from '../../lib/tensor/index.js';
import {measurePeaks} from '../support/peaks.js';
import {residentPeak, resetResidentPeak} from '../support/resident.js';
import {timed} from '../support/timed.js';
import {probeOf, type Probes} from './probe.js';
import {prepare} from './work.js';
import type {WorkCase} from './work-case.js';

interface Request {
  readonly ask: 'check' | 'memory' | 'peaks' | 'time' | 'work';
  readonly seconds: number;
}

const {values: flags} = parseArgs({
  options: {
    device: {type: 'string', default: 'cpu'},
    case: {type: 'string', default: '{}'},
    threads: {type: 'string'},
  },
});
const device = flags.device as Device;
requireDevice(device);
if (flags.threads !== undefined) setThreads(Number(flags.threads));
const workCase = JSON.parse(flags.case) as WorkCase;
const work = prepare(workCase, device);

const answers: Readonly<Record<Request['ask'], (seconds: number) => object | Promise<object>>> = {
  work: () => ({flops: work.flops, bytes: work.bytes, tokens: work.tokens}),
  check: async () => ({probes: await check()}),
  memory: extraMemory,
  peaks: async (seconds) => measurePeaks(workCase.dtype, seconds),
  time: async (seconds) => timed(work.run, seconds, device),
};

const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

for await (const line of createInterface({input: process.stdin})) {
  try {
    const {ask, seconds} = JSON.parse(line) as Request;
    answer(await answers[ask](seconds));
  } catch (error) {
    answer({error: error instanceof Error ? error.message : String(error)});
  }
}

async function check(): Promise<Probes> {
  const entries = Object.entries(work.results()).map(
    async ([name, result]) => [name, probeOf(await result.floats())] as const,
  );
  const probes = Object.fromEntries(await Promise.all(entries));
  work.clear();
  return probes;
}

/** Most bytes that a run holds besides what is there before it: its results, gradients among them, and working memory. */
async function extraMemory(): Promise<object> {
  work.clear();
  await synchronize(device);
  emptyCache(device);
  resetPeakMemory(device);
  const {allocatedBytes} = memory(device);
  const residentBytes = resetResidentPeak();
  scope(work.run);
  await synchronize(device);
  const extraBytes = memory(device).peakBytes - allocatedBytes;
  const peakBytes = residentPeak();
  if (device !== 'cpu' || residentBytes === undefined || peakBytes === undefined) return {extraBytes};
  // Pages that the C library kept from before would make a small run look smaller than it is.
  return {extraBytes: Math.max(extraBytes, peakBytes - residentBytes)};
}
