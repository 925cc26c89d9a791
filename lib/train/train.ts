/** A training run from a configuration: data, model, steps, evaluations, checkpoints, told as events. */
import {existsSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import type {Config} from '../config/index.js';
import {prepareData, type DataProgress} from '../data/index.js';
import {publishFile, removeLeftovers, removePublished, takeLock} from '../formats/index.js';
import {resetPeakMemory} from '../tensor/index.js';
import {useDevice} from './device.js';
import type {TrainEvent} from './events.js';
import {openMetrics} from './metrics.js';
import {findContinuation, type Resume} from './resume.js';
import {runFolder} from './run-folder.js';
import {runSteps} from './run-steps.js';
import {findStartWeights} from './start-weights.js';
import {createTrainer} from './trainer.js';

/** How a run is started and stopped. */
export interface TrainOptions {
  /** Aborted, the run finishes its step, saves a checkpoint and ends with the reason `aborted`. */
  readonly signal?: AbortSignal;
  /** What becomes of an earlier run in the output folder; default `auto`. */
  readonly resume?: Resume;
  /** Called while the data is prepared, before the first event. */
  readonly onDataProgress?: (progress: DataProgress) => void;
}

/**
 * Trains a model as the configuration says, into `config.output`: `config.json`, `metrics.jsonl` with every event, prepared data and
 * checkpoints. A run that was stopped or killed goes on from its newest checkpoint, and comes to the same weights, bit for bit, as if
 * it had not been.
 *
 * Whoever stops reading the events stops the run where it stands, without a checkpoint; the signal saves one.
 *
 * @throws ERR_BUSY where another process trains into the folder; ERR_DATA; ERR_CHECKPOINT for a checkpoint that is damaged or does not
 *   fit, with what differs; ERR_DIVERGED naming the step, the micro-batch and the tensor, nothing of that step applied; ERR_IO;
 *   ERR_ABORTED where the signal comes before the first step; ERR_DEVICE, ERR_OUT_OF_MEMORY
 */
export async function* train(
  config: Config,
  options: TrainOptions = {},
): AsyncGenerator<TrainEvent, void, undefined> {
  const {output} = config;
  const isBusy = `${output} is being trained into`;
  const lock = await takeLock(runFolder(output).lock, {isBusy, otherwise: 'choose another output'});
  let failed = false;
  try {
    yield* trainLocked(config, options);
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    // Where nothing can be written the lock cannot be removed either: the first failure is the one to tell.
    await (failed ? lock.release().catch(() => undefined) : lock.release());
  }
}

async function* trainLocked(
  config: Config,
  {signal, resume = 'auto', onDataProgress}: TrainOptions,
): AsyncGenerator<TrainEvent, void, undefined> {
  const folder = runFolder(config.output);
  const device = useDevice(config);
  await cleanFolder(config.output, resume);
  const continuation = await findContinuation(config, resume);
  const data = await prepareData(config, {
    folder: folder.data,
    ...(signal && {signal}),
    ...(onDataProgress && {onProgress: onDataProgress}),
  });
  resetPeakMemory(device);
  const checkpoint = continuation?.checkpoint;
  const origin = checkpoint ? undefined : await findStartWeights(config, data);
  const trainer = await createTrainer({
    config,
    data,
    device,
    ...(checkpoint && {checkpoint}),
    ...(origin && {start: origin.start}),
  });
  try {
    await publishFile(folder.config, (path) => writeFile(path, `${JSON.stringify(config, null, 2)}\n`));
    const metrics = await openMetrics(folder.metrics, {fresh: checkpoint === undefined});
    try {
      const run = {
        config,
        data,
        device,
        trainer,
        signal,
        resumedFrom: checkpoint?.step ?? 0,
        lastEvaluation: checkpoint?.lastEvaluation ?? -1,
        warnings: [...data.report.warnings, ...(continuation?.warnings ?? []), ...(origin?.warnings ?? [])],
      };
      for await (const event of runSteps(run)) {
        await metrics.write(event);
        yield event;
      }
    } finally {
      await metrics.close();
    }
  } finally {
    trainer.dispose();
  }
}

/** Nobody else writes here: the lock is held. */
async function cleanFolder(output: string, resume: Resume): Promise<void> {
  const {checkpoints} = runFolder(output);
  if (resume === 'never') await removePublished(checkpoints);
  await mkdir(output, {recursive: true});
  for (const folder of [output, checkpoints]) if (existsSync(folder)) await removeLeftovers(folder);
}
