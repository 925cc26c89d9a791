/** Cross-entropy of a linear layer's logits. */
import {isRecording, record, requiresGradient} from '../autograd/index.js';
import {native, type NativeTensor} from '../native.js';
import {Tensor} from '../tensor/index.js';

/** Options of `linearCrossEntropy`. */
export interface LinearCrossEntropyOptions {
  /** [tokens] float32: weight of each token's loss; default all 1. A token of weight 0 costs no work. */
  readonly weights?: Tensor;
  /** The target that is none: such tokens cost no work. It may be an id of the vocabulary. Default -1. */
  readonly ignoreIndex?: number;
  /** Share of the target that is spread evenly over the vocabulary, 0 to 1; default 0. */
  readonly labelSmoothing?: number;
  /** Factor of the squared log-sum-exp that is added to each token's loss, 0 or more; default 0. */
  readonly zLoss?: number;
  /** Bound of the logits: `softcap * tanh(logit / softcap)`, above 0; default none. */
  readonly softcap?: number;
  /** What the weighted sum is divided by, above 0; default the sum of the weights of targets that are not ignored. */
  readonly normalizer?: number;
  /** Whether the log-probabilities of the targets are given too; default false. */
  readonly logProbabilities?: boolean;
}

/** Results of `linearCrossEntropy`. */
export interface LinearCrossEntropy {
  /** [] float32, in nats. */
  readonly loss: Tensor;
  /** [tokens] float32: log-probability of each target in nats, 0 where the token is ignored or has weight 0. No gradient flows through it. */
  readonly logProbabilities?: Tensor;
}

/**
 * Cross-entropy of `softmax(hidden weightᵀ)` with the targets, without the matrix [tokens, vocab]:
 * `loss = sum_t w_t (n_t + zLoss lse_t²) / normalizer`, where `lse_t` is the log-sum-exp of the logits of token t and
 * `n_t = lse_t - (1 - labelSmoothing) logit_t,target - labelSmoothing mean_v logit_tv`. Without a target that counts it is 0.
 *
 * Gradients are computed with the loss, in three products instead of the four of a backward pass that would compute the logits
 * again; without recording there is one. The gradient of `weight` is float32, that of `hidden` has the dtype of `hidden`.
 *
 * @param hidden [tokens, features], float32, bfloat16 or float16
 * @param weight [vocab, features], dtype of `hidden`
 * @param targets [tokens] int32, ids from 0 to vocab - 1 or `ignoreIndex`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT, ERR_DISPOSED, ERR_OUT_OF_MEMORY; ERR_INDEX at the next synchronisation for
 *   a target out of range
 * @see Wijmans et al. 2024, arXiv:2411.09009, for the idea; label smoothing: Szegedy et al. 2015, arXiv:1512.00567; z-loss: Chowdhery
 *   et al. 2022, arXiv:2204.02311
 */
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  options: LinearCrossEntropyOptions & {readonly logProbabilities: true},
): Required<LinearCrossEntropy>;
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  options?: LinearCrossEntropyOptions,
): LinearCrossEntropy;
export function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  options: LinearCrossEntropyOptions = {},
): LinearCrossEntropy {
  const {weights, ...rest} = options;
  const {loss, logProbabilities, dHidden, dWeight} = native.linearCrossEntropy(
    hidden.native,
    weight.native,
    targets.native,
    {
      ...rest,
      weights: weights?.native,
      wantsHidden: isRecording() && requiresGradient(hidden),
      wantsWeight: isRecording() && requiresGradient(weight),
    },
  );
  const [recorded] = record('linearCrossEntropy', {
    inputs: [hidden, weight],
    outputs: [loss],
    saved: [],
    owned: [dHidden, dWeight].filter((gradient) => gradient !== undefined),
    backward: ([dLoss]) => {
      if (dLoss === undefined) return [];
      return [takeScaled(dHidden, dLoss, hidden.dtype), takeScaled(dWeight, dLoss, 'float32')];
    },
  });
  return {
    loss: recorded,
    ...(logProbabilities !== undefined && {logProbabilities: Tensor.fromNative(logProbabilities)}),
  };
}

/** The gradient times that of the loss; the tape's handle on it is given up, so that the result is the only one. */
function takeScaled(
  gradient: NativeTensor | undefined,
  dLoss: NativeTensor,
  dtype: Tensor['dtype'],
): NativeTensor | undefined {
  if (gradient === undefined) return undefined;
  const scaled = native.linearCrossEntropyBackward(dLoss, gradient, dtype);
  gradient.dispose();
  return scaled;
}
