/** Seeded random tensors: the same numbers on every device. */
import {native} from '../native.js';
import {Tensor, type Device, type FloatDType} from '../tensor/index.js';

/** Which numbers, and what they are made into. */
export interface RandomOptions {
  /** A whole number from 0 to 2^53. */
  readonly seed: number;
  /** Which stream of the seed: a whole number from 0 to 2^53. Streams do not overlap. Default 0. */
  readonly offset?: number;
  /** Default float32. */
  readonly dtype?: FloatDType;
  /** Default cpu. */
  readonly device?: Device;
}

/** Options of `uniform`. */
export interface UniformOptions extends RandomOptions {
  /** Least number. Default 0. */
  readonly low?: number;
  /** Bound of the numbers, at least `low`. Default 1. */
  readonly high?: number;
}

/** Options of `normal`. */
export interface NormalOptions extends RandomOptions {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation, 0 or more. Default 1. */
  readonly std?: number;
}

/**
 * Uniform numbers from `low` to `high`; rounding to the dtype may give `high` itself. Element `i` depends on `seed`, `offset` and
 * `i` alone. No gradient.
 *
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT, ERR_OUT_OF_MEMORY
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox 4x32-10)
 */
export function uniform(shape: readonly number[], options: UniformOptions): Tensor {
  const {dtype = 'float32', device = 'cpu', seed, offset = 0, low = 0, high = 1} = options;
  return Tensor.fromNative(native.uniform(shape, dtype, device, {seed, offset, low, high}));
}

/**
 * Numbers from the normal distribution. Element `i` depends on `seed`, `offset` and `i` alone. None is further than 6.33 standard
 * deviations from the mean. No gradient.
 *
 * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_ARGUMENT, ERR_OUT_OF_MEMORY
 * @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (Philox 4x32-10); Wichura 1988, algorithm AS 241
 */
export function normal(shape: readonly number[], options: NormalOptions): Tensor {
  const {dtype = 'float32', device = 'cpu', seed, offset = 0, mean = 0, std = 1} = options;
  return Tensor.fromNative(native.normal(shape, dtype, device, {seed, offset, mean, std}));
}
