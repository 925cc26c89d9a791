/**
 * Launches the kernels on the emulator with the widths of a model of 2048 features, and prints as JSON in which shapes they were launched:
 * what scripts/cuda computes occupancy for. Rows are few, since no block's shared memory depends on them.
 */
import {backward, noGrad} from '../../lib/autograd/index.js';
import {differentiable} from '../../lib/bench/bench-case.js';
import {native} from '../../lib/native.js';
import {
  add,
  attention,
  clipScale,
  contrastive,
  embedding,
  globalNorm,
  linearCrossEntropy,
  logSoftmax,
  matmul,
  max,
  multiply,
  normal,
  pool,
  rmsNorm,
  rotary,
  softmax,
  sum,
} from '../../lib/ops/index.js';
import {
  full,
  requireDevice,
  scope,
  synchronize,
  tensor,
  type FloatDType,
  type Tensor,
} from '../../lib/tensor/index.js';

const device = 'simt';
const features = 2048;
const vocab = 32_000;
const headDims = [32, 64, 96, 128, 192, 256];

type Launch = (make: Make) => void;

/** A tensor that needs a gradient. */
type Make = (shape: readonly number[], dtype?: FloatDType) => Tensor;

const ints = (...values: readonly number[]): Tensor => tensor(Int32Array.from(values), {device});

/** What needs no gradient. */
const constant = (x: Tensor): Tensor => noGrad(() => multiply(x, 1));

/** Forward and backward from a seed of the result's shape and dtype. */
function bothPasses(result: Tensor, make: Make): void {
  backward(result, make(result.shape, result.dtype === 'float32' ? 'float32' : undefined));
}

/** Segments of so many tokens take the largest tiles, of which a window leaves few; a single row of many keys is split among blocks. */
function launchAttention(make: Make): void {
  for (const headDim of headDims) {
    const [q, k, v] = [make([512, 1, headDim]), make([512, 1, headDim]), make([512, 1, headDim])];
    const sinks = differentiable(full([1], 0, {device}));
    bothPasses(attention(q, k, v, {segmentStarts: ints(0, 512), sinks, window: 16}), make);
  }
  const [q, k, v] = [make([1, 1, 64]), make([1024, 1, 64]), make([1024, 1, 64])];
  noGrad(() => attention(q, k, v, {segmentStarts: ints(0, 1), keyStarts: ints(0, 1024)}));
}

function launchContrastive(make: Make): void {
  const groups = ints(...Array.from({length: 8}, (_, pair) => pair >> 1));
  for (const groupMode of ['mask', 'positives'] as const) {
    const [x, y] = [make([8, features]), make([8, features])];
    const theta = differentiable(full([], 1, {device}));
    backward(contrastive(x, y, {temperature: theta, groups, groupMode}));
  }
}

/** The second vocabulary has more logits than are stored on the emulator; without the gradient of hidden, which costs most there. */
function launchLinearCrossEntropy(make: Make): void {
  const targets = ints(...Array.from({length: 32}, (_, t) => t));
  const one = full([], 1, {device});
  const hidden = make([32, 16]);
  for (const [input, words] of [
    [hidden, 256],
    [constant(hidden), 70_000],
  ] as const)
    backward(linearCrossEntropy(input, make([words, 16]), targets).loss, one);
}

/** Tiles of 128 and of 64, all layouts, and parts of the depth. */
function launchMatmul(make: Make): void {
  for (const size of [256, 64])
    for (const transposeA of [false, true])
      for (const transposeB of [false, true])
        noGrad(() => matmul(make([size, size]), make([size, size]), {transposeA, transposeB}));
  noGrad(() => matmul(make([64, 2048]), make([2048, 64])));
}

/** Rows whose features fill whole accesses of 16 bytes, and rows that do not. */
function launchRows(make: Make): void {
  for (const width of [features, features - 1]) {
    const rows = [4, width];
    bothPasses(rmsNorm(make(rows), make([width])), make);
    bothPasses(embedding(make([16, width]), ints(0, 3, 3, 15)), make);
    bothPasses(pool(make(rows), ints(0), ints(4), {normalize: true}), make);
    bothPasses(add(make(rows), make([width])), make);
    bothPasses(multiply(make(rows), make([])), make);
    for (const op of [sum, max]) {
      bothPasses(op(make(rows), {axis: 'last'}), make);
      bothPasses(op(make([16, width])), make);
    }
  }
  for (const words of [vocab, vocab - 1])
    for (const op of [softmax, logSoftmax]) bothPasses(op(make([2, words])), make);
  // 128 of a head fill whole accesses of either half, 126 do not.
  for (const headDim of [128, 126]) {
    const frequencies = full([headDim / 2], 1, {device});
    bothPasses(rotary(make([4, 16, headDim]), ints(0, 1, 2, 3), frequencies), make);
  }
}

/** Without gradients, and in float32 alone. */
function launchNorm(): void {
  clipScale(globalNorm([normal([4, features], {seed: 1, device})]), 1);
}

const launches: readonly Launch[] = [
  launchAttention,
  launchContrastive,
  launchLinearCrossEntropy,
  launchMatmul,
  launchRows,
];

requireDevice(device);
native.simtProfile(true);
launchNorm();
for (const dtype of ['float32', 'float16', 'bfloat16'] as const)
  for (const launch of launches) {
    scope(() => {
      launch((shape, of = dtype) => differentiable(normal(shape, {seed: 1, dtype: of, device})));
    });
    await synchronize(device);
  }
console.log(JSON.stringify(native.simtLaunchShapes()));
