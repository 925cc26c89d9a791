/** All that is measured of a decoder while it is trained. */
import type {Config} from '../config/index.js';
import type {HeldOutPairs, PreparedData} from '../data/index.js';
import type {Decoder} from '../nn/index.js';
import {alignInWorker} from './align-in-worker.js';
import {minimumPairs} from './alignment-check.js';
import {distinctPairs} from './distinct-pairs.js';
import {encodePairs} from './encode-sentences.js';
import {heldOutPerplexity} from './held-out-perplexity.js';
import type {LanguagePerplexity, PairAlignment, SampleTranslation} from './results.js';
import {leavesRoom, translate} from './translate.js';

/** What is evaluated, and on what. */
export interface EvaluationInput {
  /** The model. */
  readonly decoder: Decoder;
  /** Its tokenizer, and the text that it is measured on. */
  readonly data: Pick<PreparedData, 'tokenizer' | 'heldOut'>;
  /** Of the run. */
  readonly config: Pick<Config, 'evaluation' | 'objectives' | 'training' | 'seed'>;
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** What an evaluation found. */
export interface ModelEvaluation {
  /** One entry per language with held-out documents. */
  readonly perplexity: readonly LanguagePerplexity[];
  /** One entry per language pair with at least 8 distinct held-out pairs. */
  readonly alignment: readonly PairAlignment[];
  /** `evaluation.samples` for each direction of each language pair, greedily translated; none where translating is not trained. */
  readonly samples: readonly SampleTranslation[];
}

/**
 * Held-out perplexity, alignment of languages and sample translations, as section `evaluation` of the configuration asks. The event
 * loop stays free: the model runs on its device, the arithmetic of alignment on a thread of its own.
 *
 * @throws ERR_ABORTED; ERR_ARGUMENT or ERR_DIVERGED where the model gives values that are not finite
 */
export async function evaluateModel(input: EvaluationInput): Promise<ModelEvaluation> {
  const {decoder, data, config, signal} = input;
  const {textTokens} = config.evaluation;
  const {tokensPerBatch} = config.training;
  const perplexity = await heldOutPerplexity(decoder, data.heldOut, {
    textTokens,
    tokensPerBatch,
    ...(signal && {signal}),
  });
  const alignment: PairAlignment[] = [];
  for (const pairs of data.heldOut.pairs) alignment.push(...(await measurePairs(input, pairs)));
  const samples: SampleTranslation[] = [];
  const translates = config.objectives.mapping.weight > 0;
  for (const pairs of translates ? data.heldOut.pairs : [])
    for (const direction of [pairs, reversed(pairs)])
      samples.push(...(await sampleDirection(input, direction)));
  return {perplexity, alignment, samples};
}

/** The alignment of a language pair; none where there are too few pairs to say anything. */
async function measurePairs(
  {decoder, data, config, signal}: EvaluationInput,
  all: HeldOutPairs,
): Promise<PairAlignment[]> {
  const pairs = firstPairs(all, config.evaluation.pairs);
  if (distinctPairs(pairs.sources, pairs.targets).length < minimumPairs) return [];
  const vectors = await encodePairs(decoder, data.tokenizer, pairs, {
    tokensPerBatch: config.training.tokensPerBatch,
    prefix: config.objectives.mapping.prefix,
    ...(signal && {signal}),
  });
  return [await alignInWorker({...vectors, seed: config.seed, draws: config.evaluation.bootstrap}, signal)];
}

async function sampleDirection(
  {decoder, data, config, signal}: EvaluationInput,
  pairs: HeldOutPairs,
): Promise<SampleTranslation[]> {
  const {samples, maxNewTokens} = config.evaluation;
  const {source, target} = pairs;
  const {sources: inputs, targets: references} = firstPairs(await shortPairs(decoder, data, pairs), samples);
  if (inputs.length === 0) return [];
  const outputs = await translate(
    decoder,
    data.tokenizer,
    {source, target, texts: inputs},
    {maxNewTokens, prefix: config.objectives.mapping.prefix, ...(signal && {signal})},
  );
  return outputs.map((output, index) => ({
    source,
    target,
    input: inputs[index] ?? '',
    reference: references[index] ?? '',
    output,
  }));
}

/** The pairs whose prompt leaves room in the context. */
async function shortPairs(
  decoder: Decoder,
  {tokenizer}: EvaluationInput['data'],
  pairs: HeldOutPairs,
): Promise<HeldOutPairs> {
  const fits = await leavesRoom(decoder, tokenizer, pairs.sources);
  return {
    ...pairs,
    sources: pairs.sources.filter((_, pair) => fits[pair]),
    targets: pairs.targets.filter((_, pair) => fits[pair]),
  };
}

function firstPairs(pairs: HeldOutPairs, count: number): HeldOutPairs {
  return {...pairs, sources: pairs.sources.slice(0, count), targets: pairs.targets.slice(0, count)};
}

function reversed({source, target, sources, targets}: HeldOutPairs): HeldOutPairs {
  return {source: target, target: source, sources: targets, targets: sources};
}
