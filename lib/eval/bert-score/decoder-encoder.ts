/** A decoder of ours as the encoder of a score, which is then called crossmap-score. */
import {createHash} from 'node:crypto';
import {noGrad} from '../../autograd/index.js';
import {sentenceBatches, type SentenceBatch, type Tokenizer} from '../../data/index.js';
import {decoderInput, type Decoder} from '../../nn/index.js';
import {scope, type Tensor} from '../../tensor/index.js';
import {checkSignal} from '../checked-signal.js';
import type {EncodeOptions} from '../encode-sentences.js';
import type {EncodedTokens, Encoder} from './encoder.js';

/** Which hidden state of a decoder gives the vectors, and of which language the sentences are. */
export interface DecoderEncoderOptions extends Omit<EncodeOptions, 'signal'> {
  /** Of the sentences. */
  readonly language: string;
  /** Hidden state, 0 being the embedding; default round(layers / 2), where languages line up best. */
  readonly layer?: number;
}

/**
 * The text tokens of each sentence, alone as `<bos> <xx> text`, at a middle layer. Control tokens are left out: all sentences have them,
 * with vectors far longer than others. A sentence longer than the context is cut at its end.
 *
 * @returns an encoder named `crossmap-` and eight digits that tell models apart; the decoder stays the caller's
 * @throws ERR_ARGUMENT for a language without a control token
 */
export async function decoderEncoder(
  decoder: Decoder,
  tokenizer: Tokenizer,
  {language, layer = Math.round(decoder.shape.layers / 2), tokensPerBatch, prefix}: DecoderEncoderOptions,
): Promise<Encoder> {
  const {context, features} = decoder.shape;
  tokenizer.language(language);
  return {
    name: `crossmap-${await fingerprintOf(decoder)}`,
    layer,
    async encode(sentences, signal) {
      const packing = {tokensPerBatch, context, prefix};
      const encoded: EncodedTokens[] = [];
      for (const {batch, starts, ends} of await sentenceBatches(
        tokenizer,
        {language, texts: sentences},
        packing,
      )) {
        checkSignal(signal);
        const hidden = noGrad(() => hiddenState(decoder, batch, layer));
        const vectors = await hidden.floats();
        hidden.dispose();
        for (const [sentence, start] of starts.entries()) {
          const end = ends[sentence] ?? start;
          encoded.push({
            tokens: batch.tokens.subarray(start, end),
            vectors: vectors.subarray(start * features, end * features),
          });
        }
      }
      return encoded;
    },
  };
}

/** [tokens, features] */
function hiddenState(decoder: Decoder, batch: SentenceBatch['batch'], layer: number): Tensor {
  const states = scope(() =>
    decoder.hiddenStates(decoderInput(batch, decoder.device), {hiddenStates: [layer]}),
  );
  const [state] = states;
  if (state === undefined) throw new RangeError(`hidden state ${layer} was not computed`);
  return state;
}

/** Of the first parameter, the embedding table: models that were trained differently have different ones. */
async function fingerprintOf({parameters}: Decoder): Promise<string> {
  const hash = createHash('sha256');
  for (const {tensor} of parameters.slice(0, 1)) hash.update(await tensor.floats());
  return hash.digest('hex').slice(0, 8);
}
