/**
 * Beside TensorFlow.js: its tensors in and out, and the contrastive loss of crossmap as an op of tfjs with a gradient.
 *
 * Each library holds memory of its own, so one copy each way is what it takes, and all there is: the backend of tfjs in
 * plain JavaScript hands out the array that it holds, and keeps the array that it is given.
 */
// With the whole package these three are one: import * as tf from '@tensorflow/tfjs'.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // makes known the gradients of the ops
import {backward, clearGradients, gradient, requireGradient} from 'crossmap/autograd';
import {contrastive} from 'crossmap/ops';
import {scope, tensor, type Tensor} from 'crossmap/tensor';

const temperature = 0.1;

/** A tensor of tfjs as one of crossmap; both live on. */
function fromTf(x: tf.Tensor): Tensor {
  return tensor(x.dataSync<'float32'>(), {shape: x.shape});
}

/**
 * Symmetric InfoNCE of x and y [pairs, features], one fused op: a scalar that gradients and optimizers of tfjs go through.
 * Its memory is linear in pairs; the same loss in ops of tfjs makes matrices [pairs, pairs].
 */
const fusedLoss = tf.customGrad<tf.Scalar>((...inputs) => {
  const sides = inputs.filter((input) => input instanceof tf.Tensor);
  const {loss, gradients} = scope(() => {
    const [x, y] = sides.map((side) => requireGradient(fromTf(side)));
    if (x === undefined || y === undefined) throw new TypeError('fusedLoss takes x and y');
    const loss = contrastive(x, y, {temperature});
    backward(loss);
    const gradients = [gradient(x), gradient(y)].map((each) => each?.floatsSync());
    clearGradients([x, y]); // no scope frees those
    return {loss: tf.scalar(loss.floatsSync()[0] ?? NaN), gradients};
  });
  // Arrays and not tensors, which tfjs would dispose of at the end of this function.
  const gradFunc = (dLoss: tf.Tensor): tf.Tensor[] =>
    gradients.map((each, i) => tf.mul(tf.tensor(each ?? [], sides[i]?.shape), dLoss));
  return {value: loss, gradFunc};
});

/** The same loss in ops of tfjs. */
function plainLoss(x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const unit = (rows: tf.Tensor): tf.Tensor => tf.div(rows, tf.norm(rows, 2, 1, true));
  const scores = tf.div(tf.matMul(unit(x), unit(y), false, true), temperature);
  const own = tf.sum(tf.mul(scores, tf.eye(x.shape[0] ?? 0)), 1);
  const ways = [tf.logSumExp(scores, 1), tf.logSumExp(scores, 0)];
  return tf.div(tf.addN(ways.map((lse) => tf.mean(tf.sub(lse, own)))), 2);
}

type Loss = (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;

/** Largest difference of two lists of tensors, as a share of the largest value. */
function differenceOf(found: readonly tf.Tensor[], wanted: readonly tf.Tensor[]): number {
  const [a, b] = [found, wanted].map((all) => all.flatMap((each) => [...each.dataSync()]));
  if (a?.length !== b?.length) return Infinity;
  const largest = Math.max(...(b ?? []).map(Math.abs));
  return Math.max(...(a ?? []).map((value, i) => Math.abs(value - (b?.[i] ?? NaN)))) / largest;
}

const [pairs, features] = [40, 32];
const [x, y] = [
  tf.randomNormal([pairs, features], 0, 1, 'float32', 1),
  tf.randomNormal([pairs, features], 0, 1, 'float32', 2),
];

const [fused, plain] = [fusedLoss, plainLoss].map((loss: Loss) =>
  tf.valueAndGrads((x, y) => loss(x, tf.mul(y, 2)))([x, y]),
);
if (!fused || !plain) throw new Error('both losses have been computed');
const apart = differenceOf([fused.value, ...fused.grads], [plain.value, ...plain.grads]);
console.log(
  `loss ${fused.value.dataSync()[0]?.toFixed(4)}; values and gradients ${apart < 1e-5 ? 'are the same' : `differ by ${apart}`}`,
);

// An optimizer of tfjs trains a projection through the fused loss.
const projection = tf.variable(tf.randomNormal([features, features], 0, features ** -0.5, 'float32', 3));
const optimizer = tf.train.adam(0.02);
const losses = Array.from({length: 30}, () => {
  const loss = optimizer.minimize(() => tf.tidy(() => fusedLoss(tf.matMul(x, projection), y)), true);
  return loss?.dataSync()[0] ?? NaN;
});
console.log(`training through it: ${losses[0]?.toFixed(3)} to ${losses.at(-1)?.toFixed(3)}`);
