/** The elements of a tensor in another dtype. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import {isFloatDType, type DType, type Tensor} from '../tensor/index.js';

/**
 * The elements of `x` in another dtype, in new memory. Float to float rounds to nearest, ties to even. A float becomes an integer
 * truncated towards zero and saturated, NaN becomes 0; an integer becomes a float through float32. Gradients flow between float
 * dtypes; a float32 gradient passes unrounded.
 *
 * @param x any shape and dtype
 * @param dtype of the result
 * @returns in the shape of `x`
 * @throws ERR_ARGUMENT where `dtype` is none; ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  const [y] = record('cast', {
    inputs: isFloatDType(dtype) ? [x] : [],
    outputs: [native.cast(x.native, dtype)],
    saved: [],
    takesAnyDType: true,
    backward: ([dy]) => [dy],
  });
  return y;
}
