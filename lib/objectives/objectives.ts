/** The weighted sum of the objectives over one step, METHOD section 1. */
import {backward, noGrad, requireGradient} from '../autograd/index.js';
import type {Batch} from '../data/batch.js';
import type {Decoder, DecoderInput, DecoderOutput, ForwardOptions, Parameter} from '../nn/index.js';
import {owned} from '../nn/parameters.js';
import {add, scale} from '../ops/index.js';
import {scope, tensor, zeros, type Tensor} from '../tensor/index.js';
import {alignmentLoss, alignStep, poolPairs, type AlignmentOptions, type StepAlignment} from './alignment.js';
import {prepareStep, type PreparedBatch, type PreparedStep} from './prepared-step.js';
import type {ObjectivesConfig, StepPlan} from './step-plan.js';
import {tokenLoss} from './token-losses.js';

/** float32 [] per objective, on the device; absent where the step held nothing for it, or its weight is 0. */
export interface ObjectiveTensors {
  /** Nats per target token; label smoothing and z-loss included. */
  readonly next?: Tensor;
  /** Nats per target token. */
  readonly mapping?: Tensor;
  /** Nats per pair. */
  readonly contrastive?: Tensor;
}

/** One step, run but not waited for. The innermost scope frees the tensors. */
export interface StepResult {
  /** float32 [] the weighted sum, whose gradients were added to the parameters'. */
  readonly loss: Tensor;
  readonly losses: ObjectiveTensors;
  /** Weight of each objective in this step, warm-up included. */
  readonly weights: {readonly next: number; readonly mapping: number; readonly contrastive: number};
  /** Tokens of the batches. */
  readonly tokens: number;
  /** Share of those tokens that are targets of each objective. */
  readonly targetShares: {readonly next: number; readonly mapping: number};
  /** Sentence pairs that were aligned. */
  readonly pairs: number;
  /** Most pairs that were compared with each other at once: the batch that the contrastive objective in effect has. */
  readonly comparedPairs: number;
}

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
  /** `step` of what was prepared; leaves disposing of it to the caller. */
  run(prepared: PreparedStep): StepResult;
  dispose(): void;
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
        return runStep(run, prepared);
      } finally {
        prepared.dispose();
      }
    },
    prepare,
    run: (prepared) => runStep(run, prepared),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function createTheta({objectives}: ObjectivesConfig, {device}: Decoder): Parameter {
  const theta = owned(() => tensor(-Math.log(objectives.contrastive.temperature), {device}));
  return {name: 'contrastive.theta', tensor: requireGradient(theta), decays: false};
}

const objectives = ['next', 'mapping', 'contrastive'] as const;

interface Run {
  readonly config: ObjectivesConfig;
  readonly decoder: Decoder;
  readonly alignment: AlignmentOptions;
}

function runStep(run: Run, prepared: PreparedStep): StepResult {
  const {decoder, alignment} = run;
  const {plan, batches, groups} = prepared;
  return scope(() => {
    const whole =
      alignment.config.negatives === 'step' && groups !== undefined
        ? alignStep({...prepared, groups}, {decoder, options: alignment, weight: plan.weights.contrastive})
        : undefined;
    const shares = runBatches(run, batches, {plan, whole});
    const all = whole ? [...shares, {contrastive: whole.loss}] : shares;
    return {
      ...noGrad(() => sumLosses(all, plan, decoder)),
      weights: plan.weights,
      tokens: plan.tokens,
      targetShares: {
        next: shareOf(plan.targets.next, plan.tokens),
        mapping: shareOf(plan.targets.mapping, plan.tokens),
      },
      pairs: plan.pairs,
      comparedPairs: whole ? plan.pairs : Math.max(0, ...batches.map(({pairCount}) => pairCount)),
    };
  });
}

function runBatches(
  run: Run,
  batches: readonly PreparedBatch[],
  step: Omit<Place, 'index'>,
): ObjectiveTensors[] {
  try {
    return batches.map((batch, index) => scope(() => runBatch(run, batch, {...step, index})));
  } finally {
    step.whole?.dispose();
  }
}

interface Place {
  readonly index: number;
  readonly plan: StepPlan;
  readonly whole: StepAlignment | undefined;
}

/**
 * Forward and backward pass of a micro-batch.
 *
 * @returns what it adds to the losses of the step, without gradients; not the alignment of a whole step
 */
function runBatch(
  {config, decoder, alignment}: Run,
  batch: PreparedBatch,
  {index, plan, whole}: Place,
): ObjectiveTensors {
  const {input, parts, pairs, pairCount} = batch;
  if (parts.length === 0 && pairs === undefined) return {};
  const {hidden, hiddenStates} = runDecoder(decoder, input, {
    isScored: parts.length > 0,
    hiddenStates: pairs ? alignment.config.layer : [],
    checkpointing: config.training.activationCheckpointing,
  });
  const losses: Partial<Record<keyof ObjectiveTensors, Tensor>> = {};
  if (hidden)
    for (const part of parts) losses[part.objective] = tokenLoss(batch, part, {hidden, decoder, config});
  const pooled = pairs ? hiddenStates.map((states) => poolPairs(states, pairs, alignment)) : [];
  if (pairs && !whole)
    // The mean over the pairs of the step, as far as these pairs go.
    losses.contrastive = scale(alignmentLoss(pooled, pairs.groups, alignment), pairCount / plan.pairs);
  const injected = pairs && whole ? [whole.term(index, pooled)] : [];
  backward([...weighted(losses, plan), ...injected].reduce(add));
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

function weighted(losses: ObjectiveTensors, {weights}: StepPlan): Tensor[] {
  return objectives.flatMap((objective) => {
    const loss = losses[objective];
    return loss ? [scale(loss, weights[objective])] : [];
  });
}

/** The losses of a step from those of its micro-batches, and their weighted sum. */
function sumLosses(
  shares: readonly ObjectiveTensors[],
  plan: StepPlan,
  {device}: Decoder,
): Pick<StepResult, 'loss' | 'losses'> {
  const losses: Partial<Record<keyof ObjectiveTensors, Tensor>> = {};
  for (const objective of objectives) {
    const present = shares.flatMap((share) => share[objective] ?? []);
    if (present.length > 0) losses[objective] = present.reduce(add);
  }
  return {losses, loss: weighted(losses, plan).reduce(add, zeros([], {device}))};
}

function shareOf(count: number, tokens: number): number {
  return tokens === 0 ? 0 : count / tokens;
}
