/** Our side of each case. */
import {backward, clearGradients, gradient, noGrad, requireGradient} from '../../lib/autograd/index.js';
import {
  attentionWork,
  contrastiveWork,
  linearCrossEntropyWork,
  matmulWork,
  randomTensor,
} from '../../lib/bench/index.js';
import {createDecoder, decoderInput, type DecoderShape} from '../../lib/nn/index.js';
import {adamw, attention, contrastive, linearCrossEntropy, matmul, rmsNorm} from '../../lib/ops/index.js';
import {tensor, zeros, type Device, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {createOptimizer} from '../../lib/train/index.js';
import {adam, comparedSteps, recipe, tokenIds} from './training-recipe.js';
import type {CaseOf, WorkCase} from './work-case.js';

/** A case on a device. */
export interface Work {
  /** Enqueues one run. */
  readonly run: () => void;
  /** A run whose results are looked at. The first: some runs go on where the one before stopped. */
  readonly results: () => Readonly<Record<string, Tensor>>;
  /** Frees what a run leaves behind for the next one. */
  readonly clear: () => void;
  /** Floating-point operations of one run, where products are most of it. */
  readonly flops?: number;
  /** Least bytes of one run, where they are most of it. */
  readonly bytes?: number;
  /** Tokens of one run, where it trains. */
  readonly tokens?: number;
}

type Make = (shape: readonly number[], seed: number, options?: {std?: number; dtype?: FloatDType}) => Tensor;

/** Makes the inputs of a case: numbers that bench/peers makes as well, from the same seeds. */
export function prepare(work: WorkCase, device: Device): Work {
  const make: Make = (shape, seed, options) =>
    randomTensor(shape, {seed, dtype: work.dtype, device, ...options});
  switch (work.kind) {
    case 'attention':
      return prepareAttention(work, make, device);
    case 'contrastive':
      return prepareContrastive(work, make);
    case 'linearCrossEntropy':
      return prepareLinearCrossEntropy(work, make, device);
    case 'rmsNorm':
      return prepareRmsNorm(work, make);
    case 'matmul': {
      const {m, n, k} = work;
      const [a, b] = [make([m, k], 1), make([k, n], 2)];
      return {...passes('forward', {}, () => ({y: matmul(a, b)})), ...matmulWork(work)};
    }
    case 'adamw':
      return prepareAdamw(work, make, device);
    case 'trainingStep':
      break;
  }
  return prepareTraining(work, make, device);
}

function prepareAttention(
  {tokens, heads, headDim, dtype, pass}: CaseOf<'attention'>,
  make: Make,
  device: Device,
): Work {
  const shape = [tokens, heads, headDim];
  const [q, k, v] = [leaf(make(shape, 1)), leaf(make(shape, 2)), leaf(make(shape, 3))];
  const segmentStarts = tensor(Int32Array.of(0, tokens), {device});
  const work = attentionWork({queries: [tokens], heads, headDim, dtype});
  const forward = (): Results => ({out: attention(q, k, v, {segmentStarts})});
  return {
    ...passes(pass, {dq: q, dk: k, dv: v}, forward, make(shape, 4)),
    flops: work.forward.flops + (pass === 'both' ? work.backward.flops : 0),
  };
}

function prepareContrastive({pairs, features, dtype, pass}: CaseOf<'contrastive'>, make: Make): Work {
  const [x, y] = [leaf(make([pairs, features], 1)), leaf(make([pairs, features], 2))];
  const work = contrastiveWork({pairs, features, dtype});
  return {
    ...passes(pass, {dx: x, dy: y}, () => ({loss: contrastive(x, y, {temperature: 0.05})})),
    flops: work.forward.flops + work.backward.flops,
  };
}

function prepareLinearCrossEntropy(work: CaseOf<'linearCrossEntropy'>, make: Make, device: Device): Work {
  const {tokens, features, vocab} = work;
  const hidden = leaf(make([tokens, features], 1));
  // Logits of variance 1. With larger ones the probabilities of a peer are subnormal numbers, on which its products are a hundred times
  // slower.
  const weight = leaf(make([vocab, features], 2, {std: features ** -0.5}));
  const targets = tensor(tokenIds(tokens, vocab), {device});
  const forward = (): Results => ({loss: linearCrossEntropy(hidden, weight, targets).loss});
  return {
    ...passes(work.pass, {dHidden: hidden, dWeight: weight}, forward),
    flops: linearCrossEntropyWork(work).withGradients.flops,
  };
}

function prepareRmsNorm({tokens, features, pass}: CaseOf<'rmsNorm'>, make: Make): Work {
  const [x, weight] = [leaf(make([tokens, features], 1)), leaf(make([features], 2))];
  return {
    ...passes(pass, {dx: x, dWeight: weight}, () => ({y: rmsNorm(x, weight)}), make([tokens, features], 3)),
    bytes: 5 * x.bytes, // x and y, then dy, x and dx
  };
}

type Results = Readonly<Record<string, Tensor>>;

/** One pass or both. @param leaves by the names of their gradients */
function passes(
  pass: WorkCase['pass'],
  leaves: Results,
  forward: () => Results,
  seed?: Tensor,
): Pick<Work, 'clear' | 'results' | 'run'> {
  const clear = (): void => clearGradients(Object.values(leaves));
  if (pass === 'forward') {
    const results = (): Results => noGrad(forward);
    return {run: results, results, clear};
  }
  const run = (): Results => {
    clear();
    const results = forward();
    for (const each of Object.values(results)) backward(each, seed);
    return results;
  };
  return {run, results: () => ({...run(), ...gradientsOf(leaves)}), clear};
}

function gradientsOf(leaves: Results): Results {
  return Object.fromEntries(
    Object.entries(leaves).map(([name, each]) => {
      const found = gradient(each);
      if (found === undefined) throw new Error(`there is no ${name}`);
      return [name, found];
    }),
  );
}

const leaf = requireGradient;

function prepareAdamw({weights}: CaseOf<'adamw'>, make: Make, device: Device): Work {
  const weight = make([weights], 1);
  const options = {
    parameters: [weight],
    gradients: [make([weights], 2, {dtype: 'float32'})],
    masters: [make([weights], 1, {dtype: 'float32'})],
    firstMoments: [zeros([weights], {device})],
    secondMoments: [zeros([weights], {device})],
    weightDecays: [0.1],
    ...adam,
    learningRate: 1e-3,
    step: 1,
  };
  const run = (): void => adamw(options);
  const results = (): Results => {
    run();
    return {weight};
  };
  // 28 of float32 state and gradient, 2 of the weight in bfloat16.
  return {run, results, clear() {}, bytes: 30 * weights};
}

/** A whole step of training a Llama-style model: next-token loss, gradients, clipping, AdamW. */
function prepareTraining(work: CaseOf<'trainingStep'>, make: Make, device: Device): Work {
  const {tokens, segment, vocab, dtype, ...sizes} = work;
  const decoder = createDecoder(shapeOf(work), {seed: 1, dtype, device});
  for (const [index, {tensor: parameter, decays}] of decoder.parameters.entries())
    if (decays) parameter.copyFrom(make(parameter.shape, index + 1, {std: recipe.weightStd}));
  const leaves = decoder.parameters.map((parameter) => parameter.tensor);
  const optimizer = createOptimizer(decoder.parameters, {
    ...adam,
    weightDecay: recipe.weightDecay,
    clipNorm: recipe.clipNorm,
  });
  const segments = Math.ceil(tokens / segment);
  const ids = tokenIds(tokens, vocab);
  const segmentStarts = Int32Array.from({length: segments + 1}, (_, s) => Math.min(tokens, s * segment));
  const input = decoderInput({tokens: ids, positions: ids.map((_, t) => t % segment), segmentStarts}, device);
  const targets = tensor(tokenIds(tokens, vocab, 1), {device});
  let step = 0;
  const run = (): Tensor => {
    clearGradients(leaves);
    const {loss} = linearCrossEntropy(decoder.forward(input).hidden, decoder.head, targets);
    backward(loss);
    const gradients = leaves.map((each) => gradient(each));
    const norm = optimizer.gradientNorm(gradients);
    optimizer.update({step: ++step, learningRate: recipe.learningRate, norm, gradients});
    return loss;
  };
  return {
    run,
    results: () =>
      Object.fromEntries(
        Array.from({length: comparedSteps}, (_, index) => [`loss of step ${index + 1}`, run()]),
      ),
    clear: () => clearGradients(leaves),
    tokens,
    // 6 for each weight that multiplies and each token (the embedding only looks up), and attention.
    flops:
      6 * (decoder.parameterCount - vocab * sizes.features) * tokens +
      sizes.layers * attentionFlops(segmentStarts, sizes),
  };
}

function shapeOf({
  segment,
  vocab,
  layers,
  features,
  heads,
  hiddenFeatures,
}: CaseOf<'trainingStep'>): DecoderShape {
  return {
    layers,
    features,
    heads,
    kvHeads: heads,
    headDim: features / heads,
    hiddenFeatures,
    context: segment,
    ropeTheta: recipe.ropeTheta,
    normEps: recipe.normEps,
    tiedHead: false,
    vocabSize: vocab,
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
