/** Perplexity of a model on the held-out text of each language. */
import {noGrad} from '../autograd/index.js';
import type {Batch} from '../data/index.js';
import {decoderInput, type Decoder} from '../nn/index.js';
import {linearCrossEntropy} from '../ops/index.js';
import {scope, tensor} from '../tensor/index.js';
import {throwIfAborted} from './abort.js';
import type {ModelUnderTest} from './evaluate-model.js';
import {createPerplexity} from './perplexity.js';
import type {LanguagePerplexity} from './results.js';

/** @throws ERR_ABORTED; ERR_ARGUMENT where a likelihood is not finite */
export async function modelPerplexity({
  decoder,
  heldOut,
  config,
  signal,
}: Omit<ModelUnderTest, 'tokenizer'>): Promise<LanguagePerplexity[]> {
  const perplexity = createPerplexity();
  const {textTokens} = config.evaluation;
  const {tokensPerBatch} = config.training;
  for (const language of heldOut.languages) {
    const nll: number[] = [];
    const weights: number[] = [];
    let bytes = 0;
    for (const piece of heldOut.text(language, {textTokens, tokensPerBatch})) {
      throwIfAborted(signal);
      for (const value of await logProbabilities(decoder, piece.batch)) nll.push(-value);
      for (const weight of piece.batch.weights) weights.push(weight);
      bytes += piece.bytes;
    }
    // All at once: a document may reach into a batch that none begins in, and bytes are known of whole documents alone.
    perplexity.add({language, nll, weights, bytes});
  }
  return perplexity.results();
}

/** [tokens] log-probability in nats of each target; any value where there is none. */
async function logProbabilities(decoder: Decoder, batch: Batch): Promise<Float32Array> {
  const scores = scope(() =>
    noGrad(() => {
      const {device} = decoder;
      const {hidden} = decoder.forward(decoderInput(batch, device));
      const targets = tensor(new Int32Array(batch.targets), {device});
      return linearCrossEntropy(hidden, decoder.head, targets, {logProbabilities: true}).logProbabilities;
    }),
  );
  if (scores === undefined) return new Float32Array();
  try {
    return await scores.floats();
  } finally {
    scores.dispose();
  }
}
