/** What an evaluation yields: plain JSON values that events, metrics files and reports carry. */

/** Held-out perplexity of one language. */
export interface LanguagePerplexity {
  /** Code of the language. */
  readonly language: string;
  /** Mean negative log-likelihood of the tokens that count. */
  readonly natsPerToken: number;
  /** e to the power of `natsPerToken`. */
  readonly perplexity: number;
  /** Bits per UTF-8 byte of the text, which do not depend on the tokenizer. */
  readonly bitsPerByte: number;
  /** Tokens that count. */
  readonly tokens: number;
  /** UTF-8 bytes of the text that they spell. */
  readonly bytes: number;
}

/**
 * A remark on an alignment: `fewPairs` 32 to 99 pairs; `tooFewPairs` fewer, never to be compared across numbers of pairs;
 * `collapsed` at some hidden state one side is the same vector for every sentence.
 */
export type AlignmentFlag = 'fewPairs' | 'tooFewPairs' | 'collapsed';

/** Alignment of one language pair on held-out sentences. `ByLayer` lists go over the hidden states 0 (embedding) to layers. */
export interface PairAlignment {
  /** Language of side x. */
  readonly source: string;
  /** Language of side y. */
  readonly target: string;
  /** Sentence pairs measured, duplicates not counted. */
  readonly pairs: number;
  /** LAC (crossmap definition) at each hidden state. */
  readonly lacByLayer: readonly number[];
  /** 95 % interval of each entry of `lacByLayer`. */
  readonly intervalByLayer: readonly (readonly [number, number])[];
  /** The two halves of LAC: how close translations are, and how far a translation can be told from its rivals. */
  readonly closenessByLayer: readonly number[];
  /** How far a translation can be told from its rivals: the other half. */
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
  /** Mean cosine of the two sides of a pair. */
  readonly meanCosineByLayer: readonly number[];
  /** Unbiased linear CKA. */
  readonly ckaByLayer: readonly number[];
  /** What to keep in mind when reading the numbers. */
  readonly flags: readonly AlignmentFlag[];
}

/** A held-out sentence as a model translated it, beside its reference; `source` and `target` are languages. */
export interface SampleTranslation {
  /** Language of the sentence. */
  readonly source: string;
  /** Language of the translation. */
  readonly target: string;
  /** The sentence. */
  readonly input: string;
  /** Its translation in the held-out set. */
  readonly reference: string;
  /** Its translation by the model, greedily. */
  readonly output: string;
}
