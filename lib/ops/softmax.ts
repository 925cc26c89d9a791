/** Softmax over the last axis, and its logarithm. */
import {record} from '../autograd/index.js';
import {native, type SoftmaxName} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/**
 * `p[t, d] = e^x[t, d] / sum over d of e^x[t, d]`. A row that is -Infinity throughout gives zeros and no gradient.
 *
 * @param x [..., features], float32, bfloat16 or float16
 * @returns like `x`
 * @throws ERR_SHAPE where `x` has no axis; ERR_DTYPE, ERR_DISPOSED, ERR_OUT_OF_MEMORY
 */
export function softmax(x: Tensor): Tensor {
  return normalized('softmax', x);
}

/**
 * `log p` of `softmax`, without the rounding that a logarithm of small p would suffer. A row that is -Infinity throughout gives
 * -Infinity and no gradient. Operand and errors as in `softmax`.
 */
export function logSoftmax(x: Tensor): Tensor {
  return normalized('logSoftmax', x);
}

function normalized(form: SoftmaxName, x: Tensor): Tensor {
  const {y, statistics} = native.softmax(form, x.native);
  const [output] = record(form, {
    inputs: [x],
    outputs: [y],
    saved: [x.native, statistics],
    backward: ([dy], [x, statistics]) => [native.softmaxBackward(form, dy, x, statistics)],
  });
  statistics.dispose();
  return output;
}
