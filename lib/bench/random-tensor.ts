/** Inputs of benches: made by the host, so that a device needs no op but the one that is looked at. */
import {tensor, type TensorOptions, type Tensor} from '../tensor/index.js';

/** Uniform numbers of mean 0. @param std standard deviation */
export function randomTensor(
  shape: readonly number[],
  {seed, std = 1, ...options}: TensorOptions & {readonly seed: number; readonly std?: number},
): Tensor {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  let state = seed;
  for (let index = 0; index < values.length; index++) {
    // The generator of Numerical Recipes, section 7.1: x' = 1664525 x + 1013904223 modulo 2^32.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    values[index] = (state / 2 ** 31 - 1) * Math.sqrt(3) * std;
  }
  return tensor(values, {shape, ...options});
}
