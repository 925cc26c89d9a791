/** Parameters of a decoder: names, shapes, initial values. */
import {requireGradient} from '../autograd/index.js';
import {normal} from '../ops/index.js';
import {full, scope, Tensor} from '../tensor/index.js';
import type {DecoderOptions, DecoderShape} from './shape.js';

/** A tensor that training changes. It requires a gradient. */
export interface Parameter {
  /** As in a Hugging Face Llama checkpoint: `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  /** The weights: a leaf, in the dtype of the decoder. */
  readonly tensor: Tensor;
  /** Whether weight decay applies: to matrices, not to norms and scalars. */
  readonly decays: boolean;
}

/** Weights of one block. */
export interface BlockWeights {
  /** [heads headDim, features] */
  readonly q: Tensor;
  /** [kvHeads headDim, features] */
  readonly k: Tensor;
  readonly v: Tensor;
  /** [features, heads headDim] */
  readonly o: Tensor;
  /** [hiddenFeatures, features] */
  readonly gate: Tensor;
  readonly up: Tensor;
  /** [features, hiddenFeatures] */
  readonly down: Tensor;
  /** [features] */
  readonly inputNorm: Tensor;
  readonly postAttentionNorm: Tensor;
}

/** Weights of a decoder, by role and as a list. */
export interface DecoderWeights {
  /** [vocab, features] */
  readonly embedding: Tensor;
  readonly blocks: readonly BlockWeights[];
  /** [features] */
  readonly norm: Tensor;
  /** [vocab, features]; the embedding itself where it is tied. */
  readonly head: Tensor;
  readonly parameters: readonly Parameter[];
}

const standardDeviation = 0.02;

/** Philox numbers that are set aside for each parameter: more than any has elements, and few enough for 2^17 parameters. */
const stride = 2 ** 36;

/** Parameters of a block, at most: where in the stream of random numbers one lies does not depend on how many there are. */
const slotsPerBlock = 16;

/** Seeded weights, each from numbers of its own. */
export function createWeights(shape: DecoderShape, options: DecoderOptions): DecoderWeights {
  const {features, layers, vocabSize, tiedHead} = shape;
  const maker = createMaker(options);
  const embedding = maker.matrix('model.embed_tokens.weight', [vocabSize, features], {slot: 0});
  const blocks = Array.from({length: layers}, (_, index) => createBlock(shape, index, maker));
  const norm = maker.norm('model.norm.weight', features);
  const head = tiedHead ? embedding : maker.matrix('lm_head.weight', [vocabSize, features], {slot: 1});
  return {embedding, blocks, norm, head, parameters: maker.parameters};
}

function createBlock(shape: DecoderShape, index: number, {matrix, norm}: Maker): BlockWeights {
  const {features, heads, kvHeads, headDim, hiddenFeatures, layers} = shape;
  const name = (part: string): string => `model.layers.${index}.${part}.weight`;
  const slot = (index + 1) * slotsPerBlock;
  // What each block adds to the residual stream is scaled down, so that its variance does not grow with the depth.
  const residual = standardDeviation / Math.sqrt(2 * layers);
  return {
    q: matrix(name('self_attn.q_proj'), [heads * headDim, features], {slot}),
    k: matrix(name('self_attn.k_proj'), [kvHeads * headDim, features], {slot: slot + 1}),
    v: matrix(name('self_attn.v_proj'), [kvHeads * headDim, features], {slot: slot + 2}),
    o: matrix(name('self_attn.o_proj'), [features, heads * headDim], {slot: slot + 3, std: residual}),
    gate: matrix(name('mlp.gate_proj'), [hiddenFeatures, features], {slot: slot + 4}),
    up: matrix(name('mlp.up_proj'), [hiddenFeatures, features], {slot: slot + 5}),
    down: matrix(name('mlp.down_proj'), [features, hiddenFeatures], {slot: slot + 6, std: residual}),
    inputNorm: norm(name('input_layernorm'), features),
    postAttentionNorm: norm(name('post_attention_layernorm'), features),
  };
}

interface MatrixOptions {
  /** Which stretch of random numbers is the matrix's. */
  readonly slot: number;
  readonly std?: number;
}

interface Maker {
  readonly parameters: readonly Parameter[];
  readonly matrix: (name: string, shape: readonly number[], options: MatrixOptions) => Tensor;
  readonly norm: (name: string, features: number) => Tensor;
}

function createMaker({seed, dtype = 'float32', device = 'cpu'}: DecoderOptions): Maker {
  const parameters: Parameter[] = [];
  const register = (name: string, decays: boolean, make: () => Tensor): Tensor => {
    const tensor = requireGradient(owned(make));
    parameters.push({name, tensor, decays});
    return tensor;
  };
  return {
    parameters,
    matrix: (name, shape, {slot, std = standardDeviation}) =>
      register(name, true, () => normal(shape, {seed, offset: slot * stride, std, dtype, device})),
    norm: (name, features) => register(name, false, () => full([features], 1, {dtype, device})),
  };
}

/** A tensor that no scope frees, whatever scope it is made in. */
export function owned(make: () => Tensor): Tensor {
  return scope(() => Tensor.untracked(make().native.retain()));
}
