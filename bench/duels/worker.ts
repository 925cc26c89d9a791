/**
 * Our side of a duel: a line of JSON in, a line of JSON out. A process holds one case, so that its memory is that case's.
 *
 * {"ask": "work"}                  -> {"flops": ..., "bytes": ..., "tokens": ...} of one run
 * {"ask": "check"}                 -> {"probes": {"loss": [norm, product], ...}}
 * {"ask": "memory"}                -> {"extraBytes": ...}
 * {"ask": "copy", "seconds": 0.2}  -> {"bytesPerSecond": ...}
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
  zeros,
  type Device,
} from '../../lib/tensor/index.js';
import {residentPeak, resetResidentPeak} from '../support/resident.js';
import {probeOf, type Probes} from './probe.js';
import {prepare} from './work.js';
import type {WorkCase} from './work-case.js';

interface Request {
  readonly ask: 'check' | 'copy' | 'memory' | 'time' | 'work';
  readonly seconds: number;
}

/** Beyond the caches of most processors, read and write together. */
const copiedBytes = 2 ** 27;

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
const work = prepare(JSON.parse(flags.case) as WorkCase, device);

const answers: Readonly<Record<Request['ask'], (seconds: number) => object | Promise<object>>> = {
  work: () => ({flops: work.flops, bytes: work.bytes, tokens: work.tokens}),
  check: async () => ({probes: await check()}),
  memory: extraMemory,
  copy: async (seconds) => ({bytesPerSecond: await copyRate(seconds)}),
  time: async (seconds) => timed(work.run, seconds),
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

/** Bytes read and written, of a copy on all threads. */
async function copyRate(seconds: number): Promise<number> {
  const [from, to] = [copiedBytes, copiedBytes].map((size) => zeros([size], {dtype: 'uint8', device}));
  if (from === undefined || to === undefined) throw new Error('nothing to copy');
  const run = (): void => to.copyFrom(from);
  await timed(run, 0); // the first touches the pages
  const {seconds: once} = await timed(run, seconds);
  from.dispose();
  to.dispose();
  return (2 * copiedBytes) / once;
}

async function timed(run: () => void, seconds: number): Promise<{seconds: number; runs: number}> {
  const once = await timeOf(run, 1);
  const runs = Math.max(1, Math.ceil(seconds / once));
  return {seconds: runs === 1 ? once : await timeOf(run, runs), runs};
}

async function timeOf(run: () => void, runs: number): Promise<number> {
  await synchronize(device);
  const start = performance.now();
  for (let each = 0; each < runs; each++) scope(run);
  await synchronize(device);
  return (performance.now() - start) / 1000 / runs;
}
