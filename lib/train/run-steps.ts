/** The course of a run: which steps, evaluations and checkpoints come when. */
import type {Config} from '../config/index.js';
import type {PreparedData} from '../data/index.js';
import {CrossmapError} from '../errors.js';
import {evaluateModel, type ModelEvaluation} from '../eval/index.js';
import {asyncSpan} from '../profile/index.js';
import {memory, type Device} from '../tensor/index.js';
import type {
  CheckpointEvent,
  EndEvent,
  EvaluationEvent,
  StartEvent,
  StepEvent,
  TrainEvent,
  WarningEvent,
} from './events.js';
import {createPace, type Pace} from './pace.js';
import type {Trainer} from './trainer.js';

/** A run that is set up. */
interface Run {
  readonly config: Config;
  readonly data: PreparedData;
  readonly device: Device;
  readonly trainer: Trainer;
  readonly signal: AbortSignal | undefined;
  readonly resumedFrom: number;
  /** Step of the latest evaluation; -1 before the first. */
  readonly lastEvaluation: number;
  /** What the user should know before it starts. */
  readonly warnings: readonly string[];
}

/** Runs the steps that are left. @throws as `train` */
export async function* runSteps(run: Run): AsyncGenerator<TrainEvent, void, undefined> {
  const {config, trainer, signal} = run;
  const {steps, checkpointEvery} = config.training;
  const clock = createClock(config);
  let {lastEvaluation} = run;
  let lastCheckpoint = run.resumedFrom;

  yield startEvent(run);
  for (const message of run.warnings) yield warningEvent(trainer.step, message);
  for (;;) {
    if (isEvaluationDue(trainer.step, config) && lastEvaluation !== trainer.step) {
      const evaluated = await evaluateStep(run, clock);
      if (evaluated !== undefined) {
        lastEvaluation = trainer.step;
        yield evaluated;
      }
    }
    const isOver = trainer.step >= steps || (signal?.aborted ?? false);
    const isCheckpointDue = isOver || trainer.step % checkpointEvery === 0;
    if (isCheckpointDue && trainer.step > lastCheckpoint) {
      yield await saveStep(trainer, lastEvaluation);
      lastCheckpoint = trainer.step;
    }
    if (isOver) break;
    yield await advance(run, clock);
    const warning = trainer.takeWarning();
    if (warning !== undefined) yield warningEvent(trainer.step, warning);
  }
  yield endEvent(run, clock, {isFinished: trainer.step >= steps && lastEvaluation === trainer.step});
}

/** At the start if wished, every so many steps, and at the end. */
function isEvaluationDue(step: number, {training, evaluation}: Config): boolean {
  if (step === 0) return evaluation.atStart;
  return step % evaluation.every === 0 || step >= training.steps;
}

/** undefined where the run is stopped before the evaluation is done: then the continuation makes it. */
async function evaluateStep(run: Run, {pace}: Clock): Promise<EvaluationEvent | undefined> {
  const {config, data, trainer, signal} = run;
  if (signal?.aborted) return undefined;
  const start = performance.now();
  let results: ModelEvaluation;
  try {
    const input = {decoder: trainer.decoder, data, config, ...(signal && {signal})};
    results = await asyncSpan('evaluation', () => evaluateModel(input));
  } catch (error) {
    if (error instanceof CrossmapError && error.code === 'ERR_ABORTED' && signal?.aborted) return undefined;
    throw error;
  }
  const seconds = secondsSince(start);
  pace.noteEvaluation(seconds);
  return {type: 'evaluation', step: trainer.step, ...results, seconds};
}

async function saveStep(trainer: Trainer, lastEvaluation: number): Promise<CheckpointEvent> {
  const start = performance.now();
  const path = await asyncSpan('checkpoint', () => trainer.save(lastEvaluation));
  return {type: 'checkpoint', step: trainer.step, path, seconds: secondsSince(start)};
}

async function advance({trainer, device}: Run, {pace, seconds}: Clock): Promise<StepEvent> {
  const start = performance.now();
  const outcome = await asyncSpan(`step ${trainer.step + 1}`, () => trainer.advance());
  const took = secondsSince(start);
  pace.noteStep(outcome.step, took);
  return {
    type: 'step',
    ...outcome,
    tokensPerSecond: outcome.tokens / took,
    peakBytes: memory(device).peakBytes,
    seconds: seconds(),
    etaSeconds: pace.etaSeconds(),
  };
}

function startEvent({config, data, device, trainer, resumedFrom}: Run): StartEvent {
  const {name, training, dtype, output} = config;
  return {
    type: 'start',
    name,
    steps: training.steps,
    resumedFrom,
    parameters: trainer.decoder.parameterCount,
    device,
    dtype,
    languages: data.languages,
    fertility: data.report.languages.map(({language, fertility, tokensPerCharacter, bytesPerToken}) => ({
      language,
      fertility,
      ...(tokensPerCharacter !== undefined && {tokensPerCharacter}),
      bytesPerToken,
    })),
    output,
  };
}

function warningEvent(step: number, message: string): WarningEvent {
  return {type: 'warning', step, message};
}

function endEvent(
  {device, trainer}: Run,
  {seconds}: Clock,
  {isFinished}: {readonly isFinished: boolean},
): EndEvent {
  return {
    type: 'end',
    reason: isFinished ? 'finished' : 'aborted',
    step: trainer.step,
    seconds: seconds(),
    peakBytes: memory(device).peakBytes,
  };
}

interface Clock {
  readonly pace: Pace;
  /** Since the run or its continuation started. */
  readonly seconds: () => number;
}

function createClock({training, evaluation}: Config): Clock {
  const start = performance.now();
  return {
    pace: createPace({steps: training.steps, evaluateEvery: evaluation.every}),
    seconds: () => secondsSince(start),
  };
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}
