/** What text becomes before a model sees it. */

/**
 * Byte-level BPE with control tokens. Text never becomes a control token, whatever it spells: `<eos>` in a corpus is five
 * characters.
 */
export interface Tokenizer {
  /** Entries of the vocabulary, control tokens included: ids are 0 to vocabSize - 1. */
  readonly vocabSize: number;
  /** Id of `<bos>`, which starts every segment. */
  readonly bos: number;
  /** Id of `<eos>`, which ends every segment. */
  readonly eos: number;
  /** Id of `<map>`, which stands between a sentence and the language it is to be said in. */
  readonly map: number;
  /** Languages that have a control token, sorted. */
  readonly languages: readonly string[];
  /** The `tokenizer.json` it was read from. */
  readonly file: string;
  /**
   * Id of the control token of a language: `<cs>` for `cs`.
   *
   * @throws ERR_ARGUMENT for a language that has none
   */
  language(code: string): number;
  /** Whether an id is one of the control tokens. */
  isControl(id: number): boolean;
  /** [tokens] ids of the text alone, without control tokens. Text is not cleaned here: see `cleanText`. */
  encode(text: string): Promise<Int32Array>;
  /** The same for many texts, an order of magnitude faster than one by one; the event loop stays free. */
  encodeAll(texts: readonly string[]): Promise<Int32Array[]>;
  /**
   * The text that ids spell. Control tokens are left out; bytes that are no UTF-8 become U+FFFD.
   *
   * @throws ERR_ARGUMENT for an id that is not in the vocabulary
   */
  decode(ids: ArrayLike<number>): Promise<string>;
}
