/** Training on each device: the course is that of the CPU, and a run in parts is the whole run. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Config} from '../../lib/config/index.js';
import type {Device} from '../../lib/tensor/index.js';
import {temporaryFolder} from '../formats/folder.js';
import {closeTo, sumFloor, testDevices} from '../support/ops.js';
import {collect, only, smallRun, tinyConfig, writeCorpus} from './tiny-run.js';

const steps = 5;
const temperature = 0.1;

// Contrast has its full weight from the first step on.
const reduced = [
  ...smallRun,
  `objectives.contrastive={weight: 0.5, warmupShare: 0, temperature: ${temperature}, negatives: step}`,
  `training={steps: ${steps}, tokensPerBatch: 128, accumulation: 2, learningRate: 5.0e-3, warmupSteps: 2, checkpointEvery: 2}`,
];

const configOn = (folder: string, device: Device, output: string): Config =>
  tinyConfig(folder, [...reduced, `device=${device}`], output);

async function corpusFolder(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  return folder;
}

/**
 * What losses may differ by in each step. A loss, and each gradient relative to its norm, differs by the order of its sums,
 * `sumFloor`. AdamW moves a weight by rate * m / sqrt(v), so an error e of a gradient g moves it by 2 rate e / |g|, and that changes
 * the next loss by g times as much: 2 rate e, over P weights at most 2 rate sqrt(P) |errors|. Steps add theirs up. Scores of contrast
 * are cosines over the temperature, and so are their errors.
 */
function tolerances(
  trained: readonly {readonly loss: number; readonly learningRate: number; readonly gradientNorm: number}[],
  parameters: number,
): number[] {
  let drift = 0;
  return trained.map(({loss, learningRate, gradientNorm}) => {
    const tolerance = sumFloor * loss + drift;
    drift += 2 * learningRate * Math.sqrt(parameters) * sumFloor * gradientNorm;
    return tolerance;
  });
}

for (const device of testDevices.filter((each) => each !== 'cpu'))
  test(`${device} a run has the losses of all three objectives that the CPU has, step by step`, async (t) => {
    const folder = await corpusFolder(t);
    const wanted = await collect(configOn(folder, 'cpu', 'cpu'));
    const got = await collect(configOn(folder, device, device));
    t.like(got[0], {device});
    t.like(wanted[0], {device: 'cpu'});
    const [ours, theirs] = [only(got, 'step'), only(wanted, 'step')];
    t.is(ours.length, steps);
    t.true(theirs.filter(({losses}) => losses.contrastive! > 0).length >= 3, 'steps that compare pairs');
    for (const [index, tolerance] of tolerances(theirs, only(wanted, 'start')[0]!.parameters).entries()) {
      const [own, other] = [ours[index]!, theirs[index]!];
      const {next, mapping, contrastive = 0} = other.losses;
      closeTo(t, [own.losses.next!, own.losses.mapping!], [next!, mapping!], tolerance);
      closeTo(t, [own.losses.contrastive ?? 0, own.loss], [contrastive, other.loss], tolerance / temperature);
      t.like(own, {tokens: other.tokens, pairs: other.pairs, learningRate: other.learningRate});
    }
  });

/** What the last checkpoint holds of weights and optimizer, byte for byte. */
async function lastBytes({output}: Config): Promise<readonly Buffer[]> {
  const folder = join(output, 'checkpoints', `step-00000${steps}`);
  return Promise.all(
    ['model.safetensors', 'optimizer.safetensors'].map((name) => readFile(join(folder, name))),
  );
}

for (const device of testDevices)
  test(`${device} a run in parts is the whole run bit for bit`, async (t) => {
    const folder = await corpusFolder(t);
    const config = {whole: configOn(folder, device, 'whole'), parts: configOn(folder, device, 'parts')};
    const whole = only(await collect(config.whole), 'step');
    // Stopped without a word a step after a checkpoint, then to the end.
    await collect(config.parts, {}, (event) => event.type === 'step' && event.step === 3);
    const rest = await collect(config.parts, {resume: 'require'});
    t.like(rest[0], {resumedFrom: 2, device});
    t.deepEqual(
      only(rest, 'step').map(({step, losses}) => ({step, losses})),
      whole.slice(2).map(({step, losses}) => ({step, losses})),
    );
    const [bytes, wanted] = [await lastBytes(config.parts), await lastBytes(config.whole)];
    for (const [index, each] of bytes.entries()) t.true(each.equals(wanted[index]!));
  });
