/** The weights of a decoder as llama.cpp wants those of its architecture `llama`. */
import {rotaryFrequencies} from '../../nn/rotary-frequencies.js';
import type {DecoderShape} from '../../nn/index.js';
import {isNamedScaling} from './llama-metadata.js';

/** A weight, here and there. */
export interface LlamaTensor {
  /** Name in a GGUF file. */
  readonly name: string;
  /** Name of the parameter. */
  readonly parameter: string;
  readonly shape: readonly number[];
  /** Whether its rows turn with the position, so that they stand in another order there. */
  readonly rotates: boolean;
}

/** The weights in the order of the file. A tied head is none: readers take the embedding then. */
export function llamaTensors(shape: DecoderShape): LlamaTensor[] {
  const {features, layers, vocabSize, tiedHead} = shape;
  const plain = (name: string, parameter: string, sizes: readonly number[]): LlamaTensor => ({
    name: `${name}.weight`,
    parameter: `${parameter}.weight`,
    shape: sizes,
    rotates: false,
  });
  return [
    plain('token_embd', 'model.embed_tokens', [vocabSize, features]),
    ...Array.from({length: layers}, (_, layer) => blockTensors(shape, layer)).flat(),
    plain('output_norm', 'model.norm', [features]),
    ...(tiedHead ? [] : [plain('output', 'lm_head', [vocabSize, features])]),
  ];
}

function blockTensors(
  {features, heads, kvHeads, headDim, hiddenFeatures}: DecoderShape,
  layer: number,
): LlamaTensor[] {
  const tensor = (
    name: string,
    parameter: string,
    shape: readonly number[],
    rotates = false,
  ): LlamaTensor => ({
    name: `blk.${layer}.${name}.weight`,
    parameter: `model.layers.${layer}.${parameter}.weight`,
    shape,
    rotates,
  });
  return [
    tensor('attn_norm', 'input_layernorm', [features]),
    tensor('attn_q', 'self_attn.q_proj', [heads * headDim, features], true),
    tensor('attn_k', 'self_attn.k_proj', [kvHeads * headDim, features], true),
    tensor('attn_v', 'self_attn.v_proj', [kvHeads * headDim, features]),
    tensor('attn_output', 'self_attn.o_proj', [features, heads * headDim]),
    tensor('ffn_norm', 'post_attention_layernorm', [features]),
    tensor('ffn_gate', 'mlp.gate_proj', [hiddenFeatures, features]),
    tensor('ffn_up', 'mlp.up_proj', [hiddenFeatures, features]),
    tensor('ffn_down', 'mlp.down_proj', [features, hiddenFeatures]),
  ];
}

/**
 * Rows of queries or keys in the order of llama.cpp: its `llama` turns neighbours together, features 2d and 2d + 1 of a head, where ours
 * turns d of the first half with d of the second, as Hugging Face does. Scores are sums over features, so no order changes them.
 *
 * @param bytes [heads headDim, features], of any dtype
 * @param rows heads headDim
 */
export function interleavedHalves(
  bytes: Uint8Array,
  {rows, headDim}: {readonly rows: number; readonly headDim: number},
): Uint8Array {
  const rowBytes = bytes.length / rows;
  const result = new Uint8Array(bytes.length);
  for (let row = 0; row < rows; row++) {
    const inHead = row % headDim;
    const from = row - inHead + Math.floor(inHead / 2) + (inHead % 2) * (headDim / 2);
    result.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), row * rowBytes);
  }
  return result;
}

/**
 * What the frequencies of the rotary embedding are divided by, where llama.cpp has no words for their scaling: that of Llama 3, and YaRN
 * with other bounds than the usual ones.
 *
 * @returns [headDim / 2]; undefined where the metadata say it all
 */
export function frequencyDivisors(shape: DecoderShape): Float32Array<ArrayBuffer> | undefined {
  const {headDim, ropeTheta, ropeScaling} = shape;
  if (ropeScaling === undefined || isNamedScaling(ropeScaling)) return undefined;
  const plain = rotaryFrequencies({headDim, ropeTheta}).frequencies;
  const {frequencies} = rotaryFrequencies(shape);
  return Float32Array.from(plain, (frequency, d) => frequency / (frequencies[d] ?? NaN));
}
