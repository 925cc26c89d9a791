/** Generation: prompts are read at once, then one token per sequence and step through a cache of keys and values. */
import type {Decoder} from './decoder.js';

/** How sequences are continued. */
export interface GenerateOptions {
  /** New tokens, at most; one number, or one per prompt. A sequence also ends at the model's context. */
  readonly maxNewTokens: number | readonly number[];
  /** Ids that end a sequence; they are not part of it. Default none. */
  readonly stopTokens?: readonly number[];
  /** Divides the logits, >= 0; 0 (default) is greedy: the most likely token, the lowest id of equals. */
  readonly temperature?: number;
  /** Draws only from that many most likely tokens; default all. */
  readonly topK?: number;
  /** Draws only from the most likely tokens whose probabilities reach this share, in (0, 1]; default 1. */
  readonly topP?: number;
  /** Of the draws; default 0. */
  readonly seed?: number;
  /** Whether the prompt is attended to in both directions, as prefix-LM training does; default false. */
  readonly prefix?: boolean;
  /** Stops the work: the call then throws ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** A token as it is generated. */
export interface GeneratedToken {
  /** Which prompt it continues, from 0. */
  readonly sequence: number;
  readonly token: number;
}

/**
 * Continues prompts, all in one batch, and yields each token when it is known: in each step one for every sequence that has not ended.
 *
 * @param prompts each [tokens], at least one token
 * @throws ERR_ARGUMENT for an empty prompt, one that fills the context, or an option out of range; ERR_INDEX for an id that is not in
 *   the vocabulary; ERR_ABORTED
 */
export declare function generate(
  decoder: Decoder,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedToken, void, undefined>;

/**
 * Continues prompts to their ends.
 *
 * @returns the new tokens of each sequence, in the order of the prompts
 * @throws as `generate`
 */
export declare function generateAll(
  decoder: Decoder,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): Promise<Int32Array[]>;
