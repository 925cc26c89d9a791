/** The runner of benches beside other programs: `runDuels({name, cases})` at the end of a file in bench/torch, bench/node or bench/scaling. */
import os from 'node:os';
import type {Comparison, Place} from '../support/comparison.js';
import {parseBenchFlags} from '../support/flags.js';
import {printComparison, printHead} from '../support/print.js';
import {sized} from '../support/quick.js';
import {writeResult} from '../support/results.js';
import {runDuel} from './duel.js';
import {startPeers, type PeerFacts, type PeerProgram} from './peer.js';
import {torch} from './programs.js';
import {titleOf, type WorkCase} from './work-case.js';

/** A case, and where it stands in a series. */
export interface DuelCase {
  readonly work: WorkCase;
  readonly place?: Place;
}

export interface Duels {
  /** As on the command line: `torch/attention`. */
  readonly name: string;
  readonly cases: readonly DuelCase[];
  /** Default: PyTorch. */
  readonly peers?: readonly PeerProgram[];
  /** Samples of each side; default 7. Less is for series, of which the slope counts. */
  readonly samples?: number;
  /** Default: 1 and all cores. */
  readonly threads?: readonly number[];
}

/** Runs are repeated until a sample lasts about this long. */
const sampleSeconds = sized(0.2, 0.001);

/** A machine that does other work takes long. */
const limitSeconds = 900;

/**
 * Compares results, then measures and prints each case on each number of threads.
 *
 * Flags: `--out FOLDER` writes the figures, `--threads 1,2` are the numbers of threads, `--samples N` of each side, `--seconds N` is
 * the least length of a sample, `--case TEXT` runs only the cases with TEXT in their title, `--quick` takes one thread and the fewest
 * samples.
 */
export async function runDuels({
  name,
  cases,
  peers = [torch],
  samples = 7,
  threads = defaultThreads(),
}: Duels): Promise<void> {
  const flags = parseBenchFlags(process.argv.slice(2), {
    seconds: sampleSeconds,
    samples: sized(samples, 2),
    threads,
  });
  printHead(name);
  const comparisons: Comparison[] = [];
  const facts: PeerFacts[] = [];
  for (const count of flags.threads) {
    const started = await startPeers(peers, {device: 'cpu', threads: count, limitSeconds});
    facts.push(...started.facts);
    for (const {name: peer, absent} of started.facts)
      if (absent !== undefined) console.log(`  ${peer} is not compared: ${absent}`);
    try {
      for (const {work, place} of cases) {
        if (!titleOf(work).includes(flags.text)) continue;
        const comparison = {
          ...(await runDuel(work, started.running, {
            device: 'cpu',
            threads: count,
            rounds: flags.samples,
            sampleSeconds: flags.seconds,
            limitSeconds,
            measuresPeaks: place === undefined,
            freeBytes: os.freemem(),
          })),
          ...(place !== undefined && {place}),
        };
        printComparison(comparison);
        comparisons.push(comparison);
      }
    } finally {
      for (const peer of started.running) peer.end();
    }
  }
  if (flags.out !== undefined) writeResult(flags.out, {bench: name, peers: facts, comparisons});
  if (comparisons.some(({sides: [ours]}) => ours?.error !== undefined)) process.exitCode = 1;
}

function defaultThreads(): readonly number[] {
  return sized([...new Set([1, os.availableParallelism()])], [1]);
}
