/** All that is measured of a model on held-out text. */
import type {Config} from '../config/index.js';
import type {HeldOut, Tokenizer} from '../data/index.js';
import type {Decoder} from '../nn/index.js';
import {modelAlignment} from './model-alignment.js';
import {modelPerplexity} from './model-perplexity.js';
import type {LanguagePerplexity, PairAlignment, SampleTranslation} from './results.js';
import {sampleTranslations} from './sample-translations.js';

/** What is measured, and how. */
export interface ModelUnderTest {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  readonly heldOut: HeldOut;
  /** Its section `evaluation` says how much is measured. */
  readonly config: Config;
  readonly signal?: AbortSignal;
}

/** What was measured. */
export interface ModelEvaluation {
  readonly perplexity: readonly LanguagePerplexity[];
  /** Empty where `evaluation.pairs` is 0; without language pairs of which too few distinct sentences are held out. */
  readonly alignment: readonly PairAlignment[];
  /** Empty where the model is not trained to translate. */
  readonly samples: readonly SampleTranslation[];
}

/**
 * Measures perplexity by language, alignment and retrieval by language pair, and translates some held-out sentences. Model and arithmetic
 * run beside the event loop, which stays free.
 *
 * @throws ERR_ABORTED; ERR_ARGUMENT where a hidden state or a likelihood is not finite; what the ops throw
 */
export async function evaluateModel(model: ModelUnderTest): Promise<ModelEvaluation> {
  const perplexity = await modelPerplexity(model);
  const alignment = await modelAlignment(model);
  const samples = await sampleTranslations(model);
  return {perplexity, alignment, samples};
}
