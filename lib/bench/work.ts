/**
 * What each op must do at least, in one place for all benches: floating-point operations of matrix products, and bytes of its tensors, each
 * read or written once. A product of [m, k] and [k, n] is 2 m n k operations. Statistics (`lse`, `rstd`) are counted; scalars,
 * positions and starts, which are less than a hundredth of the rest, are not.
 */
import {bytesOf, type FloatDType} from '../tensor/index.js';

/** The least work of one pass of an op. */
export interface Work {
  /** Floating-point operations of its matrix products. */
  readonly flops: number;
  /** Bytes to read and to write. */
  readonly bytes: number;
}

/** The two passes of an op with a gradient. */
export interface Passes {
  readonly forward: Work;
  readonly backward: Work;
}

const float32 = bytesOf('float32');

export interface AttentionSizes {
  /** Queries of each segment. */
  readonly queries: readonly number[];
  /** Keys of each segment, at least as many; default as the queries. */
  readonly keys?: readonly number[];
  readonly heads: number;
  readonly kvHeads?: number;
  readonly headDim: number;
  readonly dtype: FloatDType;
}

/** Pairs of a query and a key that it sees under a causal mask, where the queries of a segment are the last of its keys. */
export function causalPairs(queries: readonly number[], keys: readonly number[] = queries): number {
  return total(queries.map((count, s) => count * ((keys[s] ?? 0) - count) + (count * (count + 1)) / 2));
}

/**
 * Causal attention. For each pair of a query and a key that it sees, forward `q k` and `p v`: 4 headDim. Backward
 * the scores again, `dp`, `dv`, `dq` and `dk`: 10 headDim. Forward reads q, k, v and writes out and lse;
 * backward reads q, k, v, out, dOut and lse and writes dq, dk and dv.
 */
export function attentionWork(sizes: AttentionSizes): Passes {
  const {queries, keys = queries, heads, kvHeads = heads, headDim, dtype} = sizes;
  const products = causalPairs(queries, keys) * heads * headDim;
  const qBytes = total(queries) * heads * headDim * bytesOf(dtype);
  const kBytes = total(keys) * kvHeads * headDim * bytesOf(dtype);
  const lseBytes = total(queries) * heads * float32;
  return {
    forward: {flops: 4 * products, bytes: 2 * qBytes + 2 * kBytes + lseBytes},
    backward: {flops: 10 * products, bytes: 4 * qBytes + 4 * kBytes + lseBytes},
  };
}

export interface ContrastiveSizes {
  readonly pairs: number;
  readonly features: number;
  readonly dtype: FloatDType;
}

/**
 * The contrastive loss. One product of all pairs forward; backward the scores again and one product for each side: 8 pairs² features in
 * all. Forward reads x and y, backward reads them again and writes their gradients.
 */
export function contrastiveWork({pairs, features, dtype}: ContrastiveSizes): Passes {
  const product = 2 * pairs * pairs * features;
  const sideBytes = pairs * features * bytesOf(dtype);
  return {
    forward: {flops: product, bytes: 2 * sideBytes},
    backward: {flops: 3 * product, bytes: 4 * sideBytes},
  };
}

export interface LinearCrossEntropySizes {
  readonly tokens: number;
  readonly features: number;
  readonly vocab: number;
  readonly dtype: FloatDType;
}

/**
 * Linear cross-entropy. Logits alone are one product; with gradients, which the forward pass computes, it is three. A plan that stores no
 * logits computes them again, which makes four. Reads hidden and weight; writes dHidden in the dtype of hidden, and dWeight in float32.
 */
export function linearCrossEntropyWork(sizes: LinearCrossEntropySizes): {loss: Work; withGradients: Work} {
  const {tokens, features, vocab, dtype} = sizes;
  const product = 2 * tokens * features * vocab;
  const hidden = tokens * features;
  const weight = vocab * features;
  const read = (hidden + weight) * bytesOf(dtype);
  return {
    loss: {flops: product, bytes: read},
    withGradients: {flops: 3 * product, bytes: read + hidden * bytesOf(dtype) + weight * float32},
  };
}

export interface MatmulSizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly dtype: FloatDType;
}

/** [m, k] times [k, n]: both are read, the product is written. */
export function matmulWork({m, n, k, dtype}: MatmulSizes): Work {
  return {flops: 2 * m * n * k, bytes: bytesOf(dtype) * (m * k + k * n + m * n)};
}

/** An op without products that reads and writes so many bytes. */
export function memoryWork(bytes: number): Work {
  return {flops: 0, bytes};
}

/** RMSNorm: x and y, and rstd in float32; backward dy, x and dx, and dWeight. */
export function rmsNormWork(tokens: number, features: number, dtype: FloatDType): Passes {
  const bytes = tokens * features * bytesOf(dtype);
  const statistics = tokens * float32;
  return {
    forward: memoryWork(2 * bytes + statistics),
    backward: memoryWork(3 * bytes + statistics + features * float32),
  };
}

/** SwiGLU: gate, up and y; backward dy, gate, up, dGate and dUp. */
export function swigluWork(elements: number, dtype: FloatDType): Passes {
  const bytes = elements * bytesOf(dtype);
  return {forward: memoryWork(3 * bytes), backward: memoryWork(5 * bytes)};
}

/** Rotary embedding, either pass: x is read, y written. */
export function rotaryWork(elements: number, dtype: FloatDType): Work {
  return memoryWork(2 * elements * bytesOf(dtype));
}

/** Token embedding: a row is read and written for each token; backward a row is read for each, and the float32 table is written. */
export function embeddingWork(sizes: LinearCrossEntropySizes): Passes {
  const rows = sizes.tokens * sizes.features * bytesOf(sizes.dtype);
  return {
    forward: memoryWork(2 * rows),
    backward: memoryWork(rows + sizes.vocab * sizes.features * float32),
  };
}

/** Pooling of spans that cover all tokens: tokens and float32 vectors, in either direction. */
export function poolWork(tokens: number, spans: number, features: number, dtype: FloatDType): Work {
  return memoryWork(features * (tokens * bytesOf(dtype) + spans * float32));
}

/**
 * AdamW: gradient, moments and float32 weight are read, moments and weight written, 28 bytes; a weight of another dtype beside its master
 * is written too.
 */
export function adamwWork(weights: number, dtype: FloatDType): Work {
  return memoryWork(weights * (28 + (dtype === 'float32' ? 0 : bytesOf(dtype))));
}

/** Softmax along the last axis: x and y, and maximum and sum of each row. Backward dy, x, the statistics and dx. */
export function softmaxWork(rows: number, columns: number, dtype: FloatDType): Passes {
  const bytes = rows * columns * bytesOf(dtype);
  const statistics = 2 * rows * float32;
  return {
    forward: memoryWork(2 * bytes + statistics),
    backward: memoryWork(3 * bytes + statistics),
  };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
