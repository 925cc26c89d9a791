/** Small decoders and packed segments for tests. */
import type {Decoder, DecoderShape, PackedTokens} from '../../lib/nn/index.js';
import {tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';

/** Two blocks, grouped heads, a head dimension that is not features / heads. */
export const tiny: DecoderShape = {
  layers: 2,
  features: 12,
  heads: 4,
  kvHeads: 2,
  headDim: 6,
  hiddenFeatures: 20,
  context: 32,
  ropeTheta: 100,
  tiedHead: true,
  normEps: 1e-5,
  vocabSize: 23,
};

/** Segments of the given lengths, one after the other. */
export function packedSegments(
  lengths: readonly number[],
  {seed = 3, prefixLengths}: {readonly seed?: number; readonly prefixLengths?: readonly number[]} = {},
): PackedTokens & {readonly prefixLengths: Int32Array} {
  const starts = lengths.reduce<number[]>((all, length) => [...all, all.at(-1)! + length], [0]);
  return {
    tokens: Int32Array.from(wholeNumbers(starts.at(-1)!, tiny.vocabSize, seed)),
    positions: Int32Array.from(lengths.flatMap((length) => Array.from({length}, (_, position) => position))),
    segmentStarts: Int32Array.from(starts),
    prefixLengths: Int32Array.from(prefixLengths ?? lengths.map(() => 0)),
  };
}

/** Gives a decoder weights that are large enough for every part to matter, norms other than 1 among them. */
export function shakeWeights({parameters}: Decoder, seed = 5): void {
  for (const [index, {tensor: weight, decays}] of parameters.entries()) {
    const numbers = normalNumbers(weight.size, seed + index, 0.4);
    const values = decays ? numbers : numbers.map((value) => 1 + value);
    weight.copyFrom(tensor(values, {shape: weight.shape, dtype: weight.dtype, device: weight.device}));
  }
}
