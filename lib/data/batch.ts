/** The packed batch: what data hands to training. Made once, never reshaped. */

/** What a segment is trained for. */
export type SegmentKind = 'text' | 'mapping';

/** The two spans of each pair whose hidden states the contrastive objective aligns. */
export interface PairSpans {
  /** [pairs] first token of side x: the source text of the first segment of the pair. */
  readonly xStarts: Int32Array;
  /** [pairs] one past the last token of side x. */
  readonly xEnds: Int32Array;
  /** [pairs] first token of side y: the source text of the second segment of the pair. */
  readonly yStarts: Int32Array;
  /** [pairs] one past the last token of side y. */
  readonly yEnds: Int32Array;
  /** [pairs] pairs with the same id share a normalised text on either side. */
  readonly groups: Int32Array;
}

/** One packed micro-batch: segments one after the other, without padding. */
export interface Batch {
  /** [tokens] token ids. */
  readonly tokens: Int32Array;
  /** [tokens] the next token of the same segment; -1 at the end of a segment. */
  readonly targets: Int32Array;
  /** [tokens] loss weight of each target, >= 0; 0 where the target is -1 or a control token. */
  readonly weights: Float32Array;
  /** [tokens] position in the segment, from 0. */
  readonly positions: Int32Array;
  /** [segments + 1] first token of each segment, then the number of tokens. */
  readonly segmentStarts: Int32Array;
  /** [segments] length of the bidirectional prefix; 0 is plain causal. */
  readonly prefixLengths: Int32Array;
  /** [segments] what each segment is trained for. */
  readonly kinds: readonly SegmentKind[];
  /** [segments] language of the targets, as in the data set's list of languages. */
  readonly languages: readonly string[];
  /** Where the two sides of each sentence pair lie; empty lists where the batch has none. */
  readonly pairs: PairSpans;
}
