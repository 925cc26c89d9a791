/** What became of the text: plain JSON values that `crossmap data` prints and reports carry. */

/** The monolingual text of one language. Sentences are lines; bytes are UTF-8 of the cleaned text. */
export interface LanguageReport {
  /** Code of the language. */
  readonly language: string;
  /** Documents and sentences in the files. */
  readonly read: {readonly documents: number; readonly sentences: number};
  /** What was left out, by reason. */
  readonly dropped: DroppedText;
  /** A few of what was dropped. */
  readonly examples: readonly DroppedExample[];
  /** What is kept out of training. */
  readonly heldOut: {readonly documents: number; readonly tokens: number; readonly bytes: number};
  /** What is left to train on. Tokens count the control tokens of each segment. */
  readonly training: TextSize;
  /** Share of the monolingual tokens of training that this language gets. */
  readonly share: number;
  /** How often training goes through the text, as planned; 0 where there is none. */
  readonly epochs: number;
  /** Tokens per word and UTF-8 bytes per token, on a sample of text and pairs. Words are those of the Unicode rules. */
  readonly fertility: number;
  /** UTF-8 bytes per token, on the same sample. */
  readonly bytesPerToken: number;
  /** Tokens per code point, white space apart, for languages that do not write words apart; absent in folders of older programs. */
  readonly tokensPerCharacter?: number;
}

/** Why text is left out. */
export interface DroppedText {
  /** Documents of which too small a share is in the script of the language. */
  readonly script: number;
  /** Documents that came before. */
  readonly duplicate: number;
  /** Documents that are nearly the same as one that is kept. */
  readonly nearDuplicate: number;
  /** Sentences that occur in held-out text. */
  readonly heldOutSentence: number;
}

/** A text that was left out. */
export interface DroppedExample {
  /** As `dropped` names it. */
  readonly reason: string;
  /** Its first 200 letters; of a pair both sides, with a tab between. */
  readonly text: string;
}

/** How much text there is. */
export interface TextSize {
  /** Pieces of at most a context, each `<bos> <xx> text <eos>`; pairs are counted as pairs. */
  readonly segments: number;
  /** With the control tokens of each segment. */
  readonly tokens: number;
  /** UTF-8 bytes of the text. */
  readonly bytes: number;
}

/** Why pairs are left out; the first reason that holds is the one that counts. */
export interface DroppedPairs {
  /** A side without text. */
  readonly empty: number;
  /** Both sides are the same text. */
  readonly identical: number;
  /**
   * One side has more than `data.filters.lengthRatio` times the letters of the other; an ideograph counts as three letters, a Hangul
   * syllable as two.
   */
  readonly ratio: number;
  /** Too small a share of a side is in the script of its language. */
  readonly script: number;
  /** The same two texts came before. */
  readonly duplicate: number;
  /** Nearly the same as a pair that is kept. */
  readonly nearDuplicate: number;
  /** A side occurs in held-out text. */
  readonly heldOutSentence: number;
  /** One of the two segments is longer than the context, or both are longer than a batch. */
  readonly tooLong: number;
}

/** The sentence pairs of two languages, all corpora of one source together. */
export interface PairReport {
  /** Language of the first side. */
  readonly source: string;
  /** Language of the second side. */
  readonly target: string;
  /** Name of the source of pairs; absent where the configuration gives none. */
  readonly name?: string | undefined;
  /** Pairs in the files. */
  readonly read: number;
  /** Pairs that were left out, by reason. */
  readonly dropped: DroppedPairs;
  /** A few of what was dropped. */
  readonly examples: readonly DroppedExample[];
  /** Of several sources of two languages the first alone has any. */
  readonly heldOut: number;
  /** What is left to train on: pairs, tokens of one pass as it is packed (mapping has both directions), bytes of both sides. */
  readonly training: TextSize;
  /** Share of the tokens that pairs get. */
  readonly share: number;
  /** How often training goes through the pairs, as planned; with stages all of it in one of them. */
  readonly epochs: number;
}

/** All that was read, dropped and kept, and how training will mix it. */
export interface DataReport {
  /** One entry for each language, sorted. */
  readonly languages: readonly LanguageReport[];
  /** One entry for each source of pairs of two languages. */
  readonly pairs: readonly PairReport[];
  /** What text is cut with. */
  readonly tokenizer: {
    readonly vocabSize: number;
    /** Whether it was trained on this text, or given as a file. */
    readonly trained: boolean;
  };
  /** Tokens that the whole training sees, and the share of them that pairs take. */
  readonly plan: {readonly tokens: number; readonly mappingShare: number};
  /** What the user should know: sentences in plain English, each naming the language or pair. */
  readonly warnings: readonly string[];
}
