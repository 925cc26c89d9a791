/** Next token and mapping: the cross-entropy of the targets of a micro-batch, METHOD sections 1.1 and 1.2. */
import type {Decoder} from '../nn/index.js';
import {linearCrossEntropy} from '../ops/index.js';
import type {Tensor} from '../tensor/index.js';
import type {BatchInput, TokenPart} from './prepared-step.js';
import type {ObjectivesConfig} from './step-plan.js';

/** What a loss is computed from. */
interface TokenLossContext {
  /** [tokens, features] after the final norm. */
  readonly hidden: Tensor;
  readonly decoder: Decoder;
  readonly config: ObjectivesConfig;
}

/**
 * float32 [] what the micro-batch adds to the objective's loss of the step. Smoothing and z-loss belong to the next-token objective
 * alone, and are part of its loss.
 */
export function tokenLoss(
  {targets}: BatchInput,
  {objective, weights}: TokenPart,
  {hidden, decoder, config}: TokenLossContext,
): Tensor {
  const {labelSmoothing, zLoss} = config.objectives.next;
  const {loss} = linearCrossEntropy(hidden, decoder.head, targets, {
    weights, // targets of the other objective have weight 0, and cost nothing
    normalizer: 1, // the weights are already divided by their sum over the step
    ...(objective === 'next' && {labelSmoothing, zLoss}),
  });
  return loss;
}
