/** We and the peers in turns, so that what else the machine does hits all alike. */
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import type {FloatDType} from '../../lib/tensor/index.js';
import {ourName, type Comparison, type Peaks, type Side} from '../support/comparison.js';
import {timesOf} from '../support/statistics.js';
import type {Peer} from './peer.js';
import {differenceOf, type Probes} from './probe.js';
import {startServer} from './server.js';
import {materializedBytesOf, titleOf, type WorkCase} from './work-case.js';

export interface DuelOptions {
  /** Ours. */
  readonly device: string;
  /** Of each side; default as each likes. */
  readonly threads?: number | undefined;
  /** Samples of each side. */
  readonly rounds: number;
  readonly sampleSeconds: number;
  /** Most that one answer may take. */
  readonly limitSeconds: number;
  /** By performance.now(): no round begins after it but the first. */
  readonly deadline?: number;
  /** Whether the processor's peaks are measured beside the runs. */
  readonly measuresPeaks?: boolean;
  /** Bytes that a peer may hold: larger scores are not tried. */
  readonly freeBytes?: number;
}

/** A side that takes part. */
interface Contender {
  readonly name: string;
  readonly check: () => Promise<Probes>;
  readonly extraBytes: () => Promise<number>;
  readonly time: () => Promise<number>;
}

/** What became of a contender. */
interface Standing {
  readonly contender: Contender;
  readonly seconds: number[];
  extraBytes?: number;
  difference?: number;
  error?: string;
}

/**
 * Threads of a library that has worked go on spinning for some milliseconds (OpenBLAS for 2^26 cycles), in which the next side would have
 * fewer cores.
 */
const settleMs = 50;

/** How far results may lie apart, as a share of their norm: the order of float32 sums, or roundings of intermediate results. */
const tolerances: Readonly<Record<FloatDType, number>> = {
  float32: 2 ** -12,
  float16: 2 ** -7,
  bfloat16: 2 ** -5,
};

/**
 * Compares the results of all sides, then their memory, then their times: a side with other results is not timed.
 *
 * @param peers each is asked for its variants of the case
 */
export async function runDuel(
  work: WorkCase,
  peers: readonly Peer[],
  options: DuelOptions,
): Promise<Comparison> {
  const ours = startOurs(work, options);
  try {
    const contenders = [
      ours,
      ...(await Promise.all(peers.map((peer) => variantsOf(peer, work, options)))).flat(),
    ];
    const standings = contenders.map((contender): Standing => ({contender, seconds: []}));
    const facts = await ours.work().catch(() => ({}));
    await compareResults(standings, tolerances[work.dtype]);
    await each(standings, async (standing) => {
      standing.extraBytes = await standing.contender.extraBytes();
    });
    const peaks = await takeTurns(standings, ours.peaks, options);
    const materializedBytes = materializedBytesOf(work);
    return {
      title: titleOf(work),
      ...(options.threads !== undefined && {threads: options.threads}),
      sides: standings.map(sideOf),
      ...facts,
      ...(materializedBytes !== undefined && {materializedBytes}),
      ...(Object.keys(peaks).length > 0 && {peaks}),
    };
  } finally {
    ours.end();
  }
}

interface Ours extends Contender {
  readonly work: () => Promise<Pick<Comparison, 'bytes' | 'flops' | 'tokens'>>;
  readonly peaks: () => Promise<Peaks>;
  readonly end: () => void;
}

function startOurs(work: WorkCase, {device, threads, limitSeconds, sampleSeconds}: DuelOptions): Ours {
  const script = fileURLToPath(new URL('worker.js', import.meta.url));
  const flags = ['--device', device, '--case', JSON.stringify(work)];
  if (threads !== undefined) flags.push('--threads', String(threads));
  const server = startServer([process.execPath, script, ...flags], process.env);
  const ask = async (question: string, seconds = sampleSeconds): Promise<Readonly<Record<string, unknown>>> =>
    server.ask({ask: question, seconds}, limitSeconds);
  return {
    name: ourName,
    work: () => ask('work'),
    check: async () => (await ask('check'))['probes'] as Probes,
    extraBytes: async () => (await ask('memory'))['extraBytes'] as number,
    time: async () => (await ask('time'))['seconds'] as number,
    peaks: () => ask('peaks'),
    end: () => server.end(),
  };
}

