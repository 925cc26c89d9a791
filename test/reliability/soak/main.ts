/**
 * Trains a small model for many steps, and watches what the process holds. `npm run reliability -- soak` runs it, with `--expose-gc`;
 * what grows ends it with status 1.
 */
import {mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {memory} from '../../../lib/tensor/index.js';
import {train} from '../../../lib/train/index.js';
import {tinyConfig, writeCorpus} from '../../train/tiny-run.js';
import {growthOf, type Sample} from './growth.js';

const {values: flags} = parseArgs({options: {steps: {type: 'string', default: '10000'}}});
const steps = Number(flags.steps);

/** What comes before is the filling of caches: of the allocator, of compiled code, of the system. */
const warmUp = Math.ceil(steps / 4);
const samples = 60;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What the process holds, once all that is garbage is collected. */
function sampleAt(step: number): Sample {
  globalThis.gc?.();
  const {rss, heapUsed, arrayBuffers} = process.memoryUsage();
  const {allocatedBytes, cachedBytes} = memory();
  return {
    step,
    residentBytes: rss,
    heapBytes: heapUsed,
    bufferBytes: arrayBuffers,
    allocatedBytes,
    nativeBytes: allocatedBytes + cachedBytes,
    files: countIn('/proc/self/fd'),
    threads: countIn('/proc/self/task'),
  };
}

/** 0 where the system has no such folder. */
function countIn(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

async function soak(folder: string): Promise<Sample[]> {
  await writeCorpus(folder);
  const some = Math.max(1, Math.floor(steps / 20));
  const config = tinyConfig(folder, [
    'model={layers: 1, features: 16, heads: 2, hiddenFeatures: 16, context: 32}',
    `training={steps: ${steps}, tokensPerBatch: 64, warmupSteps: 10, checkpointEvery: ${some}}`,
    `evaluation={every: ${4 * some}, atStart: false, pairs: 8, bootstrap: 5, samples: 1, maxNewTokens: 4, textTokens: 64}`,
  ]);
  const taken: Sample[] = [];
  const every = Math.max(1, Math.floor((steps - warmUp) / samples));
  for await (const event of train(config)) {
    if (event.type !== 'step' || event.step < warmUp || event.step % every > 0) continue;
    taken.push(sampleAt(event.step));
  }
  return taken;
}

if (globalThis.gc === undefined) throw new Error('soak needs node --expose-gc');
const folder = mkdtempSync(join(tmpdir(), 'crossmap-soak-'));
const start = performance.now();
try {
  const growths = growthOf(await soak(folder), steps);
  say(`soak: ${steps} steps in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  for (const {watched, slope, growth, allowed, first, last, isFlat} of growths)
    say(
      `  ${isFlat ? 'flat ' : 'GROWS'} ${watched}: ${first} to ${last}, ${slope.toFixed(3)} a step, ${Math.round(growth)} over the run, at most ${allowed} allowed`,
    );
  process.exitCode = growths.every(({isFlat}) => isFlat) ? 0 : 1;
} finally {
  rmSync(folder, {recursive: true, force: true});
}
