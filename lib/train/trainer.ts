/** The state of a training run and the one thing that changes it: a step. */
import type {Config} from '../config/index.js';
import {openBatches, type Batch, type BatchPosition, type PreparedData} from '../data/index.js';
import {createDecoder, type Decoder} from '../nn/index.js';
import {
  createObjectives,
  type GradientNorms,
  type ObjectiveTensors,
  type PreparedStep,
  type StepPlan,
} from '../objectives/index.js';
import {asyncSpan, span} from '../profile/index.js';
import type {Device} from '../tensor/index.js';
import {saveCheckpoint, type Checkpoint} from './checkpoint.js';
import {measureGradientNorms, type ComputedStep, type StepParts} from './computed-step.js';
import {divergence, faultOf} from './diverged.js';
import type {ObjectiveLosses, StepEvent} from './events.js';
import {createOptimizer} from './optimizer.js';
import {isOutOfMemory} from './out-of-memory.js';
import {runFolder} from './run-folder.js';
import {learningRateAt} from './schedule.js';
import {createStepRunner} from './step-runner.js';
import type {NamedTensors} from './tensor-files.js';

/** What one step did; speed and memory are not its business. */
type StepOutcome = Omit<StepEvent, 'type' | 'tokensPerSecond' | 'peakBytes' | 'seconds' | 'etaSeconds'>;

/** A model in training. */
export interface Trainer {
  readonly decoder: Decoder;
  /** Steps done. */
  readonly step: number;
  /**
   * Computes and applies the next step. The loss and the gradient norm are read before anything is applied, in the one wait of a step,
   * so a step that goes wrong changes nothing.
   *
   * @throws ERR_DIVERGED naming the step, the micro-batch and the tensor; faults of the ops
   */
  advance(): Promise<StepOutcome>;
  /** What the user should know of the steps so far, told once. */
  takeWarning(): string | undefined;
  /**
   * Publishes a checkpoint of the present state.
   *
   * @param lastEvaluation step of the latest evaluation
   * @returns its path
   * @throws ERR_IO; the checkpoints before then stay
   */
  save(lastEvaluation: number): Promise<string>;
  dispose(): void;
}

/** What a trainer is made from. */
interface TrainerOptions {
  readonly config: Config;
  readonly data: PreparedData;
  readonly device: Device;
  /** What it goes on from; default: step 0. */
  readonly checkpoint?: Checkpoint;
  /** What has the weights of step 0; default: seeded ones. */
  readonly start?: Checkpoint;
}

/** A step that was taken from the data and not run. */
interface TakenStep {
  readonly batches: readonly Batch[];
  /** Of the data after these batches. */
  readonly position: BatchPosition;
  readonly prepared: PreparedStep;
}

/** Everything that a trainer owns. */
interface Parts extends StepParts {
  readonly decoder: Decoder;
}

