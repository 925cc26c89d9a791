/**
 * Ops on small shapes in float32, one after another on one thread, for a program that counts instructions: scripts/instructions. A line of
 * JSON at the end: the instruction set, and what each kernel worked on.
 */
import {backward, clearGradients, requireGradient} from '../../lib/autograd/index.js';
import {randomTensor} from '../../lib/bench/index.js';
import {native} from '../../lib/native.js';
import {adamw, attention, contrastive, matmul, rmsNorm, softmax} from '../../lib/ops/index.js';
import {scope, setThreads, synchronize, tensor, zeros, type Tensor} from '../../lib/tensor/index.js';

interface InstructionCase {
  /** Of the tasks that are counted, as native code names them. Others are neglected. */
  readonly kernels: readonly string[];
  /** What they work on. */
  readonly shape: string;
  readonly run: () => void;
}

/** Of each case: what the first one allocates, the others find. */
const runs = 4;

let seed = 0;
const random = (...shape: readonly number[]): Tensor => randomTensor(shape, {seed: ++seed, device: 'cpu'});

/** A forward and a backward pass. The gradients are freed, so that no run adds to those of the run before. */
function bothPasses(forward: () => Tensor, leaves: readonly Tensor[], dy?: Tensor): () => void {
  for (const leaf of leaves) requireGradient(leaf);
  return () => {
    backward(forward(), dy);
    clearGradients(leaves);
  };
}

function matmulCase(): InstructionCase {
  // Whole micro-tiles and edges of them, in each direction.
  const [a, b] = [random(100, 130), random(130, 90)];
  return {kernels: ['matmul'], shape: '[100, 130] x [130, 90]', run: () => void matmul(a, b)};
}

function attentionCase(): InstructionCase {
  const [q, k, v, dy] = [random(200, 2, 64), random(200, 2, 64), random(200, 2, 64), random(200, 2, 64)];
  const segmentStarts = tensor(Int32Array.of(0, 60, 200), {device: 'cpu'});
  return {
    kernels: ['attention', 'attentionBackward'],
    shape: '2 segments, 60 and 140 tokens, 2 heads of 64',
    run: bothPasses(() => attention(q, k, v, {segmentStarts}), [q, k, v], dy),
  };
}

function rmsNormCase(): InstructionCase {
  const [x, weight, dy] = [random(128, 250), random(250), random(128, 250)];
  return {
    kernels: ['rmsNorm', 'rmsNormBackward'],
    shape: '[128, 250]',
    run: bothPasses(() => rmsNorm(x, weight), [x, weight], dy),
  };
}

function softmaxCase(): InstructionCase {
  const [x, dy] = [random(128, 250), random(128, 250)];
  return {
    kernels: ['softmax', 'softmaxBackward'],
    shape: '[128, 250]',
    run: bothPasses(() => softmax(x), [x], dy),
  };
}

function adamwCase(): InstructionCase {
  const weights = 32_003; // with a rest that no vector holds
  const options = {
    parameters: [random(weights)],
    gradients: [random(weights)],
    firstMoments: [zeros([weights], {device: 'cpu'})],
    secondMoments: [zeros([weights], {device: 'cpu'})],
    weightDecays: [0.1],
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.95,
    eps: 1e-8,
    step: 1,
  };
  return {kernels: ['adamw'], shape: `${weights} weights`, run: () => adamw(options)};
}

function contrastiveCase(): InstructionCase {
  const [x, y] = [random(150, 64), random(150, 64)];
  return {
    kernels: ['contrastive', 'contrastiveBackward'],
    shape: '150 pairs, 64 features',
    run: bothPasses(() => contrastive(x, y, {temperature: 0.05}), [x, y]),
  };
}

setThreads(1);
const cases = [matmulCase(), attentionCase(), rmsNormCase(), softmaxCase(), adamwCase(), contrastiveCase()];
for (const {run} of cases)
  for (let each = 0; each < runs; each++) {
    scope(run);
    await synchronize('cpu');
  }
const shapes = Object.fromEntries(
  cases.flatMap(({kernels, shape}) => kernels.map((kernel) => [kernel, `${shape} float32`] as const)),
);
console.log(JSON.stringify({instructionSet: native.cpuInfo().instructionSet, shapes}));
