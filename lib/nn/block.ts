/** One block of the decoder: attention and SwiGLU, each on a normalised copy of the residual stream. */
import {add, linear, reshape, rmsNorm, rmsNormResidual, rotary, swiglu} from '../ops/index.js';
import type {Tensor} from '../tensor/index.js';
import type {DecoderShape} from './shape.js';
import type {BlockWeights} from './parameters.js';

/**
 * How a block attends, given its number (from 1), q [tokens, heads, headDim] and k and v [tokens, kvHeads, headDim], both rotated.
 * Returns [tokens, heads, headDim].
 */
export type Attend = (layer: number, q: Tensor, k: Tensor, v: Tensor) => Tensor;

/** What all blocks of a forward pass share. */
export interface BlockContext {
  readonly shape: DecoderShape;
  /** float32 [headDim / 2] */
  readonly frequencies: Tensor;
  readonly rotaryScale: number;
  /** int32 [tokens] */
  readonly positions: Tensor;
  readonly attend: Attend;
}

/** The residual stream after block `layer` (from 1), given that before it; both [tokens, features]. */
export function runBlock(
  stream: Tensor,
  layer: number,
  weights: BlockWeights,
  context: BlockContext,
): Tensor {
  const eps = context.shape.normEps;
  const attended = attention(rmsNorm(stream, weights.inputNorm, {eps}), layer, weights, context);
  const {y, sum} = rmsNormResidual(attended, stream, weights.postAttentionNorm, {eps});
  return add(linear(swiglu(linear(y, weights.gate), linear(y, weights.up)), weights.down), sum);
}

function attention(x: Tensor, layer: number, weights: BlockWeights, context: BlockContext): Tensor {
  const {shape, positions, frequencies, rotaryScale: scale, attend} = context;
  const {heads, kvHeads, headDim} = shape;
  const split = (weight: Tensor, count: number): Tensor => reshape(linear(x, weight), [-1, count, headDim]);
  const rotate = (projected: Tensor): Tensor => rotary(projected, positions, frequencies, {scale});
  const q = rotate(split(weights.q, heads));
  const k = rotate(split(weights.k, kvHeads));
  const attended = attend(layer, q, k, split(weights.v, kvHeads));
  return linear(reshape(attended, [-1, heads * headDim]), weights.o);
}
