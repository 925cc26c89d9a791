/**
 * AdamW over the tensors of a model beside plain loops in TypeScript. Bytes of a float32 weight: gradient, moments and weight are read,
 * moments and weight written, 28; of a bfloat16 one 2 more.
 */
import {adamw, cast, type AdamwOptions} from '../../lib/ops/index.js';
import {tensor, zeros, type Tensor} from '../../lib/tensor/index.js';
import {runBench} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

// Eight layers of eight matrices and two norms, and a table: nine million weights, few and many to a tensor.
const sizes = [
  ...Array.from({length: 8}, () => [...Array.from({length: 8}, () => sized(1 << 16, 64)), 256, 256]).flat(),
  sized(1 << 22, 1 << 12),
];
const count = sizes.reduce((total, size) => total + size, 0);
const settings = {learningRate: 1e-3, beta1: 0.9, beta2: 0.95, eps: 1e-8, step: 1};
const weightDecay = 0.1;

const valuesOf = (size: number, phase: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({length: size}, (_, index) => Math.sin(index + phase));

const stateOf = (): AdamwOptions => ({
  ...settings,
  parameters: sizes.map((size) => tensor(valuesOf(size, 0))),
  gradients: sizes.map((size) => tensor(valuesOf(size, 1))),
  firstMoments: sizes.map((size) => zeros([size])),
  secondMoments: sizes.map((size) => zeros([size])),
  weightDecays: sizes.map(() => weightDecay),
});

const state = stateOf();
const halves: AdamwOptions = {
  ...stateOf(),
  masters: state.parameters,
  parameters: state.parameters.map((parameter) => cast(parameter, 'bfloat16')),
};

const plainState = sizes.map((size) => ({
  weights: valuesOf(size, 0),
  gradient: valuesOf(size, 1),
  first: new Float32Array(size),
  second: new Float32Array(size),
}));

function plain(): void {
  const {learningRate, beta1, beta2, eps, step} = settings;
  const rate = learningRate / (1 - beta1 ** step);
  const rootScale = 1 / Math.sqrt(1 - beta2 ** step);
  for (const {weights, gradient, first, second} of plainState)
    for (let at = 0; at < weights.length; at++) {
      const g = gradient[at] ?? NaN;
      const m = beta1 * (first[at] ?? NaN) + (1 - beta1) * g;
      const v = beta2 * (second[at] ?? NaN) + (1 - beta2) * g * g;
      first[at] = m;
      second[at] = v;
      const w = weights[at] ?? NaN;
      weights[at] = w - learningRate * weightDecay * w - (rate * m) / (Math.sqrt(v) * rootScale + eps);
    }
}

async function check(): Promise<void> {
  plain();
  adamw(state);
  const [ours, theirs] = [state.parameters.at(-1), plainState.at(-1)];
  if (ours === undefined || theirs === undefined) throw new Error('there are no parameters');
  const copy: Tensor = cast(ours, 'float32');
  await checkClose(copy, theirs.weights, 1e-6);
}

await runBench({
  name: 'ops/adamw',
  cases: [
    {
      title: `${sizes.length} tensors, ${count} weights, float32`,
      ours: () => adamw(state),
      peer: {name: 'loops in TypeScript', run: plain},
      bytes: count * 28,
      check,
    },
    {
      title: `${sizes.length} tensors, ${count} weights, bfloat16 with float32 masters`,
      ours: () => adamw(halves),
      bytes: count * 30,
    },
  ],
});
