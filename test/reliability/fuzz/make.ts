/** What valid calls are made of: small tensors with numbers that fit, which are freed when the call is over. */
import {native, type NativeDType, type NativeTensor} from '../../../lib/native.js';
import type {Device} from '../../../lib/tensor/index.js';
import type {Random} from '../random.js';

/** Makes the arguments of one call. */
export interface Make extends Random {
  readonly device: Device;
  /** A size of an axis; 0 now and then. */
  size(high?: number): number;
  float(shape: readonly number[], dtype?: NativeDType): NativeTensor;
  /** float32, each element `value`. */
  filled(shape: readonly number[], value: number): NativeTensor;
  int32(values: readonly number[]): NativeTensor;
  int64(values: readonly number[]): NativeTensor;
  floatDType(): NativeDType;
  /** Undefined half of the time. */
  maybe<T>(value: () => T): T | undefined;
  /** `count` + 1 starts that rise from 0 to `total`. */
  starts(count: number, total: number): number[];
}

/** @returns what makes the arguments, and what frees the tensors that it made */
export function createMake(random: Random, device: Device): {readonly make: Make; readonly free: () => void} {
  const made: NativeTensor[] = [];
  const keep = (tensor: NativeTensor): NativeTensor => {
    made.push(tensor);
    return tensor;
  };
  const size = (high = 9): number => (random.chance(0.05) ? 0 : random.whole(1, high));
  const make: Make = {
    ...random,
    device,
    size,
    float: (shape, dtype = 'float32') => keep(floats(random, shape, dtype, device)),
    filled: (shape, value) => keep(native.fill(shape, 'float32', device, value)),
    int32: (values) => keep(native.fromArray(Int32Array.from(values), [values.length], 'int32', device)),
    int64: (values) =>
      keep(native.fromArray(BigInt64Array.from(values, BigInt), [values.length], 'int64', device)),
    floatDType: () => random.pick(['float32', 'float32', 'bfloat16', 'float16'] as const),
    maybe: (value) => (random.chance(0.5) ? value() : undefined),
    starts: (count, total) => [
      0,
      ...Array.from({length: Math.max(0, count - 1)}, () => random.whole(0, total)).sort((a, b) => a - b),
      total,
    ],
  };
  const free = (): void => {
    for (const tensor of made.splice(0)) tensor.dispose();
  };
  return {make, free};
}

/** Numbers from -2 to 2, a few of them not finite. */
function floats(random: Random, shape: readonly number[], dtype: NativeDType, device: Device): NativeTensor {
  const count = shape.reduce((product, each) => product * each, 1);
  const odd = random.chance(0.05) ? random.pick([Infinity, -Infinity, NaN, 3e38, 1e-40]) : undefined;
  const values = Float32Array.from({length: count}, () =>
    odd !== undefined && random.chance(0.2) ? odd : 4 * random.uniform() - 2,
  );
  const wide = native.fromArray(values, shape, 'float32', device);
  if (dtype === 'float32') return wide;
  const made = native.cast(wide, dtype);
  wide.dispose();
  return made;
}
