/** What gives tokens their vectors: an encoder that a user brings, and the checks that it gives what it should. */
import {CrossmapError} from '../../errors.js';
import {checkSignal} from '../checked-signal.js';
import type {Floats} from '../matrix.js';

/** A sentence as an encoder sees it. */
export interface EncodedTokens {
  /** [tokens] ids of the tokens, special ones included: what rarity is counted by. */
  readonly tokens: ArrayLike<number>;
  /** [tokens, features] vectors of the tokens in their context, of any length. */
  readonly vectors: Floats;
}

/** A model that gives the tokens of a sentence vectors. */
export interface Encoder {
  /** As the hash names it: `xlm-roberta-base`. */
  readonly name: string;
  /** Hidden state that the vectors are, 0 being the embedding; for the hash. */
  readonly layer: number;
  /** Ids of tokens that can be matched but do not count, such as `[CLS]` and `[SEP]`; default none. */
  readonly specialTokens?: readonly number[];
  /** @returns [sentences] of each its tokens and their vectors, in the order of the sentences */
  encode(
    sentences: readonly string[],
    signal?: AbortSignal,
  ): Promise<readonly EncodedTokens[]> | readonly EncodedTokens[];
  /** Called when it is no longer needed. */
  dispose?(): void | Promise<void>;
}

/** How an encoder is called. */
interface EncodeCall {
  /** Of one call, at most. */
  readonly sentencesAtOnce: number;
  /** Features of all vectors, once they are known. */
  readonly features: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sentences with their vectors. */
export interface CheckedTokens {
  readonly bySentence: ReadonlyMap<string, EncodedTokens>;
  /** Of every vector; unknown where no sentence has a token. */
  readonly features: number | undefined;
}

/**
 * The vectors of sentences, each encoded once.
 *
 * @throws ERR_ARGUMENT for an encoder that fails, or gives something else than finite vectors of one length; ERR_ABORTED
 */
export async function encodeTokens(
  encoder: Encoder,
  sentences: readonly string[],
  {sentencesAtOnce, signal, ...call}: EncodeCall,
): Promise<CheckedTokens> {
  const distinct = [...new Set(sentences)];
  const bySentence = new Map<string, EncodedTokens>();
  let {features} = call;
  for (let at = 0; at < distinct.length; at += sentencesAtOnce) {
    checkSignal(signal);
    const chosen = distinct.slice(at, at + sentencesAtOnce);
    const encoded = await callEncoder(encoder, chosen, signal);
    for (const [index, sentence] of chosen.entries()) {
      const tokens = encoded[index];
      features = checkTokens(tokens, {encoder, sentence, features});
      if (tokens !== undefined) bySentence.set(sentence, tokens);
    }
  }
  return {bySentence, features};
}

async function callEncoder(
  encoder: Encoder,
  sentences: readonly string[],
  signal: AbortSignal | undefined,
): Promise<readonly (EncodedTokens | undefined)[]> {
  let encoded: unknown;
  try {
    encoded = await encoder.encode(sentences, signal);
  } catch (cause) {
    checkSignal(signal);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_ARGUMENT', `encoder ${encoder.name} failed: ${reason}`, {cause});
  }
  if (Array.isArray(encoded) && encoded.length === sentences.length) return encoded;
  throw new CrossmapError(
    'ERR_ARGUMENT',
    `encoder ${encoder.name} must give a list with one entry for each of ${sentences.length} sentences; ` +
      `it gave ${Array.isArray(encoded) ? `one of ${encoded.length}` : typeof encoded}`,
  );
}

interface Checked {
  readonly encoder: Encoder;
  readonly sentence: string;
  readonly features: number | undefined;
}

/** The features of the vectors, or what was known where there is none. */
function checkTokens(
  given: EncodedTokens | undefined,
  {encoder, sentence, features}: Checked,
): number | undefined {
  const fail = (what: string): CrossmapError =>
    new CrossmapError(
      'ERR_ARGUMENT',
      `encoder ${encoder.name}: ${what}, of the sentence ${quoted(sentence)}`,
    );
  const {tokens, vectors}: Partial<EncodedTokens> = Object(given);
  if (tokens === undefined || !Number.isSafeInteger(tokens.length))
    throw fail('tokens must be the ids [tokens]');
  if (!(vectors instanceof Float32Array || vectors instanceof Float64Array))
    throw fail('vectors must be a Float32Array or a Float64Array [tokens, features]');
  if (tokens.length === 0 && vectors.length === 0) return features;
  const found = vectors.length / tokens.length;
  if (!Number.isSafeInteger(found) || found === 0 || (features !== undefined && found !== features))
    throw fail(
      `vectors must be [${tokens.length}, ${features ?? 'features'}] to match its tokens` +
        `${features === undefined ? '' : ' and the vectors before it'}; got ${vectors.length} values`,
    );
  const wrong = vectors.findIndex((value) => !Number.isFinite(value));
  if (wrong !== -1)
    throw fail(
      `vectors must be finite; token ${Math.floor(wrong / found)} has ${vectors[wrong]} at feature ${wrong % found}`,
    );
  return found;
}

function quoted(sentence: string): string {
  return JSON.stringify(sentence.length > 60 ? `${sentence.slice(0, 60)}…` : sentence);
}
