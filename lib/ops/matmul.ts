/** Products of matrices. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/** Options of `matmul`. */
export interface MatmulOptions {
  /** `a` is given as [k, m]; default false. */
  readonly transposeA?: boolean;
  /** `b` is given as [n, k]; default false. */
  readonly transposeB?: boolean;
}

/**
 * Product of matrices: `y[i,j] = sum_l a[i,l] b[l,j]`. Sums are float32. Sizes may be 0; a sum over nothing is 0.
 *
 * @param a [m, k], float32, bfloat16 or float16
 * @param b [k, n], dtype of `a`
 * @returns [m, n], dtype of `a`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const {transposeA = false, transposeB = false} = options;
  const [y] = record('matmul', {
    inputs: [a, b],
    outputs: [native.matmul(a.native, b.native, {transposeA, transposeB})],
    saved: [a.native, b.native],
    backward: ([dy], [a, b], [wantsA, wantsB]) => {
      if (dy === undefined) return [];
      const da = transposeA
        ? () => native.matmul(b, dy, {transposeA: transposeB, transposeB: true})
        : () => native.matmul(dy, b, {transposeB: !transposeB});
      const db = transposeB
        ? () => native.matmul(dy, a, {transposeA: true, transposeB: transposeA})
        : () => native.matmul(a, dy, {transposeA: !transposeA});
      return [wantsA === true ? da() : undefined, wantsB === true ? db() : undefined];
    },
  });
  return y;
}

/**
 * A linear layer without bias: `y[t,o] = sum_d x[t,d] weight[o,d]`. Sums are float32. The gradient of the weight is float32, whatever
 * its dtype; that of `x` has the dtype of `x`.
 *
 * @param x [tokens, in], float32, bfloat16 or float16
 * @param weight [out, in], dtype of `x`
 * @returns [tokens, out], dtype of `x`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function linear(x: Tensor, weight: Tensor): Tensor {
  const [y] = record('linear', {
    inputs: [x, weight],
    outputs: [native.linear(x.native, weight.native)],
    saved: [x.native, weight.native],
    backward: ([dy], [x, weight], [wantsX, wantsWeight]) => {
      if (dy === undefined) return [];
      return [
        wantsX === true ? native.matmul(dy, weight, {}) : undefined,
        wantsWeight === true ? native.matmul(dy, x, {transposeA: true, dtype: 'float32'}) : undefined,
      ];
    },
  });
  return y;
}
