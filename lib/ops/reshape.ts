/** The same elements in another shape. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/**
 * The same elements, in the same memory, in another shape.
 *
 * @param x any shape and dtype
 * @param shape with as many elements as `x`; one size may be -1: what is left
 * @throws ERR_SHAPE, ERR_DISPOSED
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const view = x.view(shape);
  const {shape: from} = x;
  const [y] = record('reshape', {
    inputs: [x],
    outputs: [view.native.retain()],
    saved: [],
    takesAnyDType: true,
    backward: ([dy]) => [native.view(dy, from, 0)],
  });
  view.dispose();
  return y;
}
