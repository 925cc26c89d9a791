/** Attention over packed segments. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/** Options of `attention`. */
export interface AttentionOptions {
  /** int32 [segments + 1], rising from 0 to the tokens: segment `s` has the queries `segmentStarts[s]` to `segmentStarts[s + 1]`. */
  readonly segmentStarts: Tensor;
  /** int32 [segments + 1], rising from 0 to the key tokens; default `segmentStarts`: each query has a key. */
  readonly keyStarts?: Tensor | undefined;
  /** `causal` (default): a query sees keys up to its own position. `none`: all keys of its segment. */
  readonly mask?: 'causal' | 'none' | undefined;
  /**
   * Keys that a query sees on each side where the mask lets it, its own position included, at least 1; default all. A window of 1
   * leaves a query its own position alone.
   */
  readonly window?: number | undefined;
  /**
   * int32 [segments], from 0 to the keys of each segment: so many first keys are seen by every query of the segment, whatever the
   * mask and the window (prefix-LM). Default 0.
   */
  readonly prefixLengths?: Tensor | undefined;
  /** Factor of `q . k`, above 0; default `1 / sqrt(headDim)`. */
  readonly scale?: number | undefined;
  /** Logits become `softcap * tanh(logit / softcap)`, above 0; default none. */
  readonly softcap?: number | undefined;
  /** float32 [heads]: logit of a further key with value 0, for each head, which takes up weight. Has a gradient. */
  readonly sinks?: Tensor | undefined;
}

/**
 * Attention of each query over the keys of its segment that it may see: `softmax(scale q kᵀ) v`. The queries of a segment stand at
 * its last positions, so with a cache of keys a segment may have one query and many keys. A query that sees no key gives 0, and
 * gradients 0. Memory is linear in the tokens: scores are computed tile by tile, in both passes. Softmax and sums are float32.
 *
 * @param q [tokens, heads, headDim], float32, bfloat16 or float16; headDim even, at most 256
 * @param k [keyTokens, kvHeads, headDim], dtype of `q`; kvHeads divides heads: head `h` of `q` reads head `h * kvHeads / heads`,
 *   rounded down
 * @param v [keyTokens, kvHeads, headDim], dtype of `q`
 * @returns [tokens, heads, headDim], dtype of `q`
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT; at the next synchronisation ERR_INDEX where starts do not rise from 0 to
 *   the tokens, or a prefix is longer than its segment
 * @see Dao 2023, arXiv:2307.08691; Agarwal et al. 2025, arXiv:2508.10925, for sinks
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const {segmentStarts, keyStarts, prefixLengths, sinks, mask, window, scale, softcap} = options;
  const settings = {mask, window, scale, softcap};
  const starts = segmentStarts.native;
  const {out, lse} = native.attention(q.native, k.native, v.native, starts, {
    ...settings,
    keyStarts: keyStarts?.native,
    prefixLengths: prefixLengths?.native,
    sinks: sinks?.native,
  });
  const [result] = record('attention', {
    inputs: sinks === undefined ? [q, k, v] : [q, k, v, sinks],
    outputs: [out],
    // Where an option is absent segmentStarts stands in its place, and is not read.
    saved: [
      q.native,
      k.native,
      v.native,
      out,
      starts,
      keyStarts?.native ?? starts,
      prefixLengths?.native ?? starts,
      sinks?.native ?? starts,
    ],
    owned: [lse],
    backward: ([dOut], [q_, k_, v_, out_, starts_, keyStarts_, prefixLengths_, sinks_]) => {
      if (dOut === undefined) return [];
      const {dq, dk, dv, dSinks} = native.attentionBackward(dOut, q_, k_, v_, out_, lse, starts_, {
        ...settings,
        keyStarts: keyStarts && keyStarts_,
        prefixLengths: prefixLengths && prefixLengths_,
        sinks: sinks && sinks_,
      });
      return [dq, dk, dv, dSinks];
    },
  });
  return result;
}
