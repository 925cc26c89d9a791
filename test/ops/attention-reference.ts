/** Attention by its equations, in float64, one query at a time; and tensors of a case. */
import {attention, type AttentionOptions} from '../../lib/ops/index.js';
import {tensor, type Device, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers} from '../support/numbers.js';
import type {Input} from '../support/ops.js';
import {exact, type Round} from '../support/rounding.js';

/** Sizes and options of attention; one entry of `queries` for each segment. */
export interface Case {
  readonly queries: readonly number[];
  /** Default: queries. */
  readonly keys?: readonly number[];
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly mask?: 'causal' | 'none';
  readonly window?: number;
  readonly prefixLengths?: readonly number[];
  readonly scale?: number;
  readonly softcap?: number;
  readonly sinks?: readonly number[];
}

/** A segment that was drawn: how many keys it has more than queries, and the prefix that is wished. */
interface DrawnSegment {
  readonly queries: number;
  readonly more: number;
  readonly prefix: number;
}

/** Options that were drawn; those that are undefined are left out. */
type DrawnOptions = {readonly [K in 'headDim' | 'mask' | 'window' | 'softcap']?: Case[K] | undefined};

/** A case of drawn segments: each has keys from 0 on and a prefix within them; `group` heads share one of two heads of keys. */
export function drawnCase(segments: readonly DrawnSegment[], group: number, options: DrawnOptions): Case {
  const {headDim, mask, window, softcap} = options;
  const keys = segments.map(({queries, more}) => Math.max(0, queries + more));
  return {
    queries: segments.map(({queries}) => queries),
    keys,
    heads: 2 * group,
    kvHeads: 2,
    ...(headDim !== undefined && {headDim}),
    ...(mask !== undefined && {mask}),
    ...(window !== undefined && {window}),
    ...(softcap !== undefined && {softcap}),
    prefixLengths: segments.map(({prefix}, s) => Math.min(prefix, keys[s]!)),
  };
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

function sizes({queries, keys = queries, heads = 1, kvHeads = heads, headDim = 16}: Case) {
  return {queries, keys, heads, kvHeads, headDim, tokens: total(queries), keyTokens: total(keys)};
}

/** Whether the query at `position` of its segment sees `key`. */
function sees(
  position: number,
  key: number,
  prefix: number,
  {mask = 'causal', window = Infinity}: Case,
): boolean {
  if (key < prefix) return true;
  if (mask === 'causal' && key > position) return false;
  return Math.abs(position - key) < window;
}

/** out, flat [tokens, heads, headDim], from flat inputs; `round` stands around each intermediate result. */
export function reference(
  c: Case,
  [q = [], k = [], v = [], sinks = c.sinks]: readonly (readonly number[])[],
  round: Round = exact,
): number[] {
  const {queries, keys, heads, kvHeads, headDim, tokens} = sizes(c);
  const out = Array.from({length: tokens * heads * headDim}, () => 0);
  const scale = c.scale ?? 1 / Math.sqrt(headDim);
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let d = 0; d < headDim; d++) sum += q[a + d]! * k[b + d]!;
    return sum;
  };
  let firstQuery = 0;
  let firstKey = 0;
  for (const [s, count] of queries.entries()) {
    const keyCount = keys[s]!;
    for (let i = 0; i < count; i++)
      for (let h = 0; h < heads; h++) {
        const at = ((firstQuery + i) * heads + h) * headDim;
        const keyAt = (j: number): number =>
          ((firstKey + j) * kvHeads + Math.floor((h * kvHeads) / heads)) * headDim;
        const seen = Array.from({length: keyCount}, (_, j) => j).filter((j) =>
          sees(keyCount - count + i, j, c.prefixLengths?.[s] ?? 0, c),
        );
        const logits = seen.map((j) => {
          const score = round(round(dot(at, keyAt(j))) * scale);
          return c.softcap === undefined ? score : round(c.softcap * round(Math.tanh(score / c.softcap)));
        });
        const sink = sinks === undefined ? [] : [sinks[h]!];
        const top = logits.concat(sink).reduce((a, b) => Math.max(a, b), -Infinity);
        const weights = logits.map((logit) => round(Math.exp(logit - top)));
        const sum = round(sink.reduce((a, b) => a + Math.exp(b - top), total(weights)));
        for (const [index, j] of seen.entries())
          for (let d = 0; d < headDim; d++) out[at + d]! += round(weights[index]! / sum) * v[keyAt(j) + d]!;
        for (let d = 0; d < headDim; d++) out[at + d] = round(out[at + d]!);
      }
    firstQuery += count;
    firstKey += keyCount;
  }
  return out;
}

/** Seeded inputs of a case: q, k, v and, where there are any, sinks. */
export function inputsOf(c: Case, spread = 1): Record<'q' | 'k' | 'v', Input> & {sinks?: Input} {
  const {heads, kvHeads, headDim, tokens, keyTokens} = sizes(c);
  const input = (shape: readonly number[], seed: number, scale: number): Input => ({
    shape,
    values: normalNumbers(
      shape.reduce((product, size) => product * size, 1),
      seed,
      scale,
    ),
  });
  const qkv = {
    q: input([tokens, heads, headDim], 1, spread),
    k: input([keyTokens, kvHeads, headDim], 2, spread),
    v: input([keyTokens, kvHeads, headDim], 3, 1),
  };
  if (c.sinks === undefined) return qkv;
  return {...qkv, sinks: {shape: [heads], values: c.sinks, dtype: 'float32'}};
}

/** int32 [counts + 1] of running sums. */
export function startsOf(counts: readonly number[], device: Device): Tensor {
  const starts = counts.reduce<number[]>((sums, count) => [...sums, sums.at(-1)! + count], [0]);
  return tensor(starts, {dtype: 'int32', device, shape: [starts.length]});
}

/** Options of the op for a case. */
export function optionsOf(c: Case, device: Device): AttentionOptions {
  const {mask, window, scale, softcap, keys, prefixLengths} = c;
  return {
    mask,
    window,
    scale,
    softcap,
    segmentStarts: startsOf(c.queries, device),
    keyStarts: keys && startsOf(keys, device),
    prefixLengths: prefixLengths && tensor([...prefixLengths], {dtype: 'int32', device}),
  };
}

/** The op on a case's tensors: q, k, v and sinks, as `inputsOf` orders them. */
export function run(c: Case, device: Device, tensors: readonly Tensor[]): Tensor {
  const [q, k, v, sinks] = tensors;
  return attention(q!, k!, v!, {...optionsOf(c, device), sinks});
}

/** The tensors of inputs; values are rounded to the dtype. */
export function tensorsOf(inputs: readonly Input[], device: Device, dtype: FloatDType): Tensor[] {
  return inputs.map((input) =>
    tensor([...input.values], {shape: input.shape, dtype: input.dtype ?? dtype, device}),
  );
}