async function variantsOf(peer: Peer, work: WorkCase, options: DuelOptions): Promise<Contender[]> {
  const variants = await peer.variants(work).catch((): readonly string[] => []);
  const tooLarge = tooLargeFor(work, options);
  return variants.map((variant) => ({
    name: `${peer.facts.name}, ${variant}`,
    async check() {
      if (tooLarge !== undefined && variant.startsWith('materialised')) throw new Error(tooLarge);
      return peer.check(work, variant);
    },
    extraBytes: () => peer.extraBytes(work, variant),
    time: () => peer.time(work, variant, options.sampleSeconds),
  }));
}

/** Scores, their softmax, the gradients of both, and a mask or a copy: what PyTorch was seen to hold at least, in multiples of the scores. */
const heldScores = 4;

function tooLargeFor(work: WorkCase, {freeBytes = Infinity}: DuelOptions): string | undefined {
  const wanted = heldScores * (materializedBytesOf(work) ?? 0);
  if (wanted <= freeBytes) return undefined;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  return `not run: it holds about ${gigabytes(wanted)} GB, and ${gigabytes(freeBytes)} GB are free`;
}

/** What goes wrong in one of them is its result, and keeps none of the others. */
async function each(
  standings: readonly Standing[],
  act: (standing: Standing) => Promise<void>,
): Promise<void> {
  for (const standing of standings) {
    if (standing.error !== undefined) continue;
    try {
      await act(standing);
    } catch (error) {
      standing.error = error instanceof Error ? error.message : String(error);
    }
  }
}

async function compareResults(standings: readonly Standing[], tolerance: number): Promise<void> {
  let ours: Probes | undefined;
  await each(standings, async (standing) => {
    const isOurs = standing.contender.name === ourName;
    if (!isOurs && ours === undefined)
      throw new Error('there are no results of ours to compare with: not timed');
    const probes = await standing.contender.check();
    if (isOurs || ours === undefined) {
      ours = probes;
      return;
    }
    standing.difference = differenceOf(ours, probes);
    if (standing.difference > tolerance)
      throw new Error(
        `its results differ from ours by ${standing.difference.toPrecision(2)} of their norm: not timed`,
      );
  });
}

async function takeTurns(
  standings: readonly Standing[],
  measurePeaks: () => Promise<Peaks>,
  {rounds, deadline = Infinity, measuresPeaks = false}: DuelOptions,
): Promise<Peaks> {
  const found: Peaks[] = [];
  for (let round = 0; round < rounds && (round === 0 || performance.now() < deadline); round++) {
    await each(standings, async ({seconds, contender}) => {
      await pause(settleMs);
      seconds.push(await contender.time());
    });
    if (standings[0]?.error !== undefined) break; // nothing is left to compare with
    if (!measuresPeaks) continue;
    await pause(settleMs);
    found.push(await measurePeaks());
  }
  return highest(found);
}

/** The highest of each rate: a peak is what was reached at least once. */
export function highest(found: readonly Peaks[]): Peaks {
  const flops = found.reduce<Peaks>(
    (best, one) => ((one.flopsPerSecond ?? 0) > (best.flopsPerSecond ?? 0) ? one : best),
    {},
  );
  const bytesPerSecond = Math.max(0, ...found.map((one) => one.bytesPerSecond ?? 0));
  return {
    ...(flops.flopsPerSecond !== undefined && {
      flopsPerSecond: flops.flopsPerSecond,
      ...(flops.flopsBy !== undefined && {flopsBy: flops.flopsBy}),
    }),
    ...(bytesPerSecond > 0 && {bytesPerSecond}),
  };
}

function sideOf({contender: {name}, seconds, extraBytes, difference, error}: Standing): Side {
  return {
    name,
    ...(error !== undefined ? {error} : timesOf(seconds)),
    ...(extraBytes !== undefined && {extraBytes}),
    ...(difference !== undefined && Number.isFinite(difference) && {difference}),
  };
}
