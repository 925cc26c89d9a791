/** What a model is given when it is to say something, or to be looked into. */
import type {Batch} from './batch.js';
import type {Tokenizer} from './tokenizer/tokenizer.js';

/** Sentences, each alone as `<bos> <xx> text`, packed; for embeddings. */
export interface SentenceBatch {
  /** No targets: all are -1. */
  readonly batch: Batch;
  /** [sentences] first text token of each sentence, an index into the tokens of the batch. */
  readonly starts: Int32Array;
  /** [sentences] one past the last text token; control tokens lie outside. */
  readonly ends: Int32Array;
}

/** How sentences are packed. */
export interface SentenceOptions {
  /** Tokens of one batch, at most. */
  readonly tokensPerBatch: number;
  /** Tokens of one segment, at most; longer sentences are cut at the end. */
  readonly context: number;
  /** Whether the sentence is attended to in both directions, as `objectives.mapping.prefix` trains it. */
  readonly prefix: boolean;
}

/**
 * Ids of `<bos> <xx> text`, which a model continues in the language.
 *
 * @returns [tokens]
 * @throws ERR_ARGUMENT for a language without a control token
 */
export declare function textPrompt(tokenizer: Tokenizer, language: string, text: string): Promise<Int32Array>;

/**
 * Ids of `<bos> <source> text <map> <target>`, which a model continues with the translation.
 *
 * @returns [tokens]; all of them are the prefix of a prefix-LM
 * @throws ERR_ARGUMENT for a language without a control token
 */
export declare function translationPrompt(
  tokenizer: Tokenizer,
  {source, target, text}: {readonly source: string; readonly target: string; readonly text: string},
): Promise<Int32Array>;

/**
 * Packs sentences of one language, each alone as `<bos> <xx> text`, in the given order.
 *
 * @throws ERR_ARGUMENT for a language without a control token, or a context that is longer than a batch
 */
export declare function sentenceBatches(
  tokenizer: Tokenizer,
  {language, texts}: {readonly language: string; readonly texts: readonly string[]},
  options: SentenceOptions,
): Promise<SentenceBatch[]>;
