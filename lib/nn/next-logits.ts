/** One forward pass of generation: new tokens of each sequence in, logits after the last of them out. */
import {noGrad} from '../autograd/index.js';
import {CrossmapError} from '../errors.js';
import {cast, linear, pool} from '../ops/index.js';
import {scope, type Tensor} from '../tensor/index.js';
import type {Cache} from './cache.js';
import {cumulative} from './cumulative.js';
import type {Decoder} from './decoder.js';
import {decoderInput, indices} from './input.js';

/** What a pass reads. */
export interface Pass {
  readonly decoder: Decoder;
  readonly cache: Cache;
  /** [sequences] tokens to be read; none for a sequence that has ended. */
  readonly chunks: readonly Int32Array[];
}

/**
 * [vocab] logits of each sequence that has new tokens, by its number.
 *
 * @throws ERR_DIVERGED where they are not finite
 */
export async function readLogits(pass: Pass): Promise<ReadonlyMap<number, Float32Array>> {
  const logits = noGrad(() => nextLogits(pass));
  const values = await logits.floats().finally(() => logits.dispose());
  const vocabSize = logits.shape[1] ?? 0;
  const bySequence = new Map<number, Float32Array>();
  let row = 0;
  for (const [sequence, {length}] of pass.chunks.entries()) {
    if (length === 0) continue;
    const own = values.subarray(row * vocabSize, ++row * vocabSize);
    checkFinite(own, sequence);
    bySequence.set(sequence, own);
  }
  return bySequence;
}

/** [sequences that are read from, vocab] logits after their last token. */
function nextLogits({decoder, cache, chunks}: Pass): Tensor {
  return scope(() => {
    const {device, dtype, head} = decoder;
    const lengths = chunks.map(({length}) => length);
    const ends = Int32Array.from(cumulative(lengths.filter((length) => length > 0)));
    const positions = chunks.flatMap((chunk, sequence) =>
      Array.from(chunk, (_, index) => (cache.lengths[sequence] ?? 0) + index),
    );
    const tokens = chunks.flatMap((chunk) => [...chunk]);
    const input = decoderInput(
      {tokens: Int32Array.from(tokens), positions: Int32Array.from(positions), segmentStarts: ends},
      device,
    );
    const attend = cache.extend(lengths);
    const {hidden} = decoder.forward(input, {attend});
    const last = pool(hidden, indices(ends.slice(0, -1), device), indices(ends.slice(1), device), {
      pooling: 'last',
    });
    return linear(cast(last, dtype), head);
  });
}

function checkFinite(logits: Float32Array, sequence: number): void {
  if (!logits.every(Number.isFinite))
    throw new CrossmapError(
      'ERR_DIVERGED',
      `generate: the model gives logits that are not finite for sequence ${sequence}`,
    );
}
