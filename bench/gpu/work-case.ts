/** The cases that are timed beside PyTorch: bench/peers/cases.json names their sizes, for us and for the peers. */
import {readFileSync} from 'node:fs';
import {backward, clearGradients, gradient, noGrad, requireGradient} from '../../lib/autograd/index.js';
import {attentionWork, contrastiveWork, linearCrossEntropyWork} from '../../lib/bench/index.js';
import {createDecoder, decoderInput, type DecoderShape} from '../../lib/nn/index.js';
import {adamw, attention, contrastive, linearCrossEntropy, normal, rmsNorm} from '../../lib/ops/index.js';
import {tensor, zeros, type Device, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {createOptimizer} from '../../lib/train/index.js';

interface Sizes {
  readonly pass: 'both' | 'forward' | 'step';
  readonly dtype: FloatDType;
}

type Case<Kind extends string, Names extends string> = Sizes & {readonly kind: Kind} & Readonly<
    Record<Names, number>
  >;

/** A line of bench/peers/cases.json. */
export type WorkCase =
  | Case<'adamw', 'weights'>
  | Case<'attention', 'headDim' | 'heads' | 'tokens'>
  | Case<'contrastive', 'features' | 'pairs'>
  | Case<'linearCrossEntropy', 'features' | 'tokens' | 'vocab'>
  | Case<'rmsNorm', 'features' | 'tokens'>
  | Case<'trainingStep', 'features' | 'heads' | 'hiddenFeatures' | 'layers' | 'segment' | 'tokens' | 'vocab'>;

/** A case on a device. */
export interface Work {
  /** Enqueues one run. */
  readonly run: () => void;
  /** Floating-point operations of one run, where products are most of it. */
  readonly flops?: number;
  /** Least bytes of one run, where they are most of it. */
  readonly bytes?: number;
  /** Tokens of one run, where it trains. */
  readonly tokens?: number;
}

/** @param size `full` for a GPU, `small` for the emulator */
export function readCases(size: 'full' | 'small'): readonly WorkCase[] {
  const file = new URL('../../../bench/peers/cases.json', import.meta.url); // from dist/bench/gpu
  return (JSON.parse(readFileSync(file, 'utf8')) as Record<'full' | 'small', WorkCase[]>)[size];
}

/** Makes the inputs of a case. */
export function prepare(work: WorkCase, device: Device): Work {
  const make = (shape: readonly number[], seed: number, dtype = work.dtype): Tensor =>
    normal(shape, {seed, dtype, device});
  const leaf = (shape: readonly number[], seed: number): Tensor => requireGradient(make(shape, seed));
  switch (work.kind) {
    case 'attention':
      return prepareAttention(work, leaf, device);
    case 'contrastive': {
      const {pairs, features, dtype} = work;
      const [x, y] = [leaf([pairs, features], 1), leaf([pairs, features], 2)];
      const {forward, backward: back} = contrastiveWork({pairs, features, dtype});
      const run = passes(work.pass, [x, y], () => contrastive(x, y, {temperature: 0.05}));
      return {run, flops: forward.flops + back.flops};
    }
    case 'linearCrossEntropy': {
      const {tokens, features, vocab, dtype} = work;
      const [hidden, weight] = [leaf([tokens, features], 1), leaf([vocab, features], 2)];
      const targets = tensor(tokenIds(tokens, vocab), {device});
      const {withGradients} = linearCrossEntropyWork({tokens, features, vocab, dtype});
      const loss = (): Tensor => linearCrossEntropy(hidden, weight, targets).loss;
      return {run: passes(work.pass, [hidden, weight], loss), flops: withGradients.flops};
    }
    case 'rmsNorm': {
      const {tokens, features} = work;
      const [x, weight] = [leaf([tokens, features], 1), leaf([features], 2)];
      const run = passes(work.pass, [x, weight], () => rmsNorm(x, weight), make([tokens, features], 3));
      // x and y, then dy, x and dx, of 2 bytes.
      return {run, bytes: 5 * tokens * features * 2};
    }
    case 'adamw':
      return prepareAdamw(work.weights, make, device);
    case 'trainingStep':
      break;
  }
  return prepareTraining(work, device);
}

function prepareAttention(
  {tokens, heads, headDim, dtype, pass}: Extract<WorkCase, {kind: 'attention'}>,
  leaf: (shape: readonly number[], seed: number) => Tensor,
  device: Device,
): Work {
  const shape = [tokens, heads, headDim];
  const [q, k, v] = [leaf(shape, 1), leaf(shape, 2), leaf(shape, 3)];
  const dOut = normal(shape, {seed: 4, dtype, device});
  const segmentStarts = tensor(Int32Array.of(0, tokens), {device});
  const {forward, backward: back} = attentionWork({queries: [tokens], heads, headDim, dtype});
  return {
    run: passes(pass, [q, k, v], () => attention(q, k, v, {segmentStarts}), dOut),
    flops: forward.flops + (pass === 'both' ? back.flops : 0),
  };
}

/** One pass or both; gradients of the run before are freed. */
function passes(
  pass: Sizes['pass'],
  leaves: readonly Tensor[],
  forward: () => Tensor,
  seed?: Tensor,
): () => void {
  if (pass === 'forward') return () => void noGrad(forward);
  return () => {
    clearGradients(leaves);
    backward(forward(), seed);
  };
}

function prepareAdamw(
  weights: number,
  make: (shape: readonly number[], seed: number, dtype?: FloatDType) => Tensor,
  device: Device,
): Work {
  const options = {
    parameters: [make([weights], 1)],
    gradients: [make([weights], 2, 'float32')],
    masters: [make([weights], 1, 'float32')],
    firstMoments: [zeros([weights], {device})],
    secondMoments: [zeros([weights], {device})],
    weightDecays: [0.1],
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    step: 1,
  };
  // 28 of float32 state and gradient, 2 of the weight in bfloat16.
  return {run: () => adamw(options), bytes: 30 * weights};
}

/** A whole step of training a Llama-style model: next-token loss, gradients, clipping, AdamW. */
function prepareTraining(work: Extract<WorkCase, {kind: 'trainingStep'}>, device: Device): Work {
  const {tokens, segment, vocab, dtype, ...sizes} = work;
  const shape: DecoderShape = {
    layers: sizes.layers,
    features: sizes.features,
    heads: sizes.heads,
    kvHeads: sizes.heads,
    headDim: sizes.features / sizes.heads,
    hiddenFeatures: sizes.hiddenFeatures,
    context: segment,
    ropeTheta: 10_000,
    normEps: 1e-5,
    tiedHead: false,
    vocabSize: vocab,
  };
  const decoder = createDecoder(shape, {seed: 1, dtype, device});
  const leaves = decoder.parameters.map((parameter) => parameter.tensor);
  const optimizer = createOptimizer(decoder.parameters, {
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    weightDecay: 0.1,
    clipNorm: 1,
  });
  const segments = Math.ceil(tokens / segment);
  const ids = tokenIds(tokens, vocab);
  const packed = {
    tokens: ids,
    positions: ids.map((_, t) => t % segment),
    segmentStarts: Int32Array.from({length: segments + 1}, (_, s) => Math.min(tokens, s * segment)),
  };
  const input = decoderInput(packed, device);
  const targets = tensor(tokenIds(tokens, vocab, 1), {device});
  let step = 0;
  return {
    tokens,
    // 6 for each weight that multiplies and each token (the embedding only looks up), and attention.
    flops:
      6 * (decoder.parameterCount - vocab * sizes.features) * tokens +
      sizes.layers * attentionFlops(packed.segmentStarts, sizes),
    run() {
      clearGradients(leaves);
      const {hidden} = decoder.forward(input);
      backward(linearCrossEntropy(hidden, decoder.head, targets).loss);
      const gradients = leaves.map((leaf) => gradient(leaf));
      const norm = optimizer.gradientNorm(gradients);
      optimizer.update({step: ++step, learningRate: 1e-4, norm, gradients});
    },
  };
}

function attentionFlops(
  starts: Int32Array,
  {heads, features}: {readonly heads: number; readonly features: number},
): number {
  const queries = Array.from(starts.subarray(1), (end, s) => end - (starts[s] ?? 0));
  const {forward, backward: back} = attentionWork({
    queries,
    heads,
    headDim: features / heads,
    dtype: 'bfloat16',
  });
  return forward.flops + back.flops;
}

function tokenIds(tokens: number, vocab: number, shift = 0): Int32Array<ArrayBuffer> {
  return Int32Array.from({length: tokens}, (_, t) => ((t + shift) * 7919) % vocab);
}
