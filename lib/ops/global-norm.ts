/** The norm of all gradients together, and the factor that clips it. */
import {native} from '../native.js';
import {Tensor} from '../tensor/index.js';

/**
 * `sqrt(sum of x²)` over all elements of all tensors, added in double precision in an order that the sizes fix. No gradient passes.
 *
 * @param tensors at least one, float32, of any shape
 * @returns [] float32: NaN or Infinity where an element is, and Infinity beyond 3.4e38
 * @throws ERR_ARGUMENT, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function globalNorm(tensors: readonly Tensor[]): Tensor {
  return Tensor.fromNative(native.globalNorm(tensors.map((tensor) => tensor.native)));
}

/**
 * `min(1, maxNorm / norm)`, without waiting for the device: the factor of gradients that brings their norm down to `maxNorm`. NaN
 * where the norm is not finite; `adamw` then leaves everything as it was. No gradient passes.
 *
 * @param norm [] float32, as `globalNorm` gives it
 * @param maxNorm > 0
 * @returns [] float32
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 * @see Pascanu et al. 2013, arXiv:1211.5063, algorithm 1
 */
export function clipScale(norm: Tensor, maxNorm: number): Tensor {
  return Tensor.fromNative(native.clipScale(norm.native, maxNorm));
}
