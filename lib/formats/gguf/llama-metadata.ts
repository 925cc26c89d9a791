/** What llama.cpp must know of a decoder to run it as its architecture `llama`. */
import {CrossmapError} from '../../errors.js';
import type {DecoderShape} from '../../nn/index.js';
import {rotaryFrequencies} from '../../nn/rotary-frequencies.js';
import type {FloatDType} from '../../tensor/index.js';
import type {GgufValue} from './values.js';

/** Key and value. */
export type GgufEntry = readonly [key: string, value: GgufValue];

type Scaling = NonNullable<DecoderShape['ropeScaling']>;

/** `general.file_type` of files that are mostly of a dtype. */
const fileTypes: Readonly<Record<FloatDType, number>> = {float32: 0, float16: 1, bfloat16: 32};

export const whole = (value: number): GgufValue => ({type: 'uint32', value});
const real = (value: number): GgufValue => ({type: 'float32', value});
export const text = (value: string): GgufValue => ({type: 'string', value});

/**
 * The entries that say what the model is, those of its tokenizer aside.
 *
 * @throws ERR_FORMAT for windows, which llama.cpp's `llama` does not have
 */
export function llamaMetadata(
  shape: DecoderShape,
  {name, dtype}: {readonly name: string; readonly dtype: FloatDType},
): GgufEntry[] {
  refuseWindows(shape);
  const {layers, features, heads, kvHeads, headDim, hiddenFeatures, context, vocabSize} = shape;
  return [
    ['general.architecture', text('llama')],
    ['general.name', text(name)],
    ['general.file_type', whole(fileTypes[dtype])],
    ['llama.block_count', whole(layers)],
    ['llama.context_length', whole(context)],
    ['llama.embedding_length', whole(features)],
    ['llama.feed_forward_length', whole(hiddenFeatures)],
    ['llama.vocab_size', whole(vocabSize)],
    ['llama.attention.head_count', whole(heads)],
    ['llama.attention.head_count_kv', whole(kvHeads)],
    ['llama.attention.key_length', whole(headDim)],
    ['llama.attention.value_length', whole(headDim)],
    ['llama.attention.layer_norm_rms_epsilon', real(shape.normEps)],
    ['llama.rope.dimension_count', whole(headDim)],
    ['llama.rope.freq_base', real(shape.ropeTheta)],
    ...scalingEntries(shape),
  ];
}

/** A window as long as the context hides nothing. */
function refuseWindows({slidingWindow, context}: DecoderShape): void {
  if (slidingWindow === undefined || slidingWindow.size >= context) return;
  throw new CrossmapError(
    'ERR_FORMAT',
    `exportGguf: model.slidingWindow of ${slidingWindow.size} tokens cannot be exported: llama.cpp runs models of architecture llama without windows`,
  );
}

/** The bounds of YaRN that llama.cpp takes for a `llama`, whatever the metadata say. */
const yarnBounds = {betaFast: 32, betaSlow: 1} as const;

/** Whether the metadata can say how frequencies are scaled; else a tensor does. */
export function isNamedScaling(scaling: Scaling): boolean {
  if (scaling.type !== 'yarn') return scaling.type === 'linear';
  return scaling.betaFast === yarnBounds.betaFast && scaling.betaSlow === yarnBounds.betaSlow;
}

function scalingEntries(shape: DecoderShape): GgufEntry[] {
  const {ropeScaling: scaling} = shape;
  if (scaling === undefined) return [];
  if (!isNamedScaling(scaling)) {
    const {scale} = rotaryFrequencies(shape);
    return scale === 1 ? [] : [['llama.rope.scaling.attn_factor', real(scale)]];
  }
  const entries: GgufEntry[] = [
    ['llama.rope.scaling.type', text(scaling.type)],
    ['llama.rope.scaling.factor', real(scaling.factor)],
  ];
  if (scaling.type !== 'yarn') return entries;
  return [...entries, ['llama.rope.scaling.original_context_length', whole(scaling.originalContext)]];
}