/** @throws ERR_CHECKPOINT naming what does not fit; ERR_OUT_OF_MEMORY, ERR_IO */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const {config, data, device, checkpoint} = options;
  const stream = openBatches(data, config);
  const parts = await createParts(options);
  const {decoder, objectives, optimizer, parameters} = parts;
  const runner = createStepRunner(parts, {device, graphs: config.training.graphs});
  let ahead: TakenStep | undefined;
  const dispose = (): void => {
    ahead?.prepared.dispose();
    for (const part of [runner, optimizer, objectives, decoder]) part.dispose();
  };
  try {
    if (checkpoint !== undefined) {
      await checkpoint.readWeights(weightsOf(parts));
      await checkpoint.readOptimizer(optimizerOf(parts));
      await checkpoint.readPosition((position) => stream.restore(position));
    }
  } catch (error) {
    dispose();
    throw error;
  }
  let done = checkpoint?.step ?? 0;
  let saved = checkpoint?.path;
  let position = stream.position; // after the batches of the steps that are done
  const take = (stepIndex: number): TakenStep =>
    span('data', () => {
      const batches = Array.from({length: config.training.accumulation}, () => stream.next());
      return {batches, position: stream.position, prepared: objectives.prepare(batches, stepIndex)};
    });
  let canMeasure = true;
  let warning: string | undefined;
  /** A run goes on where there is room for its steps alone. */
  const measure = (prepared: PreparedStep): GradientNorms => {
    if (!canMeasure || !isMeasured(done, prepared.plan, config)) return {};
    try {
      return span('gradient norms', () => measureGradientNorms(parts, prepared));
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      canMeasure = false;
      warning = `gradient norms by objective are not measured from here on: there is no memory for it (${error.message})`;
      return {};
    }
  };

  return {
    decoder,
    get step() {
      return done;
    },
    async advance() {
      const {batches, prepared, position: after} = ahead ?? take(done);
      ahead = undefined;
      let computed: ComputedStep;
      let norms: GradientNorms = {};
      try {
        norms = measure(prepared);
        computed = span('compute', () => runner.run(prepared));
      } catch (error) {
        disposeAll(norms);
        throw error;
      } finally {
        prepared.dispose(); // what the step reads may go once its ops are enqueued
      }
      const {gradients, norm} = computed;
      try {
        // The device is busy with this step: meanwhile the next one is packed, and copied to it.
        if (done + 1 < config.training.steps) ahead = take(done + 1);
        const outcome = await asyncSpan('wait', () => readOutcome(prepared.plan, computed, norms));
        const step = done + 1;
        const fault = faultOf(
          {loss: outcome.loss, norm: outcome.gradientNorm},
          config.training.explodingNorm,
        );
        if (fault !== undefined) {
          const release = (): void => {
            computed.dispose();
            runner.dispose();
          };
          const place = {step, batches, checkpoint: saved};
          throw await divergence({...place, fault, parameters, gradients, release, objectives});
        }
        const learningRate = learningRateAt(step, config.training);
        span('optimizer', () => optimizer.update({step, learningRate, norm, gradients}));
        done = step;
        position = after;
        return {...outcome, step, learningRate};
      } finally {
        disposeAll(norms);
        computed.dispose();
      }
    },
    takeWarning() {
      const told = warning ?? runner.takeWarning();
      warning = undefined;
      return told;
    },
    async save(lastEvaluation) {
      saved = await saveCheckpoint(
        runFolder(config.output).checkpoints,
        {
          step: done,
          config,
          learningRate: learningRateAt(done, config.training),
          position,
          dataIdentity: data.identity,
          lastEvaluation,
          tokenizerFile: data.tokenizer.file,
          weights: weightsOf(parts),
          optimizer: optimizerOf(parts),
        },
        {keep: config.training.keepCheckpoints},
      );
      return saved;
    },
    dispose,
  };
}

async function createParts({config, data: {tokenizer}, device, start}: TrainerOptions): Promise<Parts> {
  const {model, seed, dtype} = config;
  const decoder = createDecoder({...model, vocabSize: tokenizer.vocabSize}, {seed, dtype, device});
  try {
    await start?.readWeights(weightsOf({decoder}), {converts: true}); // before the optimizer takes its masters from them
  } catch (error) {
    decoder.dispose();
    throw error;
  }
  const objectives = createObjectives(config, decoder);
  const parameters = [...decoder.parameters, ...objectives.parameters];
  return {decoder, objectives, parameters, optimizer: createOptimizer(parameters, config.training)};
}

function weightsOf({decoder}: Pick<Parts, 'decoder'>): NamedTensors {
  return new Map(decoder.parameters.map(({name, tensor}) => [name, tensor]));
}

/** What is trained beside the decoder stands with the optimizer: the weights are then those of a Llama and nothing else. */
function optimizerOf({optimizer, objectives}: Parts): NamedTensors {
  const beside = objectives.parameters.map(({name, tensor}) => [`parameter.${name}`, tensor] as const);
  return new Map([...optimizer.state, ...beside]);
}

/** Whether the objectives of a step are compared. One alone has nobody to be compared with. @param done steps before this one */
function isMeasured(done: number, {trained}: StepPlan, {training: {gradientNormsEvery}}: Config): boolean {
  return gradientNormsEvery > 0 && done % gradientNormsEvery === 0 && trained.length > 1;
}

function disposeAll(norms: GradientNorms): void {
  for (const norm of Object.values(norms)) norm.dispose();
}

/** Waits for the step: all its numbers are read together. */
async function readOutcome(
  {trained, weights, tokens, targetShares, pairs, comparedPairs}: StepPlan,
  {loss, losses, norm}: ComputedStep,
  norms: GradientNorms,
): Promise<Omit<StepOutcome, 'step' | 'learningRate'>> {
  const readAll = async (tensors: ObjectiveTensors): Promise<ObjectiveLosses> => {
    const values = trained.flatMap((name) => {
      const tensor = tensors[name];
      return tensor ? [tensor.item().then((value) => [name, value] as const)] : [];
    });
    return Object.fromEntries(await Promise.all(values));
  };
  const [lossValue, gradientNorm, lossValues, gradientNorms] = await Promise.all([
    loss.item(),
    norm.item(),
    readAll(losses),
    readAll(norms),
  ]);
  return {
    loss: lossValue,
    losses: lossValues,
    weights,
    gradientNorm,
    ...(Object.keys(gradientNorms).length > 0 && {gradientNorms}),
    tokens,
    targetShares,
    pairs,
    comparedPairs,
  };
}
