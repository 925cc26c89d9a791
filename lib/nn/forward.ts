/** The forward pass of a decoder. */
import type {Tensor} from '../tensor/index.js';

/** What a forward pass computes beside the final hidden states. */
export interface ForwardOptions {
  /**
   * Hidden states that are wanted: 0 is the embedding, l the output of block l on the residual stream. The last is before the final
   * norm. Default none.
   */
  readonly hiddenStates?: readonly number[];
  /** Whether activations of a block are computed again in the backward pass rather than kept; default false. */
  readonly checkpointing?: boolean;
}

/** Results of a forward pass; the innermost scope frees them. */
export interface DecoderOutput {
  /** [tokens, features] after the final norm: what the head reads. */
  readonly hidden: Tensor;
  /** Each [tokens, features], as `hiddenStates` asked. */
  readonly hiddenStates: readonly Tensor[];
}
