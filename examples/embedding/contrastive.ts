/**
 * Contrastive loss on embeddings that come from elsewhere: arrays in, the loss and the gradient of each embedding out.
 *
 * The encoder may be anything that can go on from the gradient of what it gave. Here it is two matrices in plain
 * JavaScript, one for each language.
 */
import {backward, gradient, requireGradient} from 'crossmap/autograd';
import {cosinesOf, precisionAt1} from 'crossmap/eval';
import {contrastive} from 'crossmap/ops';
import {scope, tensor} from 'crossmap/tensor';

const [pairs, inputs, features] = [48, 24, 16];

/** What an encoder gets back. */
interface LossAndGradients {
  /** Nats per pair. */
  readonly loss: number;
  /** [pairs, features] row-major: the gradient of the loss with respect to `x`. */
  readonly dx: Float32Array;
  readonly dy: Float32Array;
}

/** @param x, y [pairs, features] row-major; row i of one is a translation of row i of the other */
async function contrast(x: Float32Array, y: Float32Array): Promise<LossAndGradients> {
  const shape = [pairs, features];
  const results = scope(() => {
    const [a, b] = [requireGradient(tensor(x, {shape})), requireGradient(tensor(y, {shape}))];
    const loss = contrastive(a, b, {temperature: 0.1});
    backward(loss);
    return {loss, dx: gradient(a), dy: gradient(b)};
  });
  const [dx, dy] = [await results.dx?.floats(), await results.dy?.floats()];
  const loss = await results.loss.item();
  for (const each of Object.values(results)) each?.dispose();
  if (!dx || !dy) throw new Error('both sides are leaves of the loss: both have a gradient');
  return {loss, dx, dy};
}

/** One language of a made-up encoder: `embedding = weights · input`. */
class Encoder {
  /** [features, inputs] */
  readonly #weights: Float32Array;

  constructor(seed: number) {
    this.#weights = Float32Array.from({length: features * inputs}, (_, k) => Math.sin(seed * (k + 1) ** 2));
  }

  /** @param x [pairs, inputs] @returns [pairs, features] */
  encode(x: Float32Array): Float32Array {
    return product(x, this.#weights, {rows: pairs, inner: inputs, columns: features});
  }

  /** A step down the gradient of the embeddings. @param dx [pairs, features] */
  learn(x: Float32Array, dx: Float32Array, rate: number): void {
    for (let f = 0; f < features; f++)
      for (let i = 0; i < inputs; i++) {
        let slope = 0;
        for (let p = 0; p < pairs; p++) slope += (dx[p * features + f] ?? 0) * (x[p * inputs + i] ?? 0);
        const at = f * inputs + i;
        this.#weights[at] = (this.#weights[at] ?? 0) - rate * slope;
      }
  }
}

/** `y[r,c] = sum_i a[r,i] b[c,i]` */
function product(
  a: Float32Array,
  b: Float32Array,
  {rows, inner, columns}: {readonly rows: number; readonly inner: number; readonly columns: number},
): Float32Array {
  return Float32Array.from({length: rows * columns}, (_, k) => {
    const [r, c] = [Math.floor(k / columns), k % columns];
    let sum = 0;
    for (let i = 0; i < inner; i++) sum += (a[r * inner + i] ?? 0) * (b[c * inner + i] ?? 0);
    return sum;
  });
}

// The same meanings in two languages, which order what they say differently.
const source = Float32Array.from({length: pairs * inputs}, (_, k) => Math.sin(12.9898 * (k + 1) ** 1.5));
const target = source.map(
  (_, k) => source[Math.floor(k / inputs) * inputs + (inputs - 1 - (k % inputs))] ?? 0,
);
const [encodeSource, encodeTarget] = [new Encoder(0.7), new Encoder(1.3)];

for (let step = 0; step <= 60; step++) {
  const [x, y] = [encodeSource.encode(source), encodeTarget.encode(target)];
  const {loss, dx, dy} = await contrast(x, y);
  if (step % 20 === 0) {
    const [found] = precisionAt1(cosinesOf({x, y}, features), pairs);
    console.log(
      `step ${step}: loss ${loss.toFixed(3)}, ${(100 * found).toFixed(0)} % find their translation`,
    );
  }
  encodeSource.learn(source, dx, 1);
  encodeTarget.learn(target, dy, 1);
}
