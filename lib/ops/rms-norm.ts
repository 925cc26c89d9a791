/** RMSNorm, alone and with the addition before it. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/** Options of `rmsNorm` and `rmsNormResidual`. */
export interface RmsNormOptions {
  /** Added to the mean square, > 0; default 1e-5, as in Llama. */
  readonly eps?: number;
}

/** Results of `rmsNormResidual`. */
export interface RmsNormResidual {
  /** [tokens, features], dtype of `x`: the sum, normalised. */
  readonly y: Tensor;
  /** [tokens, features], dtype of `x`: `x + residual`, the residual of the next layer. */
  readonly sum: Tensor;
}

/**
 * RMSNorm over features: `y = x / sqrt(mean(x²) + eps) * weight`.
 *
 * @param x [tokens, features], float32, float16 or bfloat16; at least 1 feature
 * @param weight [features], dtype of `x`; its gradient is float32
 * @returns [tokens, features], dtype of `x`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT, ERR_DISPOSED
 * @see Zhang and Sennrich 2019, arXiv:1910.07467
 */
export function rmsNorm(x: Tensor, weight: Tensor, {eps = 1e-5}: RmsNormOptions = {}): Tensor {
  const {y, rstd} = native.rmsNorm(x.native, weight.native, eps);
  const [output] = record('rmsNorm', {
    inputs: [x, weight],
    outputs: [y],
    saved: [x.native, weight.native],
    owned: [rstd],
    backward: ([dy], [savedX, savedWeight], [wantsX = false, wantsWeight = false]) => {
      const wanted = {x: wantsX, weight: wantsWeight};
      const {dx, dWeight} = native.rmsNormBackward(dy, undefined, savedX, savedWeight, rstd, wanted);
      return [dx, dWeight];
    },
  });
  return output;
}

/**
 * The residual connection and the RMSNorm behind it in one pass: `sum = x + residual`, rounded to the dtype, and
 * `y = rmsNorm(sum, weight)`.
 *
 * @param x [tokens, features], float32, float16 or bfloat16; at least 1 feature
 * @param residual [tokens, features], dtype of `x`
 * @param weight [features], dtype of `x`; its gradient is float32
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT, ERR_DISPOSED
 * @see Zhang and Sennrich 2019, arXiv:1910.07467
 */
export function rmsNormResidual(
  x: Tensor,
  residual: Tensor,
  weight: Tensor,
  {eps = 1e-5}: RmsNormOptions = {},
): RmsNormResidual {
  const results = native.rmsNormResidual(x.native, residual.native, weight.native, eps);
  const {rstd} = results;
  const [y, sum] = record('rmsNormResidual', {
    inputs: [x, residual, weight],
    outputs: [results.y, results.sum],
    saved: [results.sum, weight.native],
    owned: [rstd],
    backward: (
      [dy, dSum],
      [savedSum, savedWeight],
      [wantsX = false, wantsResidual = false, wantsWeight = false],
    ) => {
      if (dy === undefined) return [dSum, dSum];
      const wanted = {x: wantsX || wantsResidual, weight: wantsWeight};
      const {dx, dWeight} = native.rmsNormBackward(dy, dSum, savedSum, savedWeight, rstd, wanted);
      return [dx, dx, dWeight];
    },
  });
  return {y, sum};
}
