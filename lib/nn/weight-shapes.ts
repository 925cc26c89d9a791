/** Names and shapes of a decoder's weights, without the weights. */
import type {DecoderShape} from './shape.js';

/**
 * The weights of a decoder in the order of its parameters, by the names that Hugging Face gives those of a Llama.
 *
 * @returns a new map: `model.embed_tokens.weight` to [vocab, features], and so on; `lm_head.weight` only where it is not the embedding
 */
export function weightShapes(shape: DecoderShape): Map<string, readonly number[]> {
  const {features, layers, vocabSize, tiedHead} = shape;
  const shapes = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabSize, features]]]);
  for (let layer = 0; layer < layers; layer++)
    for (const [part, sizes] of blockShapes(shape)) shapes.set(`model.layers.${layer}.${part}.weight`, sizes);
  shapes.set('model.norm.weight', [features]);
  if (!tiedHead) shapes.set('lm_head.weight', [vocabSize, features]);
  return shapes;
}

function blockShapes({features, heads, kvHeads, headDim, hiddenFeatures}: DecoderShape) {
  return [
    ['self_attn.q_proj', [heads * headDim, features]],
    ['self_attn.k_proj', [kvHeads * headDim, features]],
    ['self_attn.v_proj', [kvHeads * headDim, features]],
    ['self_attn.o_proj', [features, heads * headDim]],
    ['mlp.gate_proj', [hiddenFeatures, features]],
    ['mlp.up_proj', [hiddenFeatures, features]],
    ['mlp.down_proj', [features, hiddenFeatures]],
    ['input_layernorm', [features]],
    ['post_attention_layernorm', [features]],
  ] as const;
}
