/** What a decoder reads: packed segments, as tensors. */
import {tensor, type Device, type Tensor} from '../tensor/index.js';

/** Packed segments as arrays; a batch of the data path is one. */
export interface PackedTokens {
  /** [tokens] ids. */
  readonly tokens: Int32Array;
  /** [tokens] position in the segment, from 0. */
  readonly positions: Int32Array;
  /** [segments + 1] first token of each segment, then the number of tokens. */
  readonly segmentStarts: Int32Array;
  /** [segments] length of the bidirectional prefix; default 0 for all: plain causal. */
  readonly prefixLengths?: Int32Array;
}

/** The same as int32 tensors. */
export interface DecoderInput {
  /** [tokens] */
  readonly tokens: Tensor;
  /** [tokens] */
  readonly positions: Tensor;
  /** [segments + 1] */
  readonly segmentStarts: Tensor;
  /** [segments]; left out where all are 0. */
  readonly prefixLengths?: Tensor;
}

/**
 * Copies packed segments to a device. The innermost scope frees the tensors.
 *
 * @throws ERR_DEVICE, ERR_OUT_OF_MEMORY
 */
export function decoderInput(packed: PackedTokens, device: Device): DecoderInput {
  const {tokens, positions, segmentStarts, prefixLengths} = packed;
  const hasPrefix = prefixLengths?.some((length) => length > 0) === true;
  return {
    tokens: indices(tokens, device),
    positions: indices(positions, device),
    segmentStarts: indices(segmentStarts, device),
    ...(hasPrefix && {prefixLengths: indices(prefixLengths, device)}),
  };
}

/** An int32 tensor of whole numbers, which are copied. */
export function indices(values: ArrayLike<number>, device: Device): Tensor {
  return tensor(new Int32Array(values), {device});
}
