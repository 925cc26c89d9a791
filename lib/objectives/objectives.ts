/** The weighted sum of the objectives over one step, METHOD section 1. */
import {backward, noGrad, requireGradient} from '../autograd/index.js';
import type {Batch} from '../data/batch.js';
import type {Decoder, DecoderInput, DecoderOutput, ForwardOptions, Parameter} from '../nn/index.js';
import {owned} from '../nn/parameters.js';
import {add, multiply} from '../ops/index.js';
import {span} from '../profile/index.js';
import {scope, tensor, zeros, type Tensor} from '../tensor/index.js';
import {alignStep, batchAlignmentLoss, poolPairs, type StepAlignment} from './alignment.js';
import {gradientNorms, type GradientNorms} from './gradient-norms.js';
import {prepareStep, type BatchInput, type PreparedStep, type StepInput} from './prepared-step.js';
import type {ObjectiveTensors, Run} from './run.js';
import type {StepData} from './step-data.js';
import {objectiveNames, type ObjectiveName, type ObjectivesConfig, type StepPlan} from './step-plan.js';
import {tokenLoss} from './token-losses.js';

/** What a step has computed. */
export interface StepLosses {
  /** float32 [] the weighted sum, whose gradients were added to the parameters'. */
  readonly loss: Tensor;
  /** float32 [] of each objective, without its weight. */
  readonly losses: ObjectiveTensors;
}

/** What a step had to train on. */
export type StepFacts = Pick<StepPlan, 'weights' | 'tokens' | 'targetShares' | 'pairs' | 'comparedPairs'>;

/** One step, run but not waited for. The innermost scope frees the tensors. */
export type StepResult = StepLosses & StepFacts;

