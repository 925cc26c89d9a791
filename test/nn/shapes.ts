/** Small decoders and packed segments for tests. */
import {createDecoder, type Decoder, type DecoderShape, type PackedTokens} from '../../lib/nn/index.js';
import {rotaryFrequencies} from '../../lib/nn/rotary-frequencies.js';
import {scope, tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import type {On} from '../support/ops.js';
import {weightsOf, type ReferenceModel} from './reference.js';

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
function shakeWeights({parameters}: Decoder, seed = 5): void {
  for (const [index, {tensor: weight, decays}] of parameters.entries()) {
    const numbers = normalNumbers(weight.size, seed + index, 0.4);
    const values = decays ? numbers : numbers.map((value) => 1 + value);
    scope(() => weight.copyFrom(tensor(values, weight)));
  }
}

const yarn = {type: 'yarn', factor: 4, originalContext: 16, betaFast: 4, betaSlow: 0.5} as const;
const llama3 = {
  type: 'llama3',
  factor: 8,
  originalContext: 16,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
} as const;

/** A decoder that differs from `tiny`, over segments of `lengths`. */
export interface Variant {
  readonly shape?: Partial<DecoderShape>;
  readonly prefixLengths?: readonly number[];
}

export const lengths = [5, 1, 9];
export const variants: Readonly<Record<string, Variant>> = {
  'with grouped heads and a tied head': {},
  'with a head of its own': {shape: {tiedHead: false}},
  'with as many key as query heads': {shape: {kvHeads: 4}},
  'with one key head': {shape: {kvHeads: 1}},
  'with a window on one layer': {shape: {slidingWindow: {size: 2, layers: [2]}}},
  'with prefixes': {prefixLengths: [3, 0, 9]},
  'with prefixes and windows': {
    shape: {slidingWindow: {size: 3, layers: [1, 2]}},
    prefixLengths: [2, 1, 4],
  },
  'with linear scaling of positions': {shape: {ropeScaling: {type: 'linear', factor: 4}}},
  'with llama3 scaling of frequencies': {shape: {ropeScaling: llama3}},
  'with yarn scaling of frequencies': {shape: {ropeScaling: yarn}},
};

/** A decoder whose weights all matter. */
export function shaken(on: On, shape: DecoderShape = tiny): Decoder {
  const decoder = createDecoder(shape, {seed: 1, ...on});
  shakeWeights(decoder);
  return decoder;
}

/** The same decoder in plain arrays. */
export async function referenceOf(decoder: Decoder): Promise<ReferenceModel> {
  const {frequencies, scale} = rotaryFrequencies(decoder.shape);
  return {shape: decoder.shape, weights: await weightsOf(decoder), frequencies, rotaryScale: scale};
}
