/** The state of a training run and the one thing that changes it: a step. */
import type {Config} from '../config/index.js';
import {openBatches, type Batch, type BatchPosition, type PreparedData} from '../data/index.js';
import {createDecoder, type Decoder} from '../nn/index.js';
import {createObjectives, type PreparedStep, type StepPlan} from '../objectives/index.js';
import type {Device} from '../tensor/index.js';
import {saveCheckpoint, type Checkpoint} from './checkpoint.js';
import type {ComputedStep, StepParts} from './computed-step.js';
import {divergence, faultOf} from './diverged.js';
import type {ObjectiveLosses, StepEvent} from './events.js';
import {createOptimizer} from './optimizer.js';
import {runFolder} from './run-folder.js';
import {learningRateAt} from './schedule.js';
import {createStepRunner} from './step-runner.js';
import type {NamedTensors} from './tensor-files.js';

/** What one step did; the speed is not its business. */
type StepOutcome = Omit<StepEvent, 'type' | 'tokensPerSecond' | 'seconds' | 'etaSeconds'>;

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
  /** What it goes on from; default: seeded weights at step 0. */
  readonly checkpoint?: Checkpoint;
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
export async function createTrainer({config, data, device, checkpoint}: TrainerOptions): Promise<Trainer> {
  const stream = openBatches(data, config);
  const parts = createParts(config, data, device);
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
  const take = (stepIndex: number): TakenStep => {
    const batches = Array.from({length: config.training.accumulation}, () => stream.next());
    return {batches, position: stream.position, prepared: objectives.prepare(batches, stepIndex)};
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
      try {
        computed = runner.run(prepared);
      } finally {
        prepared.dispose(); // what the step reads may go once its ops are enqueued
      }
      const {gradients, norm} = computed;
      try {
        // The device is busy with this step: meanwhile the next one is packed, and copied to it.
        if (done + 1 < config.training.steps) ahead = take(done + 1);
        const outcome = await readOutcome(prepared.plan, computed);
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
        optimizer.update({step, learningRate, norm, gradients});
        done = step;
        position = after;
        return {...outcome, step, learningRate};
      } finally {
        computed.dispose();
      }
    },
    takeWarning: runner.takeWarning,
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

function createParts(config: Config, {tokenizer}: PreparedData, device: Device): Parts {
  const {model, seed, dtype} = config;
  const decoder = createDecoder({...model, vocabSize: tokenizer.vocabSize}, {seed, dtype, device});
  const objectives = createObjectives(config, decoder);
  const parameters = [...decoder.parameters, ...objectives.parameters];
  return {decoder, objectives, parameters, optimizer: createOptimizer(parameters, config.training)};
}

function weightsOf({decoder}: Parts): NamedTensors {
  return new Map(decoder.parameters.map(({name, tensor}) => [name, tensor]));
}

/** What is trained beside the decoder stands with the optimizer: the weights are then those of a Llama and nothing else. */
function optimizerOf({optimizer, objectives}: Parts): NamedTensors {
  const beside = objectives.parameters.map(({name, tensor}) => [`parameter.${name}`, tensor] as const);
  return new Map([...optimizer.state, ...beside]);
}

/** Waits for the step: all its numbers are read together. */
async function readOutcome(
  {trained, weights, tokens, targetShares, pairs, comparedPairs}: StepPlan,
  {loss, losses, norm}: ComputedStep,
): Promise<Omit<StepOutcome, 'step' | 'learningRate'>> {
  const [lossValue = NaN, gradientNorm = NaN, ...each] = await Promise.all(
    [loss, norm, ...trained.flatMap((name) => losses[name] ?? [])].map((tensor) => tensor.item()),
  );
  const lossValues: ObjectiveLosses = Object.fromEntries(trained.map((name, index) => [name, each[index]]));
  return {
    loss: lossValue,
    losses: lossValues,
    weights,
    gradientNorm,
    tokens,
    targetShares,
    pairs,
    comparedPairs,
  };
}
