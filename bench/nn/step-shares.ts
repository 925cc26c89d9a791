/**
 * Where the time of a training step goes: the tasks of the executor by op, from the timeline that `crossmap train --profile` writes, and
 * how near products of matrices come to the processor's peak.
 */
import os from 'node:os';
import {createOpTimes, startProfile, stopProfile, type OpTime} from '../../lib/profile/index.js';
import {setThreads, type FloatDType} from '../../lib/tensor/index.js';
import {prepare} from '../duels/work.js';
import {titleOf, type CaseOf} from '../duels/work-case.js';
import {printFigures, type FigureRow, type FigureTable} from '../support/figure-table.js';
import {parseBenchFlags} from '../support/flags.js';
import {flopPeak} from '../support/peaks.js';
import {printHead} from '../support/print.js';
import {sized} from '../support/quick.js';
import {writeResult} from '../support/results.js';
import {runOnce} from '../support/sample.js';
import {trainingModels} from '../support/training-models.js';

/** What the ops of one name take in one step. */
interface Part {
  readonly name: string;
  readonly seconds: number;
  readonly flops: number;
}

/** Forward and backward together, the longest first. @param steps that the times are of */
function partsOf(times: readonly OpTime[], steps: number): readonly Part[] {
  const parts = new Map<string, Part>();
  for (const {name: task, seconds, flops = 0} of times) {
    if (task === 'synchronize') continue; // ours, not the step's
    const name = task.replace(/Backward$/, '');
    const sum = parts.get(name) ?? {name, seconds: 0, flops: 0};
    parts.set(name, {
      name,
      seconds: sum.seconds + seconds / steps,
      flops: sum.flops + flops / steps,
    });
  }
  return [...parts.values()].sort((a, b) => b.seconds - a.seconds);
}

interface Flags {
  readonly steps: number;
  readonly peakSeconds: number;
  readonly threads: number;
}

async function sharesOf(
  step: CaseOf<'trainingStep'>,
  {steps, peakSeconds, threads}: Flags,
): Promise<FigureTable> {
  setThreads(threads);
  const {run, clear} = prepare(step, 'cpu');
  await runOnce(run); // memory is allocated, and found again by the next
  const times = createOpTimes();
  let wallSeconds = 0;
  const peaks = [await flopPeak(step.dtype, peakSeconds)];
  for (let each = 0; each < steps; each++) {
    startProfile();
    await runOnce(run);
    const {events, durationUs} = stopProfile();
    times.add(events);
    wallSeconds += durationUs / 1e6 / steps;
    peaks.push(await flopPeak(step.dtype, peakSeconds));
  }
  clear();
  const peak = peaks.reduce((best, one) => (one.flopsPerSecond > best.flopsPerSecond ? one : best));
  const parts = partsOf(times.rows(), steps);
  const busySeconds = parts.reduce((sum, {seconds}) => sum + seconds, 0);
  const rowOf = ({name, seconds, flops}: Part): FigureRow => {
    const rate = flops > 0 ? flops / seconds : null;
    const shareOfPeak = rate === null ? null : rate / peak.flopsPerSecond;
    return {name, figures: [seconds / wallSeconds, seconds, rate, shareOfPeak]};
  };
  const {layers, features, vocab, tokens, segment, dtype} = step;
  return {
    title: `${layers} layers, ${features} wide, vocabulary of ${vocab}, ${tokens / segment} x ${segment} tokens, ${dtype}, ${threads} thread${threads === 1 ? '' : 's'}`,
    columns: [
      {name: 'share', unit: 'share'},
      {name: 'time', unit: 'seconds'},
      {name: 'rate', unit: 'FLOP/s'},
      {name: 'of peak', unit: 'share'},
    ],
    rows: [
      ...parts.map(rowOf),
      // The executor waits for the host, or takes the next task from the queue.
      rowOf({name: 'idle', seconds: wallSeconds - busySeconds, flops: 0}),
      {name: 'step', figures: [1, wallSeconds, null, null]},
      {name: `peak, ${peak.flopsBy}`, figures: [null, null, peak.flopsPerSecond, 1]},
    ],
  };
}

const dtypes: readonly FloatDType[] = ['float32', 'bfloat16'];
const flags = parseBenchFlags(process.argv.slice(2), {
  seconds: sized(0.2, 0.001),
  samples: sized(5, 1),
  threads: [sized(os.availableParallelism(), 1)],
});
printHead('nn/step-shares');
const tables: FigureTable[] = [];
for (const threads of flags.threads)
  for (const sizes of trainingModels)
    for (const dtype of dtypes) {
      const step = {kind: 'trainingStep', pass: 'step', ...sizes, dtype} as const;
      if (!titleOf(step).includes(flags.text)) continue;
      const table = await sharesOf(step, {steps: flags.samples, peakSeconds: flags.seconds, threads});
      printFigures(table);
      tables.push(table);
    }
if (flags.out !== undefined)
  writeResult(flags.out, {bench: 'nn/step-shares', peers: [], comparisons: [], tables});
