/** A range of rows. */
import {record} from '../autograd/index.js';
import {native, type NativeTensor} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/**
 * Rows `start` to `end` (left out) of the first axis, in the same memory.
 *
 * @param x [rows, ...], any dtype
 * @param start whole number, 0 to `end`
 * @param end whole number, `start` to rows
 * @returns [end - start, ...]
 * @throws ERR_SHAPE where `x` has no axis; ERR_ARGUMENT, ERR_DISPOSED
 */
export function sliceRows(x: Tensor, start: number, end: number): Tensor {
  const rows = x.rows(start, end);
  const {shape} = x;
  const [y] = record('sliceRows', {
    inputs: [x],
    outputs: [rows.native.retain()],
    saved: [],
    takesAnyDType: true,
    backward: ([dy]) => [padded(dy, shape, start)],
  });
  rows.dispose();
  return y;
}

/** Zeros of the shape, with `dy` from row `start` on. */
function padded(dy: NativeTensor, shape: readonly number[], start: number): NativeTensor {
  const dx = native.fill(shape, dy.dtype, dy.device, 0);
  const rowSize = shape.slice(1).reduce((product, size) => product * size, 1);
  const range = native.view(dx, dy.shape, start * rowSize);
  native.copyInto(range, dy);
  range.dispose();
  return dx;
}
