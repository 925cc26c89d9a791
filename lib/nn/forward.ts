/** The forward pass of a decoder. */
import {checkpoint} from '../autograd/index.js';
import {CrossmapError} from '../errors.js';
import {attention, embedding, rmsNorm} from '../ops/index.js';
import {scope, type Tensor} from '../tensor/index.js';
import {runBlock, type Attend, type BlockContext} from './block.js';
import type {DecoderShape} from './shape.js';
import type {DecoderInput} from './input.js';
import type {BlockWeights, DecoderWeights} from './parameters.js';

/** What a forward pass computes beside the final hidden states, and how. */
export interface ForwardOptions {
  /**
   * Hidden states that are wanted: 0 is the embedding, l the output of block l on the residual stream. The last is before the final
   * norm. Default none.
   */
  readonly hiddenStates?: readonly number[];
  /** Whether activations of a block are computed again in the backward pass rather than kept; default false. */
  readonly checkpointing?: boolean;
  /** The output of a block, [tokens, features], to start from: the embedding and the blocks up to it do not run. Default all run. */
  readonly from?: {readonly layer: number; readonly states: Tensor};
  /** Attention of another kind, as over a cache; default over the packed segments, causal or with their prefixes. */
  readonly attend?: Attend;
}

/** Results of a forward pass; the innermost scope frees them. */
export interface DecoderOutput {
  /** [tokens, features] after the final norm: what the head reads. */
  readonly hidden: Tensor;
  /** Each [tokens, features], as `hiddenStates` asked. */
  readonly hiddenStates: readonly Tensor[];
}

/** A decoder's weights, and what else every forward pass needs. */
export interface Model {
  readonly shape: DecoderShape;
  readonly weights: DecoderWeights;
  /** float32 [headDim / 2] */
  readonly frequencies: Tensor;
  readonly rotaryScale: number;
}

/** All blocks and the final norm. */
export function forward(model: Model, input: DecoderInput, options: ForwardOptions): DecoderOutput {
  const {weights, shape} = model;
  const wanted = options.hiddenStates ?? [];
  return scope(() => {
    const {stream, kept} = runBlocks(model, input, {...options, wanted, layers: shape.layers});
    return {hidden: rmsNorm(stream, weights.norm, {eps: shape.normEps}), hiddenStates: kept};
  });
}

/** The blocks up to the last hidden state that is wanted. */
export function hiddenStates(model: Model, input: DecoderInput, options: ForwardOptions): readonly Tensor[] {
  const wanted = options.hiddenStates ?? [];
  return scope(() => runBlocks(model, input, {...options, wanted, layers: Math.max(0, ...wanted)}).kept);
}

interface Run extends ForwardOptions {
  readonly wanted: readonly number[];
  /** Blocks to run. */
  readonly layers: number;
}

interface Streams {
  readonly stream: Tensor;
  readonly kept: readonly Tensor[];
}

function runBlocks(model: Model, input: DecoderInput, run: Run): Streams {
  const {weights, shape} = model;
  const first = run.from?.layer ?? 0;
  checkLayers([...run.wanted, first], {first, last: shape.layers});
  const kept = new Map<number, Tensor>();
  let stream = run.from?.states ?? embedding(weights.embedding, input.tokens);
  for (const [index, block] of weights.blocks.slice(first, run.layers).entries()) {
    const before = stream;
    const layer = first + index + 1;
    stream = scope(() => advance(before, {layer, block, model, input, run}));
    // What the backward pass needs of it the tape holds itself.
    if (run.wanted.includes(layer - 1)) kept.set(layer - 1, before);
    else if (before !== run.from?.states) before.dispose();
  }
  kept.set(run.layers, stream);
  return {stream, kept: run.wanted.flatMap((layer) => kept.get(layer) ?? [])};
}

interface Step {
  readonly layer: number;
  readonly block: BlockWeights;
  readonly model: Model;
  readonly input: DecoderInput;
  readonly run: Run;
}

function advance(stream: Tensor, {layer, block, model, input, run}: Step): Tensor {
  const {positions, segmentStarts, prefixLengths} = input;
  const work = (from: Tensor, at: Tensor, starts: Tensor, prefixes?: Tensor): Tensor => {
    const attend = run.attend ?? packedAttention(model.shape, starts, prefixes);
    const context: BlockContext = {...model, positions: at, attend};
    return runBlock(from, layer, block, context);
  };
  if (run.checkpointing !== true) return work(stream, positions, segmentStarts, prefixLengths);
  // The input goes in as arguments, so that it is there in the backward pass whatever the caller has freed by then.
  const prefixes = prefixLengths === undefined ? [] : [prefixLengths];
  return checkpoint(work, stream, positions, segmentStarts, ...prefixes);
}

function packedAttention(shape: DecoderShape, segmentStarts: Tensor, prefixLengths?: Tensor): Attend {
  return (layer, q, k, v) =>
    attention(q, k, v, {
      segmentStarts,
      ...maskOf(shape, layer),
      ...(prefixLengths && {prefixLengths}),
    });
}

/** The mask of a block: causal, within the window if the block (from 1) has one. */
export function maskOf({slidingWindow}: DecoderShape, layer: number): {mask: 'causal'; window?: number} {
  const hasWindow = slidingWindow?.layers.includes(layer) === true;
  return {mask: 'causal', ...(hasWindow && {window: slidingWindow.size})};
}

function checkLayers(
  wanted: readonly number[],
  {first, last}: {readonly first: number; readonly last: number},
): void {
  const wrong = wanted.find(
    (layer) => !Number.isInteger(layer) || layer < Math.max(0, first) || layer > last,
  );
  if (wrong !== undefined)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `decoder: hidden states are ${first > 0 ? first : '0 (the embedding)'} to ${last}; got ${wrong}`,
    );
}
