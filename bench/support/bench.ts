/** The runner of all benches: `runBench({name, cases})` at the end of a file in bench/ops. */
import {parseArgs} from 'node:util';
import {memory, resetPeakMemory} from '../../lib/tensor/index.js';
import {printCase, printHead} from './print.js';
import {writeResults, type CaseResult} from './results.js';
import {measure, runOnce, type Run} from './sample.js';

/** What is compared with what, on one shape. */
export interface BenchCase {
  /** Shapes and dtype: `[2048, 512] x [512, 2048] float32`. */
  readonly title: string;
  /** The work, without waiting for it: the runner synchronises the device and frees what was made. */
  readonly ours: Run;
  /** The same by somebody else, or by other means; its name stands in the table. */
  readonly peer?: {readonly name: string; readonly run: Run};
  /** Floating-point operations of one run. */
  readonly flops?: number;
  /** Least bytes that one run must read and write. */
  readonly bytes?: number;
  /** Tokens that one run works through. */
  readonly tokens?: number;
  /** Bytes that the form which the op avoids would hold besides its inputs and results. */
  readonly materializedBytes?: number;
  /** Throws where the results differ: it runs before anything is timed. */
  readonly check?: () => Promise<void> | void;
}

/** A table of cases. */
export interface Bench {
  /** As on the command line: `ops/matmul`. */
  readonly name: string;
  readonly cases: readonly BenchCase[];
}

/**
 * Checks, measures and prints each case: median and quartiles of wall time, of us and the peer in alternation; GFLOP/s, GB/s; most memory
 * held besides what was there before.
 *
 * Flags: `--json FILE` writes the figures, `--seconds N` is the time for each case (default 3), `--case TEXT` runs only the cases with
 * TEXT in their title.
 */
export async function runBench({name, cases}: Bench): Promise<void> {
  const {values: flags} = parseArgs({
    options: {
      json: {type: 'string'},
      seconds: {type: 'string', default: '3'},
      case: {type: 'string', default: ''},
    },
  });
  const seconds = Number(flags.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0; got ${flags.seconds}`);
  printHead(name);
  const results: CaseResult[] = [];
  for (const each of cases.filter(({title}) => title.includes(flags.case))) {
    const result = await runCase(each, seconds);
    printCase(result);
    results.push(result);
  }
  if (flags.json !== undefined) writeResults(flags.json, name, results);
}

async function runCase(
  {title, ours, peer, flops, bytes, tokens, materializedBytes, check}: BenchCase,
  seconds: number,
): Promise<CaseResult> {
  await check?.();
  const extraBytes = await measureMemory(ours);
  const [ourTimes, peerTimes] = await measure(peer === undefined ? [ours] : [ours, peer.run], seconds);
  if (ourTimes === undefined) throw new Error(`${title}: nothing was measured`);
  return {
    title,
    ours: ourTimes,
    ...(peer !== undefined && peerTimes !== undefined && {peer: {name: peer.name, ...peerTimes}}),
    ...(flops !== undefined && {gflopsPerSecond: flops / ourTimes.median / 1e9}),
    ...(bytes !== undefined && {gigabytesPerSecond: bytes / ourTimes.median / 1e9}),
    ...(tokens !== undefined && {tokensPerSecond: tokens / ourTimes.median}),
    extraBytes,
    ...(materializedBytes !== undefined && {materializedBytes}),
  };
}

/** Most bytes that one run holds besides what was held before: results and working memory. */
async function measureMemory(run: Run): Promise<number> {
  await runOnce(run);
  resetPeakMemory();
  const {allocatedBytes} = memory();
  await runOnce(run);
  return memory().peakBytes - allocatedBytes;
}
