/** What an evaluation yields: plain JSON values that events, metrics files and reports carry. */

/** Held-out perplexity of one language. */
export interface LanguagePerplexity {
  readonly language: string;
  readonly natsPerToken: number;
  readonly perplexity: number;
  readonly bitsPerByte: number;
  readonly tokens: number;
  readonly bytes: number;
}

/**
 * A remark on an alignment: `fewPairs` 32 to 99 pairs; `tooFewPairs` fewer, never to be compared across numbers of pairs;
 * `collapsed` at some hidden state one side is the same vector for every sentence.
 */
export type AlignmentFlag = 'fewPairs' | 'tooFewPairs' | 'collapsed';

/** Alignment of one language pair on held-out sentences. `ByLayer` lists go over the hidden states 0 (embedding) to layers. */
export interface PairAlignment {
  readonly source: string;
  readonly target: string;
  /** Sentence pairs measured, duplicates not counted. */
  readonly pairs: number;
  /** LAC (crossmap definition) at each hidden state. */
  readonly lacByLayer: readonly number[];
  /** 95 % interval of each entry of `lacByLayer`. */
  readonly intervalByLayer: readonly (readonly [number, number])[];
  /** The two halves of LAC: how close translations are, and how far a translation can be told from its rivals. */
  readonly closenessByLayer: readonly number[];
  readonly retrievalByLayer: readonly number[];
  /** Mean of LAC over layers 1..layers. */
  readonly lac: number;
  /** 95 % interval of `lac`. */
  readonly interval: readonly [number, number];
  /** Two-fold cross-validated best layer. */
  readonly peak: number;
  /** Retrieval precision@1 source to target and back at each hidden state, by cosine. */
  readonly precisionAt1: readonly (readonly [number, number])[];
  /** Share of sentences whose margin-scored neighbour (ratio, k = 4) is wrong, both ways, as xsim counts it. */
  readonly marginErrorByLayer: readonly (readonly [number, number])[];
  /** Other measures of the same vectors, for comparison with other work. */
  readonly mexaByLayer: readonly number[];
  readonly meanCosineByLayer: readonly number[];
  /** Unbiased linear CKA. */
  readonly ckaByLayer: readonly number[];
  readonly flags: readonly AlignmentFlag[];
}

/** A held-out sentence as a model translated it, beside its reference; `source` and `target` are languages. */
export interface SampleTranslation {
  readonly source: string;
  readonly target: string;
  readonly input: string;
  readonly reference: string;
  readonly output: string;
}
