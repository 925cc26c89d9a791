/** Ops whose time goes into matrix products. Shapes are bfloat16, as models are trained, and a few to see a limit: long, packed, float32. */
import {attention, contrastive, linearCrossEntropy, matmul} from '../ops/index.js';
import {tensor, type Device, type FloatDType, type Tensor} from '../tensor/index.js';
import {randomTensor} from './random-tensor.js';
import {bothPasses, differentiable, type BenchCase} from './bench-case.js';
import {
  attentionWork,
  contrastiveWork,
  linearCrossEntropyWork,
  matmulWork,
  type AttentionSizes,
  type ContrastiveSizes,
  type LinearCrossEntropySizes,
  type MatmulSizes,
} from './work.js';

function leaf(shape: readonly number[], seed: number, device: Device, dtype: FloatDType): Tensor {
  return differentiable(randomTensor(shape, {seed, dtype, device}));
}

function attentionCase(name: string, sizes: AttentionSizes): BenchCase {
  const {queries, heads, kvHeads = heads, headDim, dtype} = sizes;
  const starts = [0];
  for (const count of queries) starts.push((starts.at(-1) ?? 0) + count);
  const tokens = starts.at(-1) ?? 0;
  return {
    op: 'attention',
    shape: `${name} [${tokens}, ${heads}${kvHeads === heads ? '' : ` on ${kvHeads}`}, ${headDim}] ${dtype}`,
    prepare(device) {
      const q = leaf([tokens, heads, headDim], 1, device, dtype);
      const k = leaf([tokens, kvHeads, headDim], 2, device, dtype);
      const v = leaf([tokens, kvHeads, headDim], 3, device, dtype);
      const seed = randomTensor([tokens, heads, headDim], {seed: 4, dtype, device});
      const segmentStarts = tensor(Int32Array.from(starts), {device});
      return bothPasses(attentionWork(sizes), () => attention(q, k, v, {segmentStarts}), seed);
    },
  };
}

function contrastiveCase(sizes: ContrastiveSizes): BenchCase {
  const {pairs, features, dtype} = sizes;
  return {
    op: 'contrastive',
    shape: `[${pairs}, ${features}] ${dtype}`,
    prepare(device) {
      const x = leaf([pairs, features], 1, device, dtype);
      const y = leaf([pairs, features], 2, device, dtype);
      return bothPasses(contrastiveWork(sizes), () => contrastive(x, y, {temperature: 0.05}), undefined);
    },
  };
}

function linearCrossEntropyCase(sizes: LinearCrossEntropySizes): BenchCase {
  const {tokens, features, vocab, dtype} = sizes;
  return {
    op: 'linear-cross-entropy',
    shape: `[${tokens}, ${features}], vocab ${vocab} ${dtype}`,
    prepare(device) {
      const inputs = (): [Tensor, Tensor] => [
        randomTensor([tokens, features], {seed: 1, dtype, device}),
        randomTensor([vocab, features], {seed: 2, std: features ** -0.5, dtype, device}),
      ];
      const ids = Int32Array.from({length: tokens}, (_, t) => (t * 7919) % vocab);
      const targets = tensor(ids, {device});
      const work = linearCrossEntropyWork(sizes);
      const [hidden, weight] = inputs();
      const leaves = inputs().map(differentiable);
      const [hiddenLeaf = hidden, weightLeaf = weight] = leaves;
      return [
        {name: 'forward', work: work.loss, run: () => linearCrossEntropy(hidden, weight, targets)},
        {
          name: 'forward with gradients',
          work: work.withGradients,
          run: () => linearCrossEntropy(hiddenLeaf, weightLeaf, targets),
        },
      ];
    },
  };
}

function matmulCase(sizes: MatmulSizes): BenchCase {
  const {m, n, k, dtype} = sizes;
  return {
    op: 'matmul',
    shape: `[${m}, ${k}] x [${k}, ${n}] ${dtype}`,
    prepare(device) {
      const a = randomTensor([m, k], {seed: 1, dtype, device});
      const b = randomTensor([k, n], {seed: 2, dtype, device});
      return [{name: 'forward', work: matmulWork(sizes), run: () => matmul(a, b)}];
    },
  };
}

/** 64 sentences of 20 to 200 tokens, spread evenly and in no order: 37 and 64 have no common factor. */
const sentences = Array.from({length: 64}, (_, s) => 20 + Math.round((((s * 37) % 64) * 180) / 63));

export const productCases: readonly BenchCase[] = [
  attentionCase('causal', {queries: [512], heads: 2, headDim: 64, dtype: 'bfloat16'}),
  attentionCase('causal', {queries: [512], heads: 2, kvHeads: 1, headDim: 128, dtype: 'bfloat16'}),
  attentionCase('causal', {queries: [256], heads: 2, headDim: 64, dtype: 'float32'}),
  attentionCase('causal', {queries: [4096], heads: 1, headDim: 64, dtype: 'bfloat16'}),
  attentionCase('64 sentences', {queries: sentences, heads: 1, headDim: 64, dtype: 'bfloat16'}),
  contrastiveCase({pairs: 512, features: 128, dtype: 'bfloat16'}),
  contrastiveCase({pairs: 256, features: 128, dtype: 'float32'}),
  linearCrossEntropyCase({tokens: 256, features: 128, vocab: 2048, dtype: 'bfloat16'}),
  linearCrossEntropyCase({tokens: 128, features: 128, vocab: 1024, dtype: 'float32'}),
  matmulCase({m: 256, n: 256, k: 256, dtype: 'bfloat16'}),
  matmulCase({m: 128, n: 128, k: 128, dtype: 'float32'}),
];
