/**
 * Attention with its gradients. Operations: two products forward and five backward, each 2 headDim per head and per pair of a query and
 * a key that it sees. The peer is the form with all scores in memory, from the ops that are not fused, on one head without a mask.
 */
import {backward, clearGradients, gradient, requireGradient} from '../../lib/autograd/index.js';
import {attention, matmul, normal, reshape, scale, softmax} from '../../lib/ops/index.js';
import {tensor, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';

interface Sizes {
  /** Tokens of each segment. */
  readonly segments: readonly number[];
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly dtype: FloatDType;
}

type Attend = (q: Tensor, k: Tensor, v: Tensor) => Tensor;

const forwardProducts = 2;
const allProducts = 7;

function causalPairs({segments}: Sizes): number {
  return segments.reduce((sum, tokens) => sum + (tokens * (tokens + 1)) / 2, 0);
}

function flopsOf(pairs: number, {heads, headDim}: Sizes, products: number): number {
  return products * 2 * headDim * heads * pairs;
}

function startsOf(lengths: readonly number[]): Tensor {
  let end = 0;
  return tensor(Int32Array.from([0, ...lengths.map((length) => (end += length))]));
}

function inputs({segments, heads, kvHeads, headDim, dtype}: Sizes): readonly [Tensor, Tensor, Tensor] {
  const tokens = segments.reduce((sum, length) => sum + length, 0);
  const made = (seed: number, count: number): Tensor =>
    requireGradient(normal([tokens, count, headDim], {seed, dtype}));
  return [made(1, heads), made(2, kvHeads), made(3, kvHeads)];
}

function forwardAndBackward(attend: Attend, leaves: readonly [Tensor, Tensor, Tensor]): void {
  clearGradients(leaves);
  const out = attend(...leaves);
  backward(out, out);
}

function trained(title: string, sizes: Sizes): BenchCase {
  const leaves = inputs(sizes);
  const segmentStarts = startsOf(sizes.segments);
  const {heads, headDim, dtype} = sizes;
  return {
    title: `forward and backward, causal, ${title}, ${heads} heads of ${headDim} ${dtype}`,
    ours: () => forwardAndBackward((q, k, v) => attention(q, k, v, {segmentStarts}), leaves),
    flops: flopsOf(causalPairs(sizes), sizes, allProducts),
    tokens: sizes.segments.reduce((sum, length) => sum + length, 0),
    materializedBytes: 2 * 4 * heads * Math.max(...sizes.segments) ** 2,
  };
}

/** One head without a mask: what the ops that are not fused can say too. */
function besideMaterialized(tokens: number): BenchCase {
  const sizes: Sizes = {segments: [tokens], heads: 1, kvHeads: 1, headDim: 64, dtype: 'float32'};
  const leaves = inputs(sizes);
  const segmentStarts = startsOf(sizes.segments);
  const fused: Attend = (q, k, v) => attention(q, k, v, {segmentStarts, mask: 'none'});
  const materialized: Attend = (q, k, v) => {
    const flat = [q, k, v].map((each) => reshape(each, [tokens, sizes.headDim]));
    const [rows = q, keys = k, values = v] = flat;
    const scores = scale(matmul(rows, keys, {transposeB: true}), 1 / Math.sqrt(sizes.headDim));
    return reshape(matmul(softmax(scores), values), q.shape);
  };
  const gradientsOf = async (attend: Attend): Promise<readonly Float32Array[]> => {
    forwardAndBackward(attend, leaves);
    return Promise.all(leaves.flatMap((leaf) => gradient(leaf)?.floats() ?? []));
  };
  return {
    title: `forward and backward, no mask, [${tokens}, 1, 64] float32`,
    ours: () => forwardAndBackward(fused, leaves),
    peer: {name: 'all scores in memory', run: () => forwardAndBackward(materialized, leaves)},
    flops: flopsOf(tokens * tokens, sizes, allProducts),
    materializedBytes: 2 * 4 * tokens * tokens,
    async check() {
      await checkClose(fused(...leaves), await materialized(...leaves).floats(), 1e-5);
      const wanted = await gradientsOf(materialized);
      for (const [index, got] of (await gradientsOf(fused)).entries())
        await checkClose(tensor(Float32Array.from(got)), wanted[index] ?? [], 1e-4);
    },
  };
}

/** One new token for each of several sequences, whose keys are in a cache. */
function decoding(sequences: number, cachedKeys: number): BenchCase {
  const shape: Sizes = {segments: [], heads: 8, kvHeads: 2, headDim: 64, dtype: 'float32'};
  const [heads, kvHeads, headDim] = [shape.heads, shape.kvHeads, shape.headDim];
  const q = normal([sequences, heads, headDim], {seed: 1});
  const k = normal([sequences * cachedKeys, kvHeads, headDim], {seed: 2});
  const v = normal([sequences * cachedKeys, kvHeads, headDim], {seed: 3});
  const segmentStarts = startsOf(Array.from({length: sequences}, () => 1));
  const keyStarts = startsOf(Array.from({length: sequences}, () => cachedKeys));
  return {
    title: `decoding, ${sequences} sequences with ${cachedKeys} keys, ${heads} heads on ${kvHeads} float32`,
    ours: () => attention(q, k, v, {segmentStarts, keyStarts}),
    flops: flopsOf(sequences * cachedKeys, shape, forwardProducts),
    bytes: k.bytes + v.bytes,
    tokens: sequences,
  };
}

const long = {segments: [2048], heads: 8, kvHeads: 8, headDim: 64} as const;
/** Sentences of 20 to 60 tokens. */
const short = {...long, segments: Array.from({length: 51}, (_, segment) => 20 + ((segment * 17) % 41))};

await runBench({
  name: 'ops/attention',
  cases: [
    besideMaterialized(256),
    besideMaterialized(2048),
    trained('2048 tokens', {...long, dtype: 'float32'}),
    trained('2048 tokens', {...long, dtype: 'bfloat16'}),
    trained('4096 tokens', {...long, segments: [4096], dtype: 'float32'}),
    trained('51 segments of 20 to 60 tokens', {...short, dtype: 'float32'}),
    decoding(16, 1024),
  ],
});