/** The objectives of a run. */
export interface Objectives {
  /** What is trained beside the decoder: `contrastive.theta`, float32 [], where the temperature is learnable. */
  readonly parameters: readonly Parameter[];
  /**
   * Forward and backward pass of all micro-batches of a step. Gradients are added to those of the parameters (`gradient`); a parameter
   * that the step does not reach gets none. Every loss is divided once, by the sum of its weights over the whole step, so it makes no
   * difference how the step is cut into micro-batches. Returns as soon as the work is enqueued.
   *
   * @param batches all micro-batches of the step
   * @param stepIndex steps done before this one
   * @throws what the ops throw; gradients are then incomplete
   */
  step(batches: readonly Batch[], stepIndex: number): StepResult;
  /**
   * Copies what a step reads to the device, which meanwhile computes the step before. Its `dispose` frees it, or the innermost scope.
   *
   * @throws ERR_OUT_OF_MEMORY
   */
  prepare(batches: readonly Batch[], stepIndex: number): PreparedStep;
  /**
   * Forward and backward pass of what was prepared, which stays the caller's. What changes from step to step stands in the data, so
   * that it can be recorded with data that is filled anew for each step of the same signature.
   *
   * @param data default that of the step
   * @returns on a device that records ops, losses of all objectives that have a weight: `plan.trained` tells which mean something
   */
  run(prepared: PreparedStep, data?: StepData): StepLosses;
  /**
   * How much each objective pulls at the lowest layer whose states are aligned: the norm of the gradient of its loss, weight included,
   * with respect to those states. Costs a forward pass, and for each objective both passes of the layers above. The parameters must have
   * no gradients, and have none afterwards.
   *
   * @returns float32 [] each; absent as in `StepLosses`
   * @throws what the ops throw
   */
  gradientNorms(prepared: PreparedStep): GradientNorms;
  /** Frees the parameters beside the decoder, which stays. */
  dispose(): void;
  /** `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void;
}

/** The objectives that a configuration asks for, over a decoder. */
export function createObjectives(config: ObjectivesConfig, decoder: Decoder): Objectives {
  const {contrastive} = config.objectives;
  const theta =
    contrastive.learnableTemperature && contrastive.weight > 0 ? createTheta(config, decoder) : undefined;
  const run: Run = {
    config,
    decoder,
    alignment: {config: contrastive, temperature: theta?.tensor ?? contrastive.temperature},
  };
  const dispose = (): void => theta?.tensor.dispose();
  const prepare = (batches: readonly Batch[], stepIndex: number): PreparedStep =>
    prepareStep(config, batches, {stepIndex, device: decoder.device});
  return {
    parameters: theta ? [theta] : [],
    step(batches, stepIndex) {
      const prepared = prepare(batches, stepIndex);
      try {
        return scope(() => resultOf(prepared.plan, runStep(run, prepared.input(prepared.data))));
      } finally {
        prepared.dispose();
      }
    },
    prepare,
    run: (prepared, data = prepared.data) => scope(() => runStep(run, prepared.input(data))),
    gradientNorms: (prepared) =>
      scope(() => gradientNorms(run, prepared.input(prepared.data), theta ? [theta] : [])),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function createTheta({objectives}: ObjectivesConfig, {device}: Decoder): Parameter {
  const theta = owned(() => tensor(-Math.log(objectives.contrastive.temperature), {device}));
  return {name: 'contrastive.theta', tensor: requireGradient(theta), decays: false};
}

function resultOf(plan: StepPlan, {loss, losses}: StepLosses): StepResult {
  const {weights, trained, tokens, targetShares, pairs, comparedPairs} = plan;
  const told = trained.flatMap((name) => (losses[name] === undefined ? [] : [[name, losses[name]] as const]));
  return {loss, losses: Object.fromEntries(told), weights, tokens, targetShares, pairs, comparedPairs};
}

function runStep(run: Run, step: StepInput): StepLosses {
  const {decoder, alignment} = run;
  const {groups} = step;
  const whole =
    alignment.config.negatives === 'step' && groups !== undefined
      ? alignStep({...step, groups}, {decoder, options: alignment})
      : undefined;
  const shares = runBatches(run, step, whole);
  const all = whole ? [...shares, {contrastive: whole.loss}] : shares;
  return noGrad(() => sumLosses(all, step, decoder));
}

function runBatches(run: Run, step: StepInput, whole: StepAlignment | undefined): ObjectiveTensors[] {
  try {
    return step.batches.map((batch, index) => scope(() => runBatch(run, batch, {step, whole, index})));
  } finally {
    whole?.dispose();
  }
}

interface Place {
  readonly step: StepInput;
  readonly whole: StepAlignment | undefined;
  readonly index: number;
}

/**
 * Forward and backward pass of a micro-batch.
 *
 * @returns what it adds to the losses of the step, without gradients; not the alignment of a whole step
 */
function runBatch(
  {config, decoder, alignment}: Run,
  batch: BatchInput,
  {step, whole, index}: Place,
): ObjectiveTensors {
  const {input, parts, pairs} = batch;
  if (parts.length === 0 && pairs === undefined) return {};
  const losses: Partial<Record<ObjectiveName, Tensor>> = {};
  const total = span('forward', () => {
    const {hidden, hiddenStates} = runDecoder(decoder, input, {
      isScored: parts.length > 0,
      hiddenStates: pairs ? alignment.config.layer : [],
      checkpointing: config.training.activationCheckpointing,
    });
    if (hidden)
      for (const part of parts) losses[part.objective] = tokenLoss(batch, part, {hidden, decoder, config});
    const pooled = pairs ? hiddenStates.map((states) => poolPairs(states, pairs, alignment)) : [];
    if (pairs && !whole) losses.contrastive = batchAlignmentLoss(pooled, pairs, alignment);
    const injected = pairs && whole ? [whole.term(index, pooled)] : [];
    return [...weighted(losses, step), ...injected].reduce(add);
  });
  backward(total);
  return losses;
}

/** Without targets the decoder ends at the last layer that is aligned: what no gradient reaches is not recorded. */
function runDecoder(
  decoder: Decoder,
  input: DecoderInput,
  {isScored, ...options}: ForwardOptions & {readonly isScored: boolean},
): Partial<DecoderOutput> & Pick<DecoderOutput, 'hiddenStates'> {
  return isScored ? decoder.forward(input, options) : {hiddenStates: decoder.hiddenStates(input, options)};
}

function weighted(losses: ObjectiveTensors, {weights}: StepInput): Tensor[] {
  return objectiveNames.flatMap((name) => {
    const loss = losses[name];
    return loss ? [multiply(loss, weights[name])] : [];
  });
}

/** The losses of a step from those of its micro-batches, and their weighted sum. */
function sumLosses(shares: readonly ObjectiveTensors[], step: StepInput, {device}: Decoder): StepLosses {
  const losses: Partial<Record<ObjectiveName, Tensor>> = {};
  for (const name of objectiveNames) {
    const present = shares.flatMap((share) => share[name] ?? []);
    if (present.length > 0) losses[name] = present.reduce(add);
  }
  return {losses, loss: weighted(losses, step).reduce(add, zeros([], {device}))};
}
