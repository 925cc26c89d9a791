/** Perplexity of a decoder on held-out documents, METHOD section 5. */
import {noGrad} from '../autograd/index.js';
import type {HeldOut, HeldOutOptions} from '../data/index.js';
import {decoderInput, type Decoder} from '../nn/index.js';
import {indices} from '../nn/input.js';
import {linearCrossEntropy} from '../ops/index.js';
import {scope, tensor, type Tensor} from '../tensor/index.js';
import type {Batch} from '../data/batch.js';
import {checkSignal} from './checked-signal.js';
import {createPerplexity} from './perplexity.js';
import type {LanguagePerplexity} from './results.js';

/** How much is measured. */
export interface HeldOutPerplexityOptions extends HeldOutOptions {
  /** Stops the work: the promise is then rejected with ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Perplexity and bits per byte of each language that has held-out documents. The targets of the documents with a weight count:
 * `<eos>` does, control tokens do not, and of strides over a long document only what is new.
 *
 * @throws ERR_ARGUMENT where the model gives values that are not finite, or a batch is shorter than the context; ERR_ABORTED
 */
export async function heldOutPerplexity(
  decoder: Decoder,
  heldOut: HeldOut,
  {signal, ...options}: HeldOutPerplexityOptions,
): Promise<LanguagePerplexity[]> {
  const perplexity = createPerplexity();
  for (const language of heldOut.languages) {
    const nll: number[] = [];
    const weights: number[] = [];
    let bytes = 0;
    for (const piece of heldOut.text(language, options)) {
      checkSignal(signal);
      using logProbabilities = noGrad(() => scoreTargets(decoder, piece.batch));
      for (const value of await logProbabilities.floats()) nll.push(-value);
      for (const weight of piece.batch.weights) weights.push(weight);
      bytes += piece.bytes;
    }
    // At once: a batch may hold the rest of a document and no beginning, and bytes are counted where documents begin.
    perplexity.add({language, nll, weights, bytes});
  }
  return perplexity.results();
}

/** float32 [tokens] log-probability of each target that counts. */
function scoreTargets(decoder: Decoder, batch: Batch): Tensor {
  const {device, head} = decoder;
  return scope(() => {
    const {hidden} = decoder.forward(decoderInput(batch, device));
    const options = {
      weights: tensor(new Float32Array(batch.weights), {device}),
      logProbabilities: true,
    } as const;
    return linearCrossEntropy(hidden, head, indices(batch.targets, device), options).logProbabilities;
  });
}
