/**
 * Ops of one's own in TypeScript: a forward and a backward function of tensors, put on the tape by `customOp`.
 *
 * `softplus` has a gradient that is cheaper and steadier than that of the ops inside. `reverseGradient` has one that no
 * composition of ops has: it is how a model is trained to hide the language of a sentence from a classifier.
 */
import {backward, customOp, gradient, requireGradient} from 'crossmap/autograd';
import {add, exp, log, maximum, multiply, negate, normal, scale, sigmoid, square, sum} from 'crossmap/ops';
import {scope, tensor, type Tensor} from 'crossmap/tensor';

/** `log(1 + e^x)`, which does not overflow for large x; the gradient is `sigmoid(x)`. */
const softplus = customOp({
  name: 'softplus',
  forward: (x: Tensor) => add(maximum(x, 0), log(add(exp(negate(maximum(x, negate(x)))), 1))),
  backward: ([dy], {inputs: [x]}) => [multiply(dy, sigmoid(x))],
  keeps: {outputs: false}, // the backward pass reads the input alone
});

/** `x` itself, whose gradient is turned around: what comes before learns to make worse what comes after. */
function reverseGradient(x: Tensor, strength: number): Tensor {
  return customOp({
    name: 'reverseGradient',
    forward: (x: Tensor) => x,
    backward: ([dy]) => [scale(dy, -strength)],
    keeps: {inputs: false, outputs: false},
  })(x);
}

/** `sum(softplus(x)²)`, at `x` moved by `step` in one element. */
async function lossNear(x: Float32Array, element: number, step: number): Promise<number> {
  const moved = x.map((value, i) => (i === element ? value + step : value));
  const loss = scope(() => sum(square(softplus(tensor(moved)))));
  return loss.item();
}

const x = requireGradient(normal([6], {seed: 3, std: 2}));
backward(sum(square(softplus(x))));
const [values, computed] = [await x.floats(), await gradient(x)?.floats()];

// Each element of the gradient beside the slope that two neighbouring values of the loss give.
const step = 0.01;
let largest = 0;
for (const [i, slope] of (computed ?? []).entries()) {
  const difference = (await lossNear(values, i, step)) - (await lossNear(values, i, -step));
  largest = Math.max(largest, Math.abs(difference / (2 * step) - slope));
}
console.log(`softplus at 1000: ${await softplus(tensor([1000])).item()}`);
console.log(`gradient and finite differences are ${largest < 0.01 ? 'the same' : `${largest} apart`}`);

const features = requireGradient(tensor([1, 2, 3]));
backward(sum(square(reverseGradient(features, 0.1))));
console.log(
  `reversed gradient of x²: ${Array.from((await gradient(features)?.floats()) ?? [], digits).join(' ')}`,
);

function digits(value: number): string {
  return value.toFixed(2);
}
