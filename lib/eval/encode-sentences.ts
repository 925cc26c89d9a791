/** Sentences as vectors of a decoder's hidden states, as alignment is measured on them: METHOD section 3. */
import {noGrad} from '../autograd/index.js';
import {sentenceBatches, type HeldOutPairs, type SentenceBatch, type Tokenizer} from '../data/index.js';
import {decoderInput, type Decoder} from '../nn/index.js';
import {indices} from '../nn/input.js';
import {pool} from '../ops/index.js';
import {scope, type Tensor} from '../tensor/index.js';
import type {PairVectors} from './alignment.js';
import {checkSignal} from './checked-signal.js';

/** How sentences are encoded. */
export interface EncodeOptions {
  /** Tokens of one batch, at most. */
  readonly tokensPerBatch: number;
  /** Whether a sentence is attended to in both directions, as `objectives.mapping.prefix` trains it. */
  readonly prefix: boolean;
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/** Sentences of one language at every hidden state. */
export interface EncodedSentences {
  /** Hidden states 0 (embedding) to layers; each [sentences, features]. */
  readonly layers: readonly Float32Array[];
  /** [sentences] text tokens of each. */
  readonly counts: readonly number[];
}

/** Everything `alignPair` wants but the seed. */
export type EncodedPairs = Omit<PairVectors, 'seed'>;

/**
 * Both sides of sentence pairs, each sentence alone as `<bos> <xx> text`, pooled with the weights 1, 2, ..., n over its text tokens:
 * the same for all runs, whatever the training pooled.
 *
 * @throws ERR_ARGUMENT for a language without a control token; ERR_ABORTED
 */
export async function encodePairs(
  decoder: Decoder,
  tokenizer: Tokenizer,
  {source, target, sources, targets}: HeldOutPairs,
  options: EncodeOptions,
): Promise<EncodedPairs> {
  const x = await encodeSentences(decoder, tokenizer, {language: source, texts: sources}, options);
  const y = await encodeSentences(decoder, tokenizer, {language: target, texts: targets}, options);
  return {
    source,
    target,
    layers: x.layers.map((values, layer) => ({x: values, y: y.layers[layer] ?? new Float32Array()})),
    features: decoder.shape.features,
    counts: {x: x.counts, y: y.counts},
    texts: {x: sources, y: targets},
  };
}

/**
 * Sentences of one language, each alone, pooled as `encodePairs` says.
 *
 * @throws ERR_ARGUMENT for a language without a control token; ERR_ABORTED
 */
export async function encodeSentences(
  decoder: Decoder,
  tokenizer: Tokenizer,
  sentences: {readonly language: string; readonly texts: readonly string[]},
  {tokensPerBatch, prefix, signal}: EncodeOptions,
): Promise<EncodedSentences> {
  const {context, features, layers} = decoder.shape;
  const batches = await sentenceBatches(tokenizer, sentences, {tokensPerBatch, context, prefix});
  const vectors = Array.from({length: layers + 1}, () => new Float32Array(sentences.texts.length * features));
  const counts: number[] = [];
  for (const batch of batches) {
    checkSignal(signal);
    const pooled = noGrad(() => poolBatch(decoder, batch));
    for (const [layer, tensor] of pooled.entries()) {
      vectors[layer]?.set(await tensor.floats(), counts.length * features);
      tensor.dispose();
    }
    counts.push(...batch.ends.map((end, sentence) => end - (batch.starts[sentence] ?? 0)));
  }
  return {layers: vectors, counts};
}

/** float32 [sentences, features] at each hidden state. */
function poolBatch(decoder: Decoder, {batch, starts, ends}: SentenceBatch): Tensor[] {
  const {device, shape} = decoder;
  return scope(() => {
    const all = Array.from({length: shape.layers + 1}, (_, layer) => layer);
    const [from, to] = [indices(starts, device), indices(ends, device)];
    return decoder
      .hiddenStates(decoderInput(batch, device), {hiddenStates: all})
      .map((hidden) => pool(hidden, from, to, {pooling: 'weighted'}));
  });
}
