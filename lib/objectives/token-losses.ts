/** Next token and mapping: the cross-entropy of the targets of a micro-batch, METHOD sections 1.1 and 1.2. */
import type {Batch} from '../data/batch.js';
import type {Decoder} from '../nn/index.js';
import {indices} from '../nn/input.js';
import {linearCrossEntropy} from '../ops/index.js';
import {tensor, type Tensor} from '../tensor/index.js';
import {normalizedWeights, type ObjectivesConfig, type StepPlan, type TokenObjective} from './step-plan.js';

/** The targets that one objective has in a micro-batch. */
interface TokenPart {
  readonly objective: TokenObjective;
  /** [tokens] loss weight of each target; over the micro-batches of a step they sum to 1. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** What a loss is computed from. */
interface TokenLossContext {
  /** [tokens, features] after the final norm. */
  readonly hidden: Tensor;
  readonly decoder: Decoder;
  readonly config: ObjectivesConfig;
}

/** The objectives that have a weight and, in this micro-batch, targets. */
export function tokenParts(batch: Batch, plan: StepPlan): TokenPart[] {
  return (['next', 'mapping'] as const).flatMap((objective) => {
    if (plan.weights[objective] === 0) return [];
    const weights = normalizedWeights(batch, objective, plan.targetWeights[objective]);
    return weights.some((weight) => weight > 0) ? [{objective, weights}] : [];
  });
}

/**
 * float32 [] what the micro-batch adds to the objective's loss of the step. Smoothing and z-loss belong to the next-token objective
 * alone, and are part of its loss.
 */
export function tokenLoss(
  batch: Batch,
  {objective, weights}: TokenPart,
  {hidden, decoder, config}: TokenLossContext,
): Tensor {
  const {device, head} = decoder;
  const {labelSmoothing, zLoss} = config.objectives.next;
  const {loss} = linearCrossEntropy(hidden, head, indices(batch.targets, device), {
    weights: tensor(weights, {device}), // targets of the other objective have weight 0, and cost nothing
    normalizer: 1, // the weights are already divided by their sum over the step
    ...(objective === 'next' && {labelSmoothing, zLoss}),
  });
  return loss;
}
