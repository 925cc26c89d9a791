/** Alignment of a model's hidden states on held-out sentence pairs. */
import {noGrad} from '../autograd/index.js';
import {sentenceBatches, type HeldOutPairs, type SentenceBatch} from '../data/index.js';
import {decoderInput, type Decoder} from '../nn/index.js';
import {pool} from '../ops/index.js';
import {scope, tensor, type Tensor} from '../tensor/index.js';
import {throwIfAborted} from './abort.js';
import {alignInWorker} from './align-in-worker.js';
import {minimumPairs} from './alignment-check.js';
import type {PairVectors} from './alignment.js';
import type {ModelUnderTest} from './evaluate-model.js';
import type {PairAlignment} from './results.js';

/**
 * Each language pair with enough held-out pairs, measured by METHOD section 3. While one pair is measured on a thread of its own, the
 * model reads the sentences of the next.
 *
 * @throws ERR_ABORTED; ERR_ARGUMENT where a hidden state is not finite
 */
export async function modelAlignment(model: ModelUnderTest): Promise<PairAlignment[]> {
  const {heldOut, config, signal} = model;
  const most = config.evaluation.pairs;
  const measured: PairAlignment[] = [];
  let pending: Promise<PairAlignment> | undefined;
  for (const pairs of heldOut.pairs) {
    if (Math.min(most, pairs.sources.length) < minimumPairs) continue;
    const vectors = await vectorsOf(model, pairs);
    if (pending !== undefined) measured.push(await pending);
    pending = alignInWorker(vectors, signal);
    pending.catch(() => undefined); // it may fail before its turn, where it is awaited
  }
  if (pending !== undefined) measured.push(await pending);
  return measured;
}

async function vectorsOf(
  model: ModelUnderTest,
  {source, target, ...pairs}: HeldOutPairs,
): Promise<PairVectors> {
  const {decoder, config} = model;
  const most = config.evaluation.pairs;
  const x = await readSentences(model, source, pairs.sources.slice(0, most));
  const y = await readSentences(model, target, pairs.targets.slice(0, most));
  return {
    source,
    target,
    layers: x.layers.map((vectors, layer) => ({x: vectors, y: y.layers[layer] ?? new Float32Array()})),
    features: decoder.shape.features,
    counts: {x: x.counts, y: y.counts},
    seed: config.seed,
    draws: config.evaluation.bootstrap,
  };
}

/** Sentences of one language at every hidden state. */
interface ReadSentences {
  /** Of hidden states 0 to layers, each [sentences, features]. */
  readonly layers: readonly Float32Array[];
  /** [sentences] text tokens. */
  readonly counts: Int32Array;
}

async function readSentences(
  {decoder, tokenizer, config, signal}: ModelUnderTest,
  language: string,
  texts: readonly string[],
): Promise<ReadSentences> {
  const {features, layers, context} = decoder.shape;
  const {prefix} = config.objectives.mapping;
  const {tokensPerBatch} = config.training;
  const batches = await sentenceBatches(tokenizer, {language, texts}, {tokensPerBatch, context, prefix});
  const all = Array.from({length: layers + 1}, () => new Float32Array(texts.length * features));
  const counts = new Int32Array(texts.length);
  let read = 0;
  for (const batch of batches) {
    throwIfAborted(signal);
    const pooled = await pooledStates(decoder, batch);
    for (const [layer, vectors] of pooled.entries()) all[layer]?.set(vectors, read * features);
    batch.starts.forEach((start, index) => (counts[read + index] = (batch.ends[index] ?? start) - start));
    read += batch.starts.length;
  }
  return {layers: all, counts};
}

/** The vector of each sentence at each hidden state: weighted pooling, whatever the training pooled (METHOD 3). */
async function pooledStates(decoder: Decoder, {batch, starts, ends}: SentenceBatch): Promise<Float32Array[]> {
  const {device, shape} = decoder;
  const states = Array.from({length: shape.layers + 1}, (_, layer) => layer);
  const pooled = scope(() =>
    noGrad((): Tensor[] => {
      const from = tensor(new Int32Array(starts), {device});
      const to = tensor(new Int32Array(ends), {device});
      return decoder
        .hiddenStates(decoderInput(batch, device), states)
        .map((hidden) => pool(hidden, from, to, {pooling: 'weighted'}));
    }),
  );
  try {
    return await Promise.all(pooled.map((vectors) => vectors.floats()));
  } finally {
    for (const vectors of pooled) vectors.dispose();
  }
}
