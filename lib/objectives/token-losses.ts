/** Next token and mapping: the cross-entropy of the targets of a micro-batch, METHOD sections 1.1 and 1.2. */
import {noGrad} from '../autograd/index.js';
import type {Batch} from '../data/batch.js';
import type {Decoder} from '../nn/index.js';
import {indices} from '../nn/input.js';
import {linearCrossEntropy, multiply, scale, sum} from '../ops/index.js';
import {tensor, type Tensor} from '../tensor/index.js';
import {normalizedWeights, type ObjectivesConfig, type StepPlan, type TokenObjective} from './step-plan.js';

/** The targets that one objective has in a micro-batch. */
export interface TokenPart {
  readonly objective: TokenObjective;
  /** Weight of the objective. */
  readonly weight: number;
  /** [tokens] loss weight of each target; over the micro-batches of a step they sum to 1. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** What a micro-batch adds to the losses of the step. */
export interface TokenLosses {
  /** float32 [] to be added up for the gradient, weights included. */
  readonly terms: readonly Tensor[];
  /** float32 [] mean nll of the objective's targets, in nats: this micro-batch's share of it, without gradient. */
  readonly losses: Partial<Readonly<Record<TokenObjective, Tensor>>>;
}

/** What the losses are computed from. */
export interface TokenLossContext {
  /** [tokens, features] after the final norm. */
  readonly hidden: Tensor;
  readonly decoder: Decoder;
  readonly config: ObjectivesConfig;
}

/** The objectives that have a weight and, in this micro-batch, targets. */
export function tokenParts(batch: Batch, plan: StepPlan): TokenPart[] {
  return (['next', 'mapping'] as const).flatMap((objective) => {
    const weight = plan.weights[objective];
    if (weight === 0) return [];
    const weights = normalizedWeights(batch, objective, plan.targetWeights[objective]);
    return weights.some((each) => each > 0) ? [{objective, weight, weights}] : [];
  });
}

/**
 * One pass through the head for both objectives where nothing but their weights differs. Smoothing and z-loss belong to the next-token
 * objective alone: with them each objective has a pass of its own.
 */
export function tokenLosses(
  batch: Batch,
  parts: readonly TokenPart[],
  context: TokenLossContext,
): TokenLosses {
  const {labelSmoothing, zLoss} = context.config.objectives.next;
  if (labelSmoothing === 0 && zLoss === 0) return runPass(batch, parts, {...context, options: {}});
  const passes = parts.map((part) =>
    runPass(batch, [part], {...context, options: part.objective === 'next' ? {labelSmoothing, zLoss} : {}}),
  );
  return passes.reduce(joined, noLosses);
}

const noLosses: TokenLosses = {terms: [], losses: {}};

function joined(a: TokenLosses, b: TokenLosses): TokenLosses {
  return {terms: [...a.terms, ...b.terms], losses: {...a.losses, ...b.losses}};
}

interface PassContext extends TokenLossContext {
  readonly options: {readonly labelSmoothing?: number; readonly zLoss?: number};
}

function runPass(
  batch: Batch,
  parts: readonly TokenPart[],
  {hidden, decoder, options}: PassContext,
): TokenLosses {
  if (parts.length === 0) return noLosses;
  const {device, head} = decoder;
  const combined = Float32Array.from(batch.targets, (_, t) =>
    parts.reduce((total, {weight, weights}) => total + weight * (weights[t] ?? 0), 0),
  );
  // Targets without a weight are left out, so that the op need not look at them.
  const targets = batch.targets.map((target, t) => (combined[t] === 0 ? -1 : target));
  const {loss, logProbabilities} = linearCrossEntropy(hidden, head, indices(targets, device), {
    ...options,
    weights: tensor(combined, {device}),
    normalizer: 1, // the weights are already divided by their sum over the step
    logProbabilities: true,
  });
  return {terms: [loss], losses: noGrad(() => meanNlls(parts, logProbabilities, decoder))};
}

function meanNlls(
  parts: readonly TokenPart[],
  logProbabilities: Tensor,
  {device}: Decoder,
): TokenLosses['losses'] {
  return Object.fromEntries(
    parts.map(({objective, weights}) => [
      objective,
      scale(sum(multiply(logProbabilities, tensor(weights, {device}))), -1),
    ]),
  );
}
