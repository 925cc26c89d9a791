/**
 * A training loop of one's own: modules as plain functions over ops, the optimizer of crossmap, weights as safetensors.
 *
 * The model guesses the next letter from the three before it. What is here is all there is to it: no base class, no
 * registry; a module is its parameters and a function.
 */
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {backward, clearGradients, gradient, requireGradient} from 'crossmap/autograd';
import {writeSafetensors} from 'crossmap/formats';
import type {Parameter} from 'crossmap/nn';
import {embedding, linear, linearCrossEntropy, normal, reshape, rmsNorm, silu} from 'crossmap/ops';
import {full, scope, tensor, type Tensor} from 'crossmap/tensor';
import {createOptimizer, learningRateAt} from 'crossmap/train';

const text = 'the cat sat on the mat and the rat sat on the cat while the dog slept on the mat '.repeat(8);
const letters = [...new Set(text)].sort();
const [context, features, hidden] = [3, 16, 64];

/** What a model is trained with: its parameters, and the loss of a batch. */
interface Model {
  readonly parameters: readonly Parameter[];
  readonly loss: (contexts: Tensor, targets: Tensor) => Tensor;
}

function createModel(): Model {
  const parameters: Parameter[] = [];
  const weight = (name: string, shape: readonly number[]): Tensor => {
    const std = 1 / Math.sqrt(shape.at(-1) ?? 1);
    const made = requireGradient(normal(shape, {seed: 1, offset: parameters.length, std}));
    parameters.push({name, tensor: made, decays: true});
    return made;
  };
  const table = weight('letters', [letters.length, features]);
  const up = weight('up', [hidden, context * features]);
  const head = weight('head', [letters.length, hidden]);
  const norm = requireGradient(full([hidden], 1));
  parameters.push({name: 'norm', tensor: norm, decays: false});
  return {
    parameters,
    loss(contexts, targets) {
      const joined = reshape(embedding(table, contexts), [-1, context * features]);
      const states = rmsNorm(silu(linear(joined, up)), norm);
      return linearCrossEntropy(states, head, targets).loss; // never makes the matrix [tokens, letters]
    },
  };
}

/** Every place of the text: the letters before it, and the letter itself. */
function examples(): {readonly contexts: Int32Array; readonly targets: Int32Array} {
  const ids = Array.from(text, (letter) => letters.indexOf(letter));
  const places = Array.from({length: ids.length - context}, (_, place) => place);
  return {
    contexts: Int32Array.from(places.flatMap((place) => ids.slice(place, place + context))),
    targets: Int32Array.from(places.map((place) => ids[place + context] ?? 0)),
  };
}

const model = createModel();
const {contexts, targets} = examples();
const batch = {contexts: tensor(contexts), targets: tensor(targets)};
const schedule = {
  steps: 60,
  warmupSteps: 5,
  schedule: 'cosine',
  learningRate: 0.02,
  minLearningRateRatio: 0.1,
  decayShare: 0.2,
} as const;
const optimizer = createOptimizer(model.parameters, {
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
});
const leaves = model.parameters.map((parameter) => parameter.tensor);

for (let step = 1; step <= schedule.steps; step++) {
  const loss = scope(() => {
    const loss = model.loss(batch.contexts, batch.targets);
    backward(loss);
    const gradients = leaves.map(gradient);
    const norm = optimizer.gradientNorm(gradients);
    optimizer.update({gradients, step, norm, learningRate: learningRateAt(step, schedule)});
    clearGradients(leaves);
    return loss;
  });
  // The step runs on while JavaScript goes on; only who reads waits.
  if (step % 20 === 0 || step === 1) console.log(`step ${step}: loss ${(await loss.item()).toFixed(3)}`);
  loss.dispose();
}

const file = join(tmpdir(), `letters-${process.pid}.safetensors`);
await writeSafetensors(
  file,
  model.parameters.map(({name, tensor: {shape}, tensor}) => ({
    name,
    dtype: 'float32',
    shape,
    data: async () => new Uint8Array((await tensor.floats()).buffer),
  })),
);
console.log(`weights: ${file}`);
