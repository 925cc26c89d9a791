/** Pooling of spans of tokens into one vector each. */
import {record} from '../autograd/index.js';
import {native} from '../native.js';
import type {Tensor} from '../tensor/index.js';

/** Options of `pool`. */
export interface PoolOptions {
  /**
   * Weights of the n tokens of a span: `mean` 1/n each, `last` the last token alone, `weighted` 1, 2, ..., n over their sum. Default
   * `mean`.
   */
  readonly pooling?: 'mean' | 'last' | 'weighted';
  /** Divides each result by its L2 norm; one of norm 0 stays 0 and has no gradient. Default false. */
  readonly normalize?: boolean;
}

/**
 * One vector for each span of tokens: the weighted mean of their hidden states. Spans may overlap and may be empty: an empty span
 * gives zeros. The gradient of a token is the sum over the spans that it is in.
 *
 * @param hidden [tokens, features], float32, bfloat16 or float16
 * @param starts [pairs] int32: first token of each span
 * @param ends [pairs] int32: the token after the last
 * @returns [pairs, features] float32
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT; ERR_INDEX at the next synchronisation, where a span does not lie within
 *   the tokens or ends before it starts
 * @see Muennighoff 2022, arXiv:2202.08904, for `weighted`
 */
export function pool(
  hidden: Tensor,
  starts: Tensor,
  ends: Tensor,
  {pooling = 'mean', normalize = false}: PoolOptions = {},
): Tensor {
  const {pooled, inverseNorms} = native.pool(hidden.native, starts.native, ends.native, pooling, normalize);
  const [tokens = 0] = hidden.shape;
  const {dtype} = hidden;
  const [output] = record('pool', {
    inputs: [hidden],
    outputs: [pooled],
    saved: [pooled, starts.native, ends.native],
    owned: [inverseNorms],
    backward: ([dPooled], [kept, keptStarts, keptEnds]) =>
      dPooled === undefined
        ? []
        : [native.poolBackward(dPooled, kept, inverseNorms, keptStarts, keptEnds, pooling, tokens, dtype)],
  });
  return output;
}
