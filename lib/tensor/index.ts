/**
 * Tensors, dtypes, devices and scopes.
 *
 * @module crossmap/tensor
 */
export {
  empty,
  full,
  tensor,
  zeros,
  type FromValuesOptions,
  type NestedNumbers,
  type TensorOptions,
} from './create.js';
export {
  devices,
  emptyCache,
  memory,
  requireDevice,
  resetPeakMemory,
  setThreads,
  synchronize,
  whyNoCuda,
  type Device,
  type MemoryUse,
} from './device.js';
export {bytesOf, isFloatDType, type ArrayOf, type DType, type Elements, type FloatDType} from './dtype.js';
export {canCapture, captured, type Captured, type CaptureOptions} from './graph.js';
export {scope} from './scope.js';
export {Tensor} from './tensor.js';
export type {NativeTensor} from '../native.js';
