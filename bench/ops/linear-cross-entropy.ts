/**
 * Linear cross-entropy, forward and backward: three products of 2 tokens vocab features operations. The peer is the materialised form by
 * other means: logits and their gradients as tensors of their own, by `matmul` and a loop in TypeScript over the logits. What is held
 * besides is without the gradients: those of the run before are freed.
 */
import {backward, gradient, noGrad, requireGradient, clearGradients} from '../../lib/autograd/index.js';
import {linearCrossEntropyWork, type LinearCrossEntropySizes as Sizes} from '../../lib/bench/index.js';
import {native} from '../../lib/native.js';
import {linear, linearCrossEntropy, matmul, normal} from '../../lib/ops/index.js';
import {tensor, Tensor, type FloatDType} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

interface Inputs extends Sizes {
  readonly hidden: Tensor;
  readonly weight: Tensor;
  readonly ids: Int32Array<ArrayBuffer>;
  readonly targets: Tensor;
}

function inputsOf(sizes: Sizes): Inputs {
  const {tokens, features, vocab, dtype} = sizes;
  const ids = Int32Array.from({length: tokens}, (_, t) => (t * 7919) % vocab);
  return {
    ...sizes,
    hidden: requireGradient(normal([tokens, features], {seed: 1, dtype})),
    weight: requireGradient(normal([vocab, features], {seed: 2, std: features ** -0.5, dtype})),
    ids,
    targets: tensor(ids),
  };
}

function forwardAndBackward({hidden, weight, targets}: Inputs): void {
  clearGradients([hidden, weight]);
  backward(linearCrossEntropy(hidden, weight, targets).loss);
}

interface Gradients {
  readonly dHidden: Tensor;
  readonly dWeight: Tensor;
}

/** The form that the op avoids: all logits at once, and their gradients beside them. */
async function materialized({hidden, weight, ids, vocab, tokens, dtype}: Inputs): Promise<Gradients> {
  const logits = noGrad(() => linear(hidden, weight));
  const values = await logits.floats();
  logits.dispose();
  for (let t = 0; t < tokens; t++) {
    const row = values.subarray(t * vocab, (t + 1) * vocab);
    let most = -Infinity;
    for (const logit of row) most = Math.max(most, logit);
    let sum = 0;
    for (const logit of row) sum += Math.exp(logit - most);
    const lse = most + Math.log(sum);
    for (const [v, logit] of row.entries()) row[v] = Math.exp(logit - lse) / tokens;
    const target = ids[t] ?? 0;
    row[target] = (row[target] ?? 0) - 1 / tokens;
  }
  const dLogits = tensor(values, {shape: [tokens, vocab], dtype});
  const dHidden = noGrad(() => matmul(dLogits, weight));
  const dWeight = Tensor.fromNative(
    native.matmul(dLogits.native, hidden.native, {transposeA: true, dtype: 'float32'}),
  );
  dLogits.dispose();
  return {dHidden, dWeight};
}

/** Relative to the largest element: float32 sums, or roundings of logits and their gradients to the dtype. */
const tolerance: Readonly<Record<FloatDType, number>> = {
  float32: 2 ** -16,
  bfloat16: 2 ** -5,
  float16: 2 ** -7,
};

function lossCase(sizes: Sizes, {hasPeer = false} = {}): BenchCase {
  const inputs = inputsOf(sizes);
  const {tokens, features, vocab, dtype, hidden, weight} = inputs;
  const peer = {
    name: 'materialised, softmax in TypeScript',
    async run() {
      const {dHidden, dWeight} = await materialized(inputs);
      dHidden.dispose();
      dWeight.dispose();
    },
  };
  return {
    title: `[${tokens}, ${features}], vocab ${vocab} ${dtype}, forward and backward`,
    ours() {
      forwardAndBackward(inputs);
    },
    ...(hasPeer && {peer}),
    flops: linearCrossEntropyWork(sizes).withGradients.flops,
    materializedBytes: 2 * 4 * tokens * vocab, // logits and their gradients in float32
    async check() {
      if (!hasPeer) return;
      forwardAndBackward(inputs);
      const {dHidden, dWeight} = await materialized(inputs);
      const [wantedHidden, wantedWeight] = await Promise.all([dHidden.floats(), dWeight.floats()]);
      dHidden.dispose();
      dWeight.dispose();
      for (const [leaf, wanted] of [
        [hidden, wantedHidden],
        [weight, wantedWeight],
      ] as const) {
        const found = gradient(leaf);
        if (found === undefined) throw new Error('a gradient is missing');
        await checkClose(Tensor.fromNative(found.native.retain()), wanted, tolerance[dtype]);
      }
    },
  };
}

function forwardCase(sizes: Sizes): BenchCase {
  const {tokens, features, vocab, dtype, hidden, weight, targets} = inputsOf(sizes);
  return {
    title: `[${tokens}, ${features}], vocab ${vocab} ${dtype}, forward alone`,
    ours: () => noGrad(() => linearCrossEntropy(hidden, weight, targets)),
    flops: linearCrossEntropyWork(sizes).loss.flops,
    materializedBytes: 4 * tokens * vocab,
  };
}

const large = {tokens: sized(2048, 64), features: sized(512, 64), vocab: sized(32_000, 512)};

await runBench({
  name: 'ops/linear-cross-entropy',
  cases: [
    lossCase(
      {tokens: sized(256, 32), features: sized(128, 64), vocab: sized(8192, 512), dtype: 'float32'},
      {hasPeer: true},
    ),
    lossCase({...large, dtype: 'float32'}),
    lossCase({...large, dtype: 'bfloat16'}),
    lossCase({...large, tokens: 2 * large.tokens, dtype: 'float32'}),
    forwardCase({...large, dtype: 'float32'}),
  ],
});
