/** Matrix products: 2 m n k operations. The peer is a loop in TypeScript, on the sizes where it ends in time. */
import {native} from '../../lib/native.js';
import {linear, matmul, normal} from '../../lib/ops/index.js';
import {Tensor, bytesOf, type FloatDType} from '../../lib/tensor/index.js';
import {runBench, type BenchCase} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly dtype: FloatDType;
}

/** Relative to the largest element: float32 sums, or one rounding to the dtype. */
const tolerance: Readonly<Record<FloatDType, number>> = {
  float32: 2 ** -18,
  bfloat16: 2 ** -8,
  float16: 2 ** -11,
};

function product({m, n, k, dtype}: Sizes): BenchCase {
  const a = normal([m, k], {seed: 1, dtype});
  const b = normal([k, n], {seed: 2, dtype});
  return {
    title: `matmul [${m}, ${k}] x [${k}, ${n}] ${dtype}`,
    ours: () => matmul(a, b),
    flops: 2 * m * n * k,
    bytes: bytesOf(dtype) * (m * k + k * n + m * n),
    check: () => checkRows(matmul(a, b), a, b, {m, n, k, dtype}),
  };
}

/** The products of a linear layer's backward pass, or of its forward pass for one token. */
function layer(tokens: number, inSize: number, outSize: number, dtype: FloatDType): readonly BenchCase[] {
  const x = normal([tokens, inSize], {seed: 1, dtype});
  const weight = normal([outSize, inSize], {seed: 2, dtype});
  const dy = normal([tokens, outSize], {seed: 3, dtype});
  const flops = 2 * tokens * inSize * outSize;
  const title = `[${tokens}, ${inSize}], weight [${outSize}, ${inSize}] ${dtype}`;
  const dWeight = (): Tensor =>
    Tensor.fromNative(native.matmul(dy.native, x.native, {transposeA: true, dtype: 'float32'}));
  return [
    {title: `linear ${title}`, ours: () => linear(x, weight), flops},
    {title: `dx of linear ${title}`, ours: () => matmul(dy, weight), flops},
    {title: `dWeight of linear ${title}`, ours: dWeight, flops},
  ];
}

/** float32 on sizes that the loop of `multiply` ends in time for. */
function besideLoop(size: number): BenchCase {
  const sizes: Sizes = {m: size, n: size, k: size, dtype: 'float32'};
  const {check, ...rest} = product(sizes);
  const a = Float32Array.from({length: size * size}, (_, index) => Math.sin(index));
  const b = Float32Array.from({length: size * size}, (_, index) => Math.cos(index));
  const peer = {name: 'a loop in TypeScript', run: () => multiply(a, b, sizes)};
  return {...rest, peer, ...(check !== undefined && {check})};
}

/** Rows of b are added up, so that the inner loop runs along memory. */
function multiply(a: Float32Array, b: Float32Array, {m, n, k}: Sizes): Float32Array {
  const c = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l] ?? 0;
      for (let j = 0; j < n; j++) c[i * n + j] = (c[i * n + j] ?? 0) + factor * (b[l * n + j] ?? 0);
    }
  return c;
}

/** Compares three rows of the product, the first, a middle one and the last, with sums in float64. */
async function checkRows(y: Tensor, a: Tensor, b: Tensor, {m, n, k, dtype}: Sizes): Promise<void> {
  const rows = [...new Set([0, m >> 1, m - 1])];
  const [left, right] = await Promise.all([a.floats(), b.floats()]);
  for (const row of rows) {
    const wanted = new Float64Array(n);
    for (let l = 0; l < k; l++)
      for (let j = 0; j < n; j++)
        wanted[j] = (wanted[j] ?? 0) + (left[row * k + l] ?? 0) * (right[l * n + j] ?? 0);
    await checkClose(y.rows(row, row + 1), wanted, tolerance[dtype]);
  }
  y.dispose();
}

const side = sized(2048, 128);

await runBench({
  name: 'ops/matmul',
  cases: [
    besideLoop(sized(256, 64)),
    product({m: side, n: side, k: side, dtype: 'float32'}),
    product({m: side, n: side, k: side, dtype: 'bfloat16'}),
    product({m: side, n: side, k: side, dtype: 'float16'}),
    product({m: 64, n: 64, k: sized(16_384, 1024), dtype: 'float32'}),
    ...layer(side, sized(768, 96), side, 'float32'),
    ...layer(side, sized(768, 96), side, 'bfloat16'),
    ...layer(1, sized(768, 96), side, 'float32'),
  ],
});
