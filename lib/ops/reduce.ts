/** Reductions over all elements, or over the last axis. */
import {record} from '../autograd/index.js';
import {native, type AxisName, type ReductionName} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/** What a reduction takes together. */
export interface ReduceOptions {
  /** `all` elements, or those of the `last` axis; default all. */
  readonly axis?: AxisName;
}

/**
 * The sum of the elements, 0 of none, added in an order that the shape fixes.
 *
 * @param x any shape, or [..., features] with the last axis; float32, bfloat16 or float16
 * @returns float32 whatever the dtype of `x`: [], or [...] with the last axis
 * @throws ERR_SHAPE where `x` has no axis to reduce; ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function sum(x: Tensor, {axis = 'all'}: ReduceOptions = {}): Tensor {
  return reduce('sum', x, axis);
}

/** The mean of the elements, of which there must be one; as `sum`. */
export function mean(x: Tensor, {axis = 'all'}: ReduceOptions = {}): Tensor {
  return reduce('mean', x, axis);
}

/**
 * The greatest element, of which there must be one; NaN where one is NaN. The gradient goes to the first of equals.
 *
 * @param x any shape, or [..., features] with the last axis; float32, bfloat16 or float16
 * @returns in the dtype of `x`: [], or [...] with the last axis
 * @throws as `sum`
 */
export function max(x: Tensor, {axis = 'all'}: ReduceOptions = {}): Tensor {
  const {y, indices} = native.reduceMax(x.native, axis);
  const {shape} = x;
  const [greatest] = record('max', {
    inputs: [x],
    outputs: [y],
    saved: [indices],
    takesAnyDType: true,
    backward: ([dy], [indices]) => [native.reduceMaxBackward(dy, indices, shape, axis)],
  });
  indices.dispose();
  return greatest;
}

function reduce(op: ReductionName, x: Tensor, axis: AxisName): Tensor {
  const {shape, dtype} = x;
  const [y] = record(op, {
    inputs: [x],
    outputs: [native.reduce(op, x.native, axis)],
    saved: [],
    backward: ([dy]) => [native.reduceBackward(op, dy, shape, dtype, axis)],
  });
  return y;
}
