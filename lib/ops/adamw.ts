/** The optimiser's update, of all parameters in one call. */
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/** What `adamw` reads and updates. */
export interface AdamwOptions {
  /** float32, bfloat16 or float16, of any shape; none twice. Updated. */
  readonly parameters: readonly Tensor[];
  /** [parameters] float32, each in the shape of its parameter, like all that follow. */
  readonly gradients: readonly Tensor[];
  /**
   * [parameters] float32 weights of bfloat16 and float16 parameters, which are these weights rounded; undefined for parameters of
   * float32. Default: none. Updated.
   */
  readonly masters?: readonly (Tensor | undefined)[];
  /** [parameters] float32, 0 before the first step: mean gradients. Updated. */
  readonly firstMoments: readonly Tensor[];
  /** [parameters] float32, 0 before the first step: mean squares of gradients. Updated. */
  readonly secondMoments: readonly Tensor[];
  /** 0 or more. */
  readonly learningRate: number;
  /** Decay of the first moments, 0 to 1, 1 left out. */
  readonly beta1: number;
  /** Decay of the second moments, 0 to 1, 1 left out. */
  readonly beta2: number;
  /** Added to the root of the second moment, > 0. */
  readonly eps: number;
  /** [parameters] 0 or more. */
  readonly weightDecays: readonly number[];
  /** Number of this step, from 1: what the moments are corrected by. */
  readonly step: number;
  /** [] float32 factor of all gradients, as `clipScale` gives it; default 1. */
  readonly gradientScale?: Tensor;
}

/**
 * One step of AdamW, in place: for each weight `w` with gradient `g`, scaled,
 * `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g²` and
 * `w = w - learningRate (weightDecay w + m / (1 - beta1^step) / (sqrt(v / (1 - beta2^step)) + eps))`.
 *
 * Where `gradientScale` is not finite, everything stays as it was. Without it, gradients that are not finite make their weights so.
 *
 * @throws ERR_ARGUMENT, ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED
 * @see Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2
 */
export function adamw(options: AdamwOptions): void {
  const {parameters, gradients, masters = [], firstMoments, secondMoments, gradientScale} = options;
  native.adamw({
    ...options,
    parameters: parameters.map((tensor) => tensor.native),
    gradients: gradients.map((tensor) => tensor.native),
    masters: masters.map((tensor) => tensor?.native),
    firstMoments: firstMoments.map((tensor) => tensor.native),
    secondMoments: secondMoments.map((tensor) => tensor.native),
    gradientScale: gradientScale?.native,
  });
}
