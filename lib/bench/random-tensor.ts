/** Inputs of benches: made by the host, so that a device needs no op but the one that is looked at. */
import {tensor, type TensorOptions, type Tensor} from '../tensor/index.js';
import {randomValues, type RandomOptions} from './random-values.js';

/** A tensor of uniform numbers of mean 0. */
export function randomTensor(
  shape: readonly number[],
  {seed, std = 1, ...options}: TensorOptions & RandomOptions,
): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(randomValues(count, {seed, std}), {shape, ...options});
}
