/** Translation by the prompt that mapping trains: `<bos> <s> x <map> <t>`, continued greedily or by beam search. */
import {translationPrompt, type Tokenizer} from '../data/index.js';
import {beamSearch, generateAll, type Decoder} from '../nn/index.js';

/** Sentences of one language, and the language they are to be said in. */
export interface TranslationRequest {
  /** Language of the sentences. */
  readonly source: string;
  /** Language to translate into. */
  readonly target: string;
  /** Sentences. */
  readonly texts: readonly string[];
}

/** How sentences are translated. */
export interface TranslateOptions {
  /** Tokens of a translation, at most; never more than twice those of the sentence plus 20. */
  readonly maxNewTokens: number;
  /** Whether the prompt is attended to in both directions, as `objectives.mapping.prefix` trains it. */
  readonly prefix: boolean;
  /** Continuations that beam search follows; default 1, which is greedy. */
  readonly beams?: number;
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** Tokens of the prompt that are not text: `<bos> <s>` and `<map> <t>`. */
const promptControls = 4;

/** [texts] whether the prompt of each leaves room for a translation in the context of a decoder. @param texts cleaned */
export async function leavesRoom(
  {shape}: Decoder,
  tokenizer: Tokenizer,
  texts: readonly string[],
): Promise<boolean[]> {
  const encoded = await tokenizer.encodeAll(texts);
  return encoded.map(({length}) => length + promptControls < shape.context);
}

/**
 * Translates sentences, all in one batch, each to `<eos>` or its limit.
 *
 * @returns the translations, in the order of the sentences; empty where the model ends at once
 * @throws ERR_ARGUMENT for a language without a control token, or a sentence that fills the context; ERR_ABORTED
 */
export async function translate(
  decoder: Decoder,
  tokenizer: Tokenizer,
  {source, target, texts}: TranslationRequest,
  {maxNewTokens, beams = 1, ...options}: TranslateOptions,
): Promise<string[]> {
  const prompts = await Promise.all(
    texts.map((text) => translationPrompt(tokenizer, {source, target, text})),
  );
  const settings = {
    ...options,
    maxNewTokens: prompts.map(({length}) => Math.min(maxNewTokens, 2 * (length - promptControls) + 20)),
    stopTokens: [tokenizer.eos],
  };
  const outputs =
    beams === 1
      ? await generateAll(decoder, prompts, settings)
      : (await beamSearch(decoder, prompts, {...settings, beams})).map(({tokens}) => tokens);
  return Promise.all(outputs.map((output) => tokenizer.decode(output)));
}
