/** SwiGLU. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/**
 * SwiGLU, the gated activation of Llama's feed-forward layers: `gate * sigmoid(gate) * up`.
 *
 * @param gate [tokens, hidden], or any other shape; float32, float16 or bfloat16
 * @param up shape and dtype of `gate`
 * @returns like `gate`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED
 * @see Shazeer 2020, arXiv:2002.05202, equation 6
 */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  const [output] = record('swiglu', {
    inputs: [gate, up],
    outputs: [native.swiglu(gate.native, up.native)],
    saved: [gate.native, up.native],
    backward: ([dy], [savedGate, savedUp]) => {
      const {dGate, dUp} = native.swigluBackward(dy, savedGate, savedUp);
      return [dGate, dUp];
    },
  });
  return output;
}
