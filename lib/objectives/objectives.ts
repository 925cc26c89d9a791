/** The weighted sum of the objectives over one step, METHOD section 1. */
import {backward, noGrad, requireGradient} from '../autograd/index.js';
import type {Batch} from '../data/batch.js';
import {decoderInput, type Decoder, type Parameter} from '../nn/index.js';
import {owned} from '../nn/parameters.js';
import {add, scale} from '../ops/index.js';
import {scope, tensor, zeros, type Device, type Tensor} from '../tensor/index.js';
import {alignmentLoss, alignStep, poolPairs, type AlignmentOptions, type StepAlignment} from './alignment.js';
import {planStep, type ObjectivesConfig, type StepPlan} from './step-plan.js';
import {tokenLosses, tokenParts} from './token-losses.js';

/** float32 [] per objective, on the device; absent where the step held nothing for it, or its weight is 0. */
export interface ObjectiveTensors {
  /** Nats per target token. */
  readonly next?: Tensor;
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
  return {
    parameters: theta ? [theta] : [],
    step: (batches, stepIndex) => runStep(run, batches, planStep(config, batches, stepIndex)),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

function createTheta({objectives}: ObjectivesConfig, {device}: Decoder): Parameter {
  const theta = owned(() => tensor(-Math.log(objectives.contrastive.temperature), {device}));
  return {name: 'contrastive.theta', tensor: requireGradient(theta), decays: false};
}

interface Run {
  readonly config: ObjectivesConfig;
  readonly decoder: Decoder;
  readonly alignment: AlignmentOptions;
}

function runStep(run: Run, batches: readonly Batch[], plan: StepPlan): StepResult {
  const {decoder, alignment} = run;
  return scope(() => {
    const isWhole = alignment.config.negatives === 'step' && plan.pairs > 0;
    const whole = isWhole
      ? alignStep(batches, {decoder, options: alignment, weight: plan.weights.contrastive})
      : undefined;
    const shares = batches.map((batch, index) => scope(() => runBatch(run, batch, {index, plan, whole})));
    whole?.dispose();
    const losses = noGrad(() => sumShares(shares, plan, {whole: whole?.loss, device: decoder.device}));
    return {
      ...losses,
      weights: plan.weights,
      tokens: plan.tokens,
      targetShares: {
        next: shareOf(plan.targets.next, plan.tokens),
        mapping: shareOf(plan.targets.mapping, plan.tokens),
      },
      pairs: plan.pairs,
      comparedPairs: isWhole ? plan.pairs : mostPairs(batches, plan),
    };
  });
}

/** What a micro-batch adds to the values of the step, float32 [], without gradients. */
interface Share extends ObjectiveTensors {
  /** Weighted losses of its targets. */
  readonly tokenLoss?: Tensor;
}

interface Place {
  readonly index: number;
  readonly plan: StepPlan;
  readonly whole: StepAlignment | undefined;
}

/** Forward and backward pass of a micro-batch. */
function runBatch({config, decoder, alignment}: Run, batch: Batch, {index, plan, whole}: Place): Share {
  const parts = tokenParts(batch, plan);
  const pairs = plan.pairs > 0 ? batch.pairs.groups.length : 0;
  if (parts.length === 0 && pairs === 0) return {};
  const {hidden, hiddenStates} = decoder.forward(decoderInput(batch, decoder.device), {
    hiddenStates: pairs > 0 ? alignment.config.layer : [],
    checkpointing: config.training.activationCheckpointing,
  });
  const {terms, losses} = tokenLosses(batch, parts, {hidden, decoder, config});
  const pooled = hiddenStates.map((states) => poolPairs(states, batch, alignment));
  const align = (): Alignment => {
    if (whole) return {term: whole.term(index, pooled)};
    // The mean over the pairs of the step, as far as these pairs go.
    const contrastive = scale(alignmentLoss(pooled, batch.pairs.groups, alignment), pairs / plan.pairs);
    return {term: scale(contrastive, plan.weights.contrastive), contrastive};
  };
  const aligned = pairs > 0 ? align() : undefined;
  backward([...terms, ...(aligned ? [aligned.term] : [])].reduce(add));
  return {
    ...losses,
    ...(aligned?.contrastive && {contrastive: aligned.contrastive}),
    ...(terms.length > 0 && {tokenLoss: noGrad(() => terms.reduce(add))}),
  };
}

interface Alignment {
  /** What the gradient is taken of. */
  readonly term: Tensor;
  /** The micro-batch's share of the loss, where it is not that of the whole step. */
  readonly contrastive?: Tensor;
}

interface Whole {
  /** Alignment loss of the whole step, where it was taken at once. */
  readonly whole: Tensor | undefined;
  readonly device: Device;
}

function sumShares(
  shares: readonly Share[],
  plan: StepPlan,
  {whole, device}: Whole,
): Pick<StepResult, 'loss' | 'losses'> {
  const total = (key: keyof Share): Tensor | undefined => {
    const present = shares.flatMap((share) => share[key] ?? []);
    return present.length > 0 ? present.reduce(add) : undefined;
  };
  const [next, mapping, contrastive] = [total('next'), total('mapping'), whole ?? total('contrastive')];
  const terms = [total('tokenLoss'), contrastive && scale(contrastive, plan.weights.contrastive)];
  return {
    loss: terms.flatMap((term) => term ?? []).reduce(add, zeros([], {device})),
    losses: {...(next && {next}), ...(mapping && {mapping}), ...(contrastive && {contrastive})},
  };
}

function shareOf(count: number, tokens: number): number {
  return tokens === 0 ? 0 : count / tokens;
}

function mostPairs(batches: readonly Batch[], plan: StepPlan): number {
  return plan.pairs === 0 ? 0 : Math.max(...batches.map(({pairs}) => pairs.groups.length));
}
