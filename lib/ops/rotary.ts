/** Rotary position embedding. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/** Options of `rotary`. */
export interface RotaryOptions {
  /** Factor of the result: YaRN's attention factor. Default 1. */
  readonly scale?: number;
}

/**
 * Rotary position embedding: turns feature `d` of the first half of each head together with feature `d` of the second half by
 * the angle `positions[t] * frequencies[d]`. This is the layout of Llama in Hugging Face's transformers; angles are float32.
 *
 * @param x [tokens, heads, headDim], float32, float16 or bfloat16; headDim is even
 * @param positions [tokens] int32, 0 or more: each token's place in its segment
 * @param frequencies [headDim / 2] float32, in radians per position
 * @returns like `x`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT, ERR_DISPOSED; ERR_INDEX at the next synchronisation for a position below 0
 * @see Su et al. 2021, arXiv:2104.09864; Peng et al. 2023, arXiv:2309.00071 (YaRN)
 */
export function rotary(
  x: Tensor,
  positions: Tensor,
  frequencies: Tensor,
  {scale = 1}: RotaryOptions = {},
): Tensor {
  const [output] = record('rotary', {
    inputs: [x],
    outputs: [native.rotary(x.native, positions.native, frequencies.native, scale)],
    saved: [positions.native, frequencies.native],
    backward: ([dy], [savedPositions, savedFrequencies]) => [
      native.rotaryBackward(dy, savedPositions, savedFrequencies, scale),
    ],
  });
  return output;
}
