/** Text kept out of training, to measure it. */
import type {Batch} from '../batch.js';

/** Held-out documents of one language, packed. */
export interface HeldOutBatch {
  /**
   * Segments of one language, `<bos> <xx> text <eos>`. A document longer than the context comes as overlapping segments with strides
   * of half a context; the repeated half has weight 0. So the targets with weight > 0 are each token of the text, and `<eos>`, once.
   */
  readonly batch: Batch;
  /** UTF-8 bytes of the text that the targets with weight > 0 spell. */
  readonly bytes: number;
}

/** Held-out sentence pairs of two languages. */
export interface HeldOutPairs {
  readonly source: string;
  readonly target: string;
  /** [pairs] cleaned text; no sentence occurs twice on its side. */
  readonly sources: readonly string[];
  readonly targets: readonly string[];
}

/** How much held-out text is wanted, and in what pieces. */
export interface HeldOutOptions {
  /** Tokens per language, at most, counted in whole documents; at least one document. Default: all. */
  readonly textTokens?: number;
  /** Tokens of one batch, at most. */
  readonly tokensPerBatch: number;
}

/** The held-out sets of a prepared data set. */
export interface HeldOut {
  /** Languages with held-out documents. */
  readonly languages: readonly string[];
  /**
   * Held-out documents of a language as batches, in a fixed order.
   *
   * @throws ERR_ARGUMENT for a language without held-out documents, or `tokensPerBatch` below the context
   */
  text(language: string, options: HeldOutOptions): HeldOutBatch[];
  /** One entry for each language pair that has held-out pairs. */
  readonly pairs: readonly HeldOutPairs[];
}
