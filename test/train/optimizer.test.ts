import test, {type ExecutionContext} from 'ava';
import {backward, clearGradients, gradient, requireGradient} from '../../lib/autograd/index.js';
import type {Parameter} from '../../lib/nn/index.js';
import {multiply} from '../../lib/ops/index.js';
import {tensor, type FloatDType} from '../../lib/tensor/index.js';
import {createOptimizer, type Gradients, type OptimizerOptions} from '../../lib/train/optimizer.js';
import {normalNumbers} from '../support/numbers.js';
import {closeTo, floatDTypes, onEachDevice, representable, type On} from '../support/ops.js';

const options: OptimizerOptions = {beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, clipNorm: 1};
const steps = 5;
const rates = [1e-2, 2e-2, 1.5e-2, 1e-2, 5e-3];

/** A parameter of the reference, float64. */
interface Reference {
  readonly decays: boolean;
  readonly values: number[];
  readonly first: number[];
  readonly second: number[];
}

/** Algorithm 2 of arXiv:1711.05101 with decay times learning rate, after clipping by the norm of all gradients. */
function referenceStep(
  parameters: readonly Reference[],
  gradients: readonly (readonly number[])[],
  step: number,
  {beta1, beta2, eps, weightDecay, clipNorm}: OptimizerOptions,
): number {
  const norm = Math.sqrt(gradients.flat().reduce((sum, g) => sum + g * g, 0));
  const factor = clipNorm === 'off' ? 1 : Math.min(1, clipNorm / norm);
  const rate = rates[step - 1]!;
  for (const [index, {decays, values, first, second}] of parameters.entries())
    for (const [i, gradient] of gradients[index]!.entries()) {
      const g = gradient * factor;
      first[i] = beta1 * first[i]! + (1 - beta1) * g;
      second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
      const update = first[i] / (1 - beta1 ** step) / (Math.sqrt(second[i] / (1 - beta2 ** step)) + eps);
      values[i]! -= rate * ((decays ? weightDecay : 0) * values[i]! + update);
    }
  return norm;
}

interface Kind {
  readonly name: string;
  readonly shape: readonly number[];
  readonly decays: boolean;
}

const kinds: readonly Kind[] = [
  {name: 'matrix', shape: [5, 7], decays: true},
  {name: 'norm', shape: [7], decays: false},
  {name: 'theta', shape: [], decays: false},
];

const sizeOf = ({shape}: Kind): number => shape.reduce((product, size) => product * size, 1);

/** Gives the parameter this gradient: that of the sum of products. */
function setGradient({tensor: parameter}: Parameter, gradient: readonly number[]): void {
  const {shape, dtype, device} = parameter;
  const product = multiply(parameter, tensor([...gradient], {shape, dtype, device}));
  backward(
    product,
    tensor(
      gradient.map(() => 1),
      {shape, dtype, device},
    ),
  );
}

function gradientsOf(parameters: readonly Parameter[]): Gradients {
  return parameters.map(({tensor: each}) => gradient(each));
}

async function compare(
  t: ExecutionContext,
  {device, dtype}: On,
  changed: Partial<OptimizerOptions>,
): Promise<void> {
  const all = {...options, ...changed};
  const start = kinds.map((kind, index) => representable(normalNumbers(sizeOf(kind), index + 1), dtype));
  const parameters = kinds.map(({name, shape, decays}, index): Parameter => ({
    name,
    decays,
    tensor: requireGradient(tensor([...start[index]!], {shape, dtype, device})),
  }));
  const references = start.map((values, index): Reference => ({
    decays: kinds[index]!.decays,
    values: [...values],
    first: values.map(() => 0),
    second: values.map(() => 0),
  }));
  const optimizer = createOptimizer(parameters, all);
  for (let step = 1; step <= steps; step++) {
    const gradients = kinds.map((kind, index) =>
      representable(normalNumbers(sizeOf(kind), 10 * step + index, step === 2 ? 1e-3 : 2), dtype),
    );
    for (const [index, parameter] of parameters.entries()) setGradient(parameter, gradients[index]!);
    const found = gradientsOf(parameters);
    const norm = optimizer.gradientNorm(found);
    optimizer.update({step, learningRate: rates[step - 1]!, norm, gradients: found});
    clearGradients(parameters.map(({tensor: each}) => each));
    const wanted = referenceStep(references, gradients, step, all);
    closeTo(t, [await norm.item()], [wanted], 1e-6 * wanted);
  }
  for (const [index, {name, values}] of references
    .map((each, i) => ({...each, name: kinds[i]!.name}))
    .entries()) {
    // Weights are of the order of 1 and take five float32 additions.
    const master = optimizer.state.get(`master.${name}`);
    closeTo(t, await (master ?? parameters[index]!.tensor).floats(), values, 2e-6);
    const rounded = representable([...(await (master ?? parameters[index]!.tensor).floats())], dtype);
    closeTo(t, await parameters[index]!.tensor.floats(), rounded, 0);
  }
  optimizer.dispose();
}

onEachDevice(floatDTypes, 'five steps agree with AdamW in float64, clipped', (t, on) => compare(t, on, {}));

onEachDevice(floatDTypes, 'five steps agree with AdamW in float64, not clipped', (t, on) =>
  compare(t, on, {clipNorm: 'off'}),
);

onEachDevice(['float32'], 'other betas, eps and decay agree too', (t, on) =>
  compare(t, on, {beta1: 0, beta2: 0.999, eps: 1e-2, weightDecay: 0.5, clipNorm: 0.01}),
);

test('the state has the moments of each parameter, and masters of those in half precision', (t) => {
  const names = (dtype: FloatDType): string[] => {
    const parameter = {name: 'w', decays: true, tensor: requireGradient(tensor([1, 2], {dtype}))};
    return [...createOptimizer([parameter], options).state.keys()];
  };
  t.deepEqual(names('float32'), ['firstMoment.w', 'secondMoment.w']);
  t.deepEqual(names('bfloat16'), ['firstMoment.w', 'secondMoment.w', 'master.w']);
});

onEachDevice(
  ['float32'],
  'a parameter that no gradient reached keeps its value but for the decay',
  async (t, on) => {
    const parameters = ['reached', 'left'].map((name): Parameter => ({
      name,
      decays: true,
      tensor: requireGradient(tensor([2], on)),
    }));
    const optimizer = createOptimizer(parameters, options);
    setGradient(parameters[0]!, [1]);
    const gradients = gradientsOf(parameters);
    const norm = optimizer.gradientNorm(gradients);
    optimizer.update({step: 1, learningRate: 0.5, norm, gradients});
    t.is(await norm.item(), 1);
    closeTo(t, await parameters[1]!.tensor.floats(), [2 - 0.5 * 0.1 * 2], 1e-6);
  },
);

onEachDevice(
  ['float32'],
  'a norm that is not finite leaves weights and moments as they were',
  async (t, on) => {
    const parameter = {name: 'w', decays: true, tensor: requireGradient(tensor([2], on))};
    const optimizer = createOptimizer([parameter], options);
    setGradient(parameter, [Infinity]);
    const gradients = gradientsOf([parameter]);
    const norm = optimizer.gradientNorm(gradients);
    optimizer.update({step: 1, learningRate: 0.5, norm, gradients});
    t.deepEqual([...(await parameter.tensor.floats())], [2]);
    t.deepEqual([...(await optimizer.state.get('firstMoment.w')!.floats())], [0]);
  },
);
