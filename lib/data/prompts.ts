/** What a model is given when it is to say something, or to be looked into. */
import {CrossmapError} from '../errors.js';
import type {Batch} from './batch.js';
import {cleanText} from './corpus/clean.js';
import {createPacker, leadingControls} from './sampling/packer.js';
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
export async function textPrompt(tokenizer: Tokenizer, language: string, text: string): Promise<Int32Array> {
  const tokens = await tokenizer.encode(cleanText(text));
  return Int32Array.from([tokenizer.bos, tokenizer.language(language), ...tokens]);
}

/**
 * Ids of `<bos> <source> text <map> <target>`, which a model continues with the translation.
 *
 * @returns [tokens]; all of them are the prefix of a prefix-LM
 * @throws ERR_ARGUMENT for a language without a control token
 */
export async function translationPrompt(
  tokenizer: Tokenizer,
  {source, target, text}: {readonly source: string; readonly target: string; readonly text: string},
): Promise<Int32Array> {
  const prompt = await textPrompt(tokenizer, source, text);
  return Int32Array.from([...prompt, tokenizer.map, tokenizer.language(target)]);
}

/**
 * Packs sentences of one language, each alone as `<bos> <xx> text`, in the given order.
 *
 * @throws ERR_ARGUMENT for a language without a control token, or a context that is longer than a batch
 */
export async function sentenceBatches(
  tokenizer: Tokenizer,
  {language, texts}: {readonly language: string; readonly texts: readonly string[]},
  {tokensPerBatch, context, prefix}: SentenceOptions,
): Promise<SentenceBatch[]> {
  if (context <= leadingControls || context > tokensPerBatch)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `sentenceBatches: context must be ${leadingControls + 1} to tokensPerBatch (${tokensPerBatch}); got ${context}`,
    );
  const encoded = await tokenizer.encodeAll(texts.map(cleanText));
  const packer = createPacker({tokenizer, tokensPerBatch, prefix: false, sourceWeight: 0});
  const batches: SentenceBatch[] = [];
  for (const all of encoded) {
    const tokens = all.subarray(0, context - leadingControls);
    if (tokens.length + leadingControls > packer.room()) batches.push(withSpans(packer.finish(), prefix));
    packer.addText({language, tokens}, {ends: false, unweighted: tokens.length});
  }
  if (packer.room() < tokensPerBatch) batches.push(withSpans(packer.finish(), prefix));
  return batches;
}

function withSpans(packed: Batch, prefix: boolean): SentenceBatch {
  const {segmentStarts} = packed;
  const starts = segmentStarts.slice(0, -1).map((start) => start + leadingControls);
  const ends = segmentStarts.slice(1);
  const lengths = ends.map((end, segment) => end - (segmentStarts[segment] ?? 0));
  const targets = new Int32Array(packed.tokens.length).fill(-1);
  return {batch: {...packed, targets, ...(prefix && {prefixLengths: lengths})}, starts, ends};
}
