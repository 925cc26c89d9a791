/**
 * Attention beside its materialised form: scores, mask and softmax of each head as tensors of tokens x tokens. Operations: 4 headDim for each
 * pair of a query and a key that it sees in the forward pass, 10 in the backward pass, which computes the scores again.
 */
import {backward, clearGradients, noGrad, requireGradient} from '../../lib/autograd/index.js';
import {attentionWork, type Passes} from '../../lib/bench/index.js';
import {add, attention, cast, matmul, normal, scale, softmax} from '../../lib/ops/index.js';
import {tensor, type FloatDType, type Tensor} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const heads = 8;
const headDim = 64;

/** The share of the largest number that results may differ by: float32 sums, a rounding to bfloat16. */
const tolerances = {float32: 1e-5, bfloat16: 2e-2} as const;

type Benched = FloatDType & keyof typeof tolerances;

function seeded(shape: readonly number[], seed: number, dtype: FloatDType): Tensor {
  return cast(normal(shape, {seed}), dtype);
}

function startsOf(counts: readonly number[]): Tensor {
  const starts = Int32Array.from({length: counts.length + 1});
  for (const [s, count] of counts.entries()) starts[s + 1] = (starts[s] ?? 0) + count;
  return tensor(starts);
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/** Of the forward pass, or of the backward pass, over causal segments of as many keys as queries. */
const workOf = (queries: readonly number[], dtype: FloatDType): Passes =>
  attentionWork({queries, heads, headDim, dtype});

interface Inputs {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly dOut: Tensor;
}

function inputsOf(tokens: number, keyTokens: number, kvHeads: number, dtype: FloatDType): Inputs {
  const keyShape = [keyTokens, kvHeads, headDim];
  return {
    q: requireGradient(seeded([tokens, heads, headDim], 1, dtype)),
    k: requireGradient(seeded(keyShape, 2, dtype)),
    v: requireGradient(seeded(keyShape, 3, dtype)),
    dOut: seeded([tokens, heads, headDim], 4, dtype),
  };
}

/** The same numbers with the heads apart, as a materialised form likes them best. */
async function headsOf(x: Tensor): Promise<Tensor[]> {
  const elements = await x.floats();
  const [tokens = 0] = x.shape;
  return Array.from({length: heads}, (_, h) => {
    const own = Float32Array.from({length: tokens * headDim}, (_each, index) => {
      const token = Math.floor(index / headDim);
      return elements[(token * heads + h) * headDim + (index % headDim)] ?? NaN;
    });
    return cast(tensor(own, {shape: [tokens, headDim]}), x.dtype);
  });
}

/** One segment of `tokens`, with its materialised form. */
async function materialized(tokens: number, dtype: Benched): Promise<BenchCase[]> {
  const {q, k, v, dOut} = inputsOf(tokens, tokens, heads, dtype);
  const segmentStarts = startsOf([tokens]);
  const mask = cast(
    tensor(
      Float32Array.from({length: tokens * tokens}, (_, index) =>
        index % tokens > Math.floor(index / tokens) ? -Infinity : 0,
      ),
      {shape: [tokens, tokens]},
    ),
    dtype,
  );
  const [qs, ks, vs] = [
    (await headsOf(q)).map(requireGradient),
    (await headsOf(k)).map(requireGradient),
    (await headsOf(v)).map(requireGradient),
  ];
  const dOuts = await headsOf(dOut);
  const headOf = (of: readonly Tensor[], h: number): Tensor => of[h] ?? q;
  const plainHead = (h: number): Tensor => {
    const scores = matmul(scale(headOf(qs, h), 1 / Math.sqrt(headDim)), headOf(ks, h), {transposeB: true});
    return matmul(softmax(add(scores, mask)), headOf(vs, h));
  };
  const check = async (): Promise<void> => {
    const wanted = new Float32Array(tokens * heads * headDim);
    for (let h = 0; h < heads; h++) {
      const out = await noGrad(() => plainHead(h)).floats();
      for (const [index, value] of out.entries())
        wanted[(Math.floor(index / headDim) * heads + h) * headDim + (index % headDim)] = value;
    }
    await checkClose(
      noGrad(() => attention(q, k, v, {segmentStarts})),
      wanted,
      tolerances[dtype],
    );
  };
  const work = workOf([tokens], dtype);
  const materializedBytes = heads * tokens * tokens * 4;
  const shape = `[${tokens}, ${heads}, ${headDim}] ${dtype}`;
  return [
    {
      title: `forward ${shape}`,
      ours: () => noGrad(() => attention(q, k, v, {segmentStarts})),
      peer: {
        name: 'materialised',
        run() {
          noGrad(() => {
            for (let h = 0; h < heads; h++) plainHead(h);
          });
        },
      },
      flops: work.forward.flops,
      tokens,
      materializedBytes,
      check,
    },
    {
      title: `forward and backward ${shape}`,
      ours() {
        clearGradients([q, k, v]);
        backward(attention(q, k, v, {segmentStarts}), dOut);
      },
      peer: {
        name: 'materialised',
        run() {
          clearGradients([...qs, ...ks, ...vs]);
          for (let h = 0; h < heads; h++) backward(plainHead(h), headOf(dOuts, h));
        },
      },
      flops: work.forward.flops + work.backward.flops,
      tokens,
      materializedBytes,
    },
  ];
}

/** Forward and backward over segments, without a peer: what packing is for. */
function packed(title: string, counts: readonly number[], dtype: FloatDType): BenchCase {
  const tokens = total(counts);
  const work = workOf(counts, dtype);
  const {q, k, v, dOut} = inputsOf(tokens, tokens, heads, dtype);
  const segmentStarts = startsOf(counts);
  return {
    title: `forward and backward ${title} [${tokens}, ${heads}, ${headDim}] ${dtype}`,
    ours() {
      clearGradients([q, k, v]);
      backward(attention(q, k, v, {segmentStarts}), dOut);
    },
    flops: work.forward.flops + work.backward.flops,
    tokens,
    materializedBytes: heads * tokens * tokens * 4,
  };
}

/** One step of decoding: a query for each of 16 sequences with 512 cached keys. Bytes: keys and values. */
function decoding(kvHeads: number, dtype: FloatDType): BenchCase {
  const keys = Array.from({length: 16}, () => 512);
  const {q, k, v} = inputsOf(keys.length, total(keys), kvHeads, dtype);
  const segmentStarts = startsOf(keys.map(() => 1));
  const keyStarts = startsOf(keys);
  return {
    title: `decoding 16 x 512 keys, ${heads} heads on ${kvHeads} ${dtype}`,
    ours: () => noGrad(() => attention(q, k, v, {segmentStarts, keyStarts})),
    bytes: k.bytes + v.bytes,
    tokens: keys.length,
  };
}

const cases: BenchCase[] = [
  ...(await materialized(sized(2048, 128), 'float32')),
  ...(await materialized(sized(2048, 128), 'bfloat16')),
  // Extra memory doubles with the tokens, that of scores would grow fourfold.
  packed('one segment', [sized(4096, 256)], 'float32'),
  packed('one segment', [sized(8192, 512)], 'float32'),
  packed(
    'segments of 10',
    Array.from({length: sized(200, 8)}, () => 10),
    'float32',
  ),
  packed(
    'segments of 40',
    Array.from({length: sized(50, 4)}, () => 40),
    'float32',
  ),
  packed(
    'segments of 150',
    Array.from({length: sized(14, 2)}, () => 150),
    'float32',
  ),
  decoding(heads, 'float32'),
  decoding(heads, 'bfloat16'),
  decoding(2, 'float32'),
];

await runBench({name: 'ops/attention', cases});
