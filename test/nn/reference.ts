/** A Llama-family decoder in float64, written for clarity: one token after the other, all in plain arrays. */
import type {Decoder, DecoderShape, PackedTokens} from '../../lib/nn/index.js';
import {exact, type Round} from '../support/rounding.js';

type Rows = readonly (readonly number[])[];

/** Weights by their Hugging Face names, flat. */
export type ReferenceWeights = ReadonlyMap<string, ArrayLike<number>>;

/** The weights of a decoder, as they are on its device. */
export async function weightsOf({parameters}: Decoder): Promise<Map<string, Float64Array>> {
  const entries = parameters.map(
    async ({name, tensor}) => [name, Float64Array.from(await tensor.floats())] as const,
  );
  return new Map(await Promise.all(entries));
}

export interface ReferenceModel {
  readonly shape: DecoderShape;
  readonly weights: ReferenceWeights;
  /** [headDim / 2] angle per position; default unscaled. */
  readonly frequencies?: ArrayLike<number>;
  /** Factor of cosine and sine; default 1. */
  readonly rotaryScale?: number;
}

export interface ReferenceOutput {
  /** [tokens, features] after the final norm. */
  readonly hidden: Rows;
  /** [layers + 1] of [tokens, features]. */
  readonly hiddenStates: readonly Rows[];
  /** [tokens, vocab] */
  readonly logits: Rows;
}

/** The whole decoder; `round` stands around every intermediate tensor. */
export function referenceForward(
  model: ReferenceModel,
  packed: PackedTokens,
  round: Round = exact,
): ReferenceOutput {
  const {shape, weights} = model;
  const matrix = (name: string): Rows => {
    const flat = weights.get(`${name}.weight`);
    if (flat === undefined) throw new Error(`no weight ${name}`);
    const width = name.endsWith('down_proj')
      ? shape.hiddenFeatures
      : name.endsWith('o_proj')
        ? shape.heads * shape.headDim
        : shape.features;
    return Array.from({length: flat.length / width}, (_, row) =>
      Array.from({length: width}, (_, column) => flat[row * width + column]!),
    );
  };
  const vector = (name: string): readonly number[] => matrix(name)[0]!;
  const project = (x: Rows, weight: Rows): Rows =>
    x.map((row) => weight.map((each) => round(each.reduce((sum, w, d) => sum + w * row[d]!, 0))));
  const norm = (x: Rows, weight: readonly number[]): Rows =>
    x.map((row) => {
      const meanSquare = row.reduce((sum, v) => sum + v * v, 0) / row.length;
      const rstd = 1 / Math.sqrt(meanSquare + shape.normEps);
      return row.map((v, d) => round(round(v * rstd) * weight[d]!));
    });
  const plus = (a: Rows, b: Rows): Rows => a.map((row, t) => row.map((v, d) => round(v + b[t]![d]!)));

  const table = matrix('model.embed_tokens');
  let stream: Rows = Array.from(packed.tokens, (token) => table[token]!);
  const hiddenStates = [stream];
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = (part: string): string => `model.layers.${layer}.${part}`;
    const x = norm(stream, vector(at('input_layernorm')));
    const rotate = (rows: Rows): Rows =>
      rows.map((row, t) => rotated(row, packed.positions[t]!, model).map(round));
    const q = rotate(project(x, matrix(at('self_attn.q_proj'))));
    const k = rotate(project(x, matrix(at('self_attn.k_proj'))));
    const v = project(x, matrix(at('self_attn.v_proj')));
    const attended = attend({q, k, v}, {shape, packed, layer, round});
    stream = plus(project(attended, matrix(at('self_attn.o_proj'))), stream);
    const y = norm(stream, vector(at('post_attention_layernorm')));
    const gate = project(y, matrix(at('mlp.gate_proj')));
    const up = project(y, matrix(at('mlp.up_proj')));
    const inner = gate.map((row, t) => row.map((g, d) => round(round(g / (1 + Math.exp(-g))) * up[t]![d]!)));
    stream = plus(project(inner, matrix(at('mlp.down_proj'))), stream);
    hiddenStates.push(stream);
  }
  const hidden = norm(stream, vector('model.norm'));
  const head = shape.tiedHead ? table : matrix('lm_head');
  return {hidden, hiddenStates, logits: project(hidden, head)};
}

/** Rotates the features d and d + headDim / 2 of each head as one complex number. */
function rotated(row: readonly number[], position: number, {shape, ...model}: ReferenceModel): number[] {
  const {headDim, ropeTheta} = shape;
  const half = headDim / 2;
  const {rotaryScale = 1} = model;
  return row.map((value, feature) => {
    const d = feature % headDim;
    const frequency = model.frequencies?.[d % half] ?? ropeTheta ** ((-2 * (d % half)) / headDim);
    const angle = position * frequency;
    const partner = d < half ? -row[feature + half]! : row[feature - half]!;
    return rotaryScale * (value * Math.cos(angle) + partner * Math.sin(angle));
  });
}

interface AttendContext {
  readonly shape: DecoderShape;
  readonly packed: PackedTokens;
  /** From 0. */
  readonly layer: number;
  readonly round: Round;
}

function attend(
  {q, k, v}: {readonly q: Rows; readonly k: Rows; readonly v: Rows},
  {shape, packed, layer, round}: AttendContext,
): Rows {
  const {heads, kvHeads, headDim, slidingWindow} = shape;
  const window = slidingWindow?.layers.includes(layer + 1) ? slidingWindow.size : Infinity;
  return q.map((query, t) => {
    const segment = packed.segmentStarts.findLastIndex((start) => start <= t);
    const start = packed.segmentStarts[segment]!;
    const prefix = start + (packed.prefixLengths?.[segment] ?? 0);
    const sees = (key: number): boolean => key < prefix || (key <= t && key > t - window);
    const end = packed.segmentStarts[segment + 1]!;
    const keys = Array.from({length: end - start}, (_, i) => start + i).filter(sees);
    return Array.from({length: heads}, (_, head) => {
      const group = Math.floor((head * kvHeads) / heads) * headDim;
      const dims = Array.from({length: headDim}, (_, d) => d);
      const scores = keys.map(
        (key) =>
          dims.reduce((sum, d) => sum + query[head * headDim + d]! * k[key]![group + d]!, 0) /
          Math.sqrt(headDim),
      );
      const most = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - most));
      const total = weights.reduce((sum, w) => sum + w, 0);
      return dims.map((d) =>
        round(keys.reduce((sum, key, i) => sum + (weights[i]! / total) * v[key]![group + d]!, 0)),
      );
    }).flat();
  });
}

/** `log softmax(logits)[target]` */
export function logProbability(logits: readonly number[], target: number): number {
  const most = Math.max(...logits);
  return logits[target]! - most - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}
