/** What every bench finds: sides that did the same work. */
import type {Times} from './statistics.js';

/** One side of a comparison. */
export interface Side extends Partial<Times> {
  /** `crossmap`, or the peer's. */
  readonly name: string;
  /** Most bytes held besides what was held before the run: results and working memory. */
  readonly extraBytes?: number;
  /** How far its results are from ours, as a share of their norm. */
  readonly difference?: number;
  /** Why it has no times. */
  readonly error?: string;
}

/** Rates that this processor was seen to reach beside the runs, on as many threads. */
export interface Peaks {
  /** Of multiply-adds in registers. */
  readonly flopsPerSecond?: number;
  /** What reached it: `a loop of VDPBF16PS`. */
  readonly flopsBy?: string;
  /** Read and written, by a copy. */
  readonly bytesPerSecond?: number;
}

/** Where a comparison stands among those of other sizes. */
export interface Place {
  readonly series: string;
  /** What grows: `tokens`. */
  readonly axis: string;
  readonly size: number;
  /** Powers of the size that theory gives for our time and extra memory. */
  readonly powers: {readonly seconds: number; readonly extraBytes: number};
}

/** One piece of work, by all sides. */
export interface Comparison {
  readonly title: string;
  /** Of each side, where they were set. */
  readonly threads?: number;
  /** Ours first. */
  readonly sides: readonly Side[];
  /** Floating-point operations of one run. */
  readonly flops?: number;
  /** Least bytes that one run must read and write. */
  readonly bytes?: number;
  /** Tokens that one run works through. */
  readonly tokens?: number;
  /** Calls of ops in one run of ours. */
  readonly calls?: number;
  /** Bytes that the form which the op avoids would hold besides its inputs and results. */
  readonly materializedBytes?: number;
  readonly peaks?: Peaks;
  readonly place?: Place;
}

export const ourName = 'crossmap';

/** Of one side, for readers. */
export interface Rates {
  readonly flopsPerSecond?: number;
  readonly bytesPerSecond?: number;
  readonly tokensPerSecond?: number;
  /** Of one call of an op, where they are counted. */
  readonly secondsPerCall?: number;
  /** Of the machine's measured peak: of operations where the work has any, else of bytes. */
  readonly shareOfPeak?: number;
  /** How many times our time the side takes; undefined for ourselves. */
  readonly timesOurs?: number;
}

/** What the figures of a side come to; nothing where it was not timed. */
export function ratesOf(comparison: Comparison, {name, median}: Side): Rates {
  if (median === undefined) return {};
  const {flops, bytes, tokens, calls, peaks, sides} = comparison;
  const ours = sides.find((side) => side.name === ourName)?.median;
  const share =
    flops !== undefined
      ? ratio(flops / median, peaks?.flopsPerSecond)
      : bytes !== undefined
        ? ratio(bytes / median, peaks?.bytesPerSecond)
        : undefined;
  return {
    ...(flops !== undefined && {flopsPerSecond: flops / median}),
    ...(bytes !== undefined && {bytesPerSecond: bytes / median}),
    ...(tokens !== undefined && {tokensPerSecond: tokens / median}),
    ...(name === ourName && calls !== undefined && {secondsPerCall: median / calls}),
    ...(share !== undefined && {shareOfPeak: share}),
    ...(name !== ourName && ours !== undefined && {timesOurs: median / ours}),
  };
}

function ratio(rate: number, peak: number | undefined): number | undefined {
  return peak === undefined ? undefined : rate / peak;
}
