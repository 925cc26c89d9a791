/** The runner of all benches: `runBench({name, cases})` at the end of a file in bench/ops. */
import {memory, resetPeakMemory} from '../../lib/tensor/index.js';
import {ourName, type Comparison} from './comparison.js';
import {parseBenchFlags} from './flags.js';
import {printComparison, printHead} from './print.js';
import {sized} from './quick.js';
import {writeResult} from './results.js';
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
  /** Calls of ops in one run. */
  readonly calls?: number;
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
 * Checks, measures and prints each case: median and quartiles of wall time, of us and the peer in alternation; rates; most memory held
 * besides what was there before.
 *
 * Flags: `--out FOLDER` writes the figures, `--seconds N` is the time for each case (default 3), `--case TEXT` runs only the cases with
 * TEXT in their title, `--quick` takes the fewest samples.
 */
export async function runBench({name, cases}: Bench): Promise<void> {
  const {out, seconds, text} = parseBenchFlags(process.argv.slice(2), {
    seconds: sized(3, 0.001),
    samples: 1,
    threads: [1],
  });
  printHead(name);
  const comparisons: Comparison[] = [];
  for (const each of cases.filter(({title}) => title.includes(text))) {
    const comparison = await runCase(each, seconds);
    printComparison(comparison);
    comparisons.push(comparison);
  }
  if (out !== undefined) writeResult(out, {bench: name, peers: [], comparisons});
}

async function runCase(
  {title, ours, peer, flops, bytes, tokens, calls, materializedBytes, check}: BenchCase,
  seconds: number,
): Promise<Comparison> {
  await check?.();
  const extraBytes = await measureMemory(ours);
  const [ourTimes, peerTimes] = await measure(peer === undefined ? [ours] : [ours, peer.run], seconds);
  if (ourTimes === undefined) throw new Error(`${title}: nothing was measured`);
  return {
    title,
    sides: [
      {name: ourName, ...ourTimes, extraBytes},
      ...(peer === undefined ? [] : [{name: peer.name, ...peerTimes}]),
    ],
    ...(flops !== undefined && {flops}),
    ...(bytes !== undefined && {bytes}),
    ...(tokens !== undefined && {tokens}),
    ...(calls !== undefined && {calls}),
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
