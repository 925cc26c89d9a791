/** Ops whose time goes into reading and writing their tensors. */
import {
  adamw,
  add,
  cast,
  embedding,
  globalNorm,
  pool,
  rmsNorm,
  rotary,
  softmax,
  sum,
  swiglu,
} from '../ops/index.js';
import {bytesOf, tensor, zeros, type Device, type Tensor} from '../tensor/index.js';
import {randomTensor} from './random-tensor.js';
import {bothPasses, differentiable, type BenchCase, type Stage} from './bench-case.js';
import {
  adamwWork,
  embeddingWork,
  memoryWork,
  poolWork,
  rmsNormWork,
  rotaryWork,
  softmaxWork,
  swigluWork,
} from './work.js';

const dtype = 'bfloat16';
const tokens = 256;
const features = 512;
const size = tokens * features;
const bytes = size * bytesOf(dtype);
const vocab = 1024;
const headDim = 64;
const spans = 7;

const shape = [tokens, features] as const;
const shapeText = `[${shape.join(', ')}] ${dtype}`;

/** Tensors to compute with on a device; each has its own numbers. */
function makerOf(device: Device): (shape: readonly number[], dtype?: 'float32' | 'bfloat16') => Tensor {
  let seed = 0;
  return (shape, dtype = 'bfloat16') => randomTensor(shape, {seed: ++seed, dtype, device});
}

const ints = (device: Device, length: number, at: (index: number) => number): Tensor =>
  tensor(
    Int32Array.from({length}, (_, index) => at(index)),
    {device},
  );

function adamwStages(device: Device): readonly Stage[] {
  const make = makerOf(device);
  const options = {
    parameters: [make([size])],
    gradients: [make([size], 'float32')],
    masters: [make([size], 'float32')],
    firstMoments: [zeros([size], {device})],
    secondMoments: [zeros([size], {device})],
    weightDecays: [0.1],
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    step: 1,
  };
  return [{name: 'step', work: adamwWork(size, dtype), run: () => adamw(options)}];
}

export const memoryCases: readonly BenchCase[] = [
  {op: 'adamw', shape: `${size} weights ${dtype}`, prepare: adamwStages},
  {
    op: 'cast',
    shape: `${shapeText} to float32`,
    prepare(device) {
      const x = makerOf(device)(shape);
      return [{name: 'forward', work: memoryWork(3 * bytes), run: () => cast(x, 'float32')}];
    },
  },
  {
    op: 'elementwise',
    shape: `add ${shapeText}`,
    prepare(device) {
      const make = makerOf(device);
      const [a, b] = [make(shape), make(shape)];
      return [{name: 'forward', work: memoryWork(3 * bytes), run: () => add(a, b)}];
    },
  },
  {
    op: 'embedding',
    shape: `table [${vocab}, ${features}], ${tokens} tokens ${dtype}`,
    prepare(device) {
      const make = makerOf(device);
      const table = differentiable(make([vocab, features]));
      // Some ids come twice and more, as in text.
      const ids = ints(device, tokens, (t) => (t * t) % vocab);
      const work = embeddingWork({tokens, features, vocab, dtype});
      return bothPasses(work, () => embedding(table, ids), make(shape));
    },
  },
  {
    op: 'global-norm',
    shape: `${size} elements float32`,
    prepare(device) {
      const x = makerOf(device)([size], 'float32');
      return [{name: 'forward', work: memoryWork(4 * size), run: () => globalNorm([x])}];
    },
  },
  {
    op: 'pool',
    shape: `${shapeText} to [${spans}, ${features}]`,
    prepare(device) {
      const make = makerOf(device);
      const hidden = differentiable(make(shape));
      const starts = ints(device, spans, (span) => Math.floor((span * tokens) / spans));
      const ends = ints(device, spans, (span) => Math.floor(((span + 1) * tokens) / spans));
      const work = poolWork(tokens, spans, features, dtype);
      const forward = (): Tensor => pool(hidden, starts, ends);
      return bothPasses({forward: work, backward: work}, forward, make([spans, features], 'float32'));
    },
  },
  {
    op: 'reduce',
    shape: `sum of rows ${shapeText}`,
    prepare(device) {
      const x = makerOf(device)(shape);
      return [{name: 'forward', work: memoryWork(bytes), run: () => sum(x, {axis: 'last'})}];
    },
  },
  {
    op: 'rms-norm',
    shape: shapeText,
    prepare(device) {
      const make = makerOf(device);
      const [x, weight] = [differentiable(make(shape)), differentiable(make([features]))];
      return bothPasses(rmsNormWork(tokens, features, dtype), () => rmsNorm(x, weight), make(shape));
    },
  },
  {
    op: 'rotary',
    shape: `[${tokens}, ${features / headDim}, ${headDim}] ${dtype}`,
    prepare(device) {
      const make = makerOf(device);
      const heads = [tokens, features / headDim, headDim];
      const x = differentiable(make(heads));
      const positions = ints(device, tokens, (t) => t);
      const half = headDim / 2;
      const angles = Float32Array.from({length: half}, (_, d) => 10_000 ** (-d / half));
      const frequencies = tensor(angles, {device});
      const work = rotaryWork(size, dtype);
      const forward = (): Tensor => rotary(x, positions, frequencies);
      return bothPasses({forward: work, backward: work}, forward, make(heads));
    },
  },
  {
    op: 'softmax',
    shape: shapeText,
    prepare(device) {
      const make = makerOf(device);
      const x = differentiable(make(shape));
      return bothPasses(softmaxWork(tokens, features, dtype), () => softmax(x), make(shape));
    },
  },
  {
    op: 'swiglu',
    shape: shapeText,
    prepare(device) {
      const make = makerOf(device);
      const [gate, up] = [differentiable(make(shape)), differentiable(make(shape))];
      return bothPasses(swigluWork(size, dtype), () => swiglu(gate, up), make(shape));
    },
  },
];
