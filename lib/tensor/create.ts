/** Making tensors. */
import {CrossmapError} from '../errors.js';
import {native} from '../native.js';
import type {Device} from './device.js';
import {arrayFor, dtypes, type DType, type Elements} from './dtype.js';
import {shapeText} from './shape-text.js';
import {Tensor} from './tensor.js';

/** Numbers, or arrays of them, of equal length at each depth. */
export type NestedNumbers = number | readonly NestedNumbers[];

/** Where a new tensor lies and what it is made of. */
export interface TensorOptions {
  /** Default float32. */
  readonly dtype?: DType;
  /** Default cpu. */
  readonly device?: Device;
}

/** Of nested arrays. */
const mostAxes = 64;

/** Options of `tensor`. */
export interface FromValuesOptions extends TensorOptions {
  /** Default: the nesting of the numbers, or one axis for a typed array. */
  readonly shape?: readonly number[];
  /**
   * Takes the memory of the typed array instead of a copy of it. The array is then empty and detached, so that nobody can change
   * the tensor behind its back. It must span its whole buffer and have the tensor's dtype.
   */
  readonly transfer?: boolean;
}

/**
 * A tensor with the given elements. Without `dtype` it is that of the typed array; plain numbers give float32. A typed array of
 * another dtype is converted; a Uint16Array is taken as the bits of `bfloat16` or `float16`.
 *
 * @throws ERR_SHAPE where the elements do not fit the shape; ERR_DTYPE; ERR_ARGUMENT; ERR_DEVICE; ERR_OUT_OF_MEMORY
 */
export function tensor(values: NestedNumbers | Elements, options: FromValuesOptions = {}): Tensor {
  const {device = 'cpu', transfer = false} = options;
  if (options.dtype !== undefined && !dtypes.includes(options.dtype))
    throw new CrossmapError(
      'ERR_DTYPE',
      `tensor: dtype must be one of ${dtypes.join(', ')}; got ${options.dtype}`,
    );
  if (!isElements(values)) return fromNumbers(values, options);
  const own = dtypeOf(values);
  const dtype = options.dtype ?? own;
  const shape = options.shape ?? [values.length];
  if (dtype === undefined)
    throw new CrossmapError(
      'ERR_DTYPE',
      'tensor: a Uint16Array needs dtype bfloat16 or float16, whose bits it holds',
    );
  const isBits = own === undefined && (dtype === 'bfloat16' || dtype === 'float16');
  if (own === undefined && !isBits)
    throw new CrossmapError(
      'ERR_DTYPE',
      `tensor: dtype must be bfloat16 or float16 for a Uint16Array; got ${dtype}`,
    );
  if (transfer) return adopt(values, {shape, dtype, device, matches: isBits || dtype === own});
  const stored = isBits ? dtype : (own ?? dtype);
  const made = native.fromArray(isShared(values) ? values.slice() : values, shape, stored, device);
  if (stored === dtype) return Tensor.fromNative(made);
  const converted = native.cast(made, dtype);
  made.dispose();
  return Tensor.fromNative(converted);
}

/**
 * A tensor of zeros.
 *
 * @throws ERR_SHAPE, ERR_DEVICE, ERR_OUT_OF_MEMORY
 */
export function zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/**
 * A tensor whose elements all are `value`, rounded to the dtype.
 *
 * @throws ERR_ARGUMENT where an integer dtype cannot hold the value; ERR_SHAPE, ERR_DEVICE, ERR_OUT_OF_MEMORY
 */
export function full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
  const {dtype = 'float32', device = 'cpu'} = options;
  return Tensor.fromNative(native.fill(shape, dtype, device, value));
}

/**
 * A tensor that holds whatever its memory does: for `copyFrom` to fill.
 *
 * @throws ERR_SHAPE, ERR_DEVICE, ERR_OUT_OF_MEMORY
 */
export function empty(shape: readonly number[], options: TensorOptions = {}): Tensor {
  const {dtype = 'float32', device = 'cpu'} = options;
  return Tensor.fromNative(native.empty(shape, dtype, device));
}

function fromNumbers(
  values: NestedNumbers,
  {dtype = 'float32', device = 'cpu', shape}: FromValuesOptions,
): Tensor {
  const nested = shapeOf(values);
  const flat = nested.length > mostAxes ? undefined : flatten(values, nested);
  if (flat === undefined)
    throw new CrossmapError(
      'ERR_SHAPE',
      'tensor: nested arrays must hold numbers, in arrays of equal length at each depth',
    );
  if (dtype === 'bfloat16' || dtype === 'float16') {
    const wide = native.fromArray(Float32Array.from(flat), shape ?? nested, 'float32', device);
    const made = native.cast(wide, dtype);
    wide.dispose();
    return Tensor.fromNative(made);
  }
  const elements = arrayFor(dtype, flat.length);
  for (const [index, value] of flat.entries()) setElement(elements, index, value, dtype);
  return Tensor.fromNative(native.fromArray(elements, shape ?? nested, dtype, device));
}

function setElement(elements: Elements, index: number, value: number, dtype: DType): void {
  if (elements instanceof BigInt64Array) {
    if (!Number.isSafeInteger(value)) refuseNumber(value, dtype);
    elements[index] = BigInt(value);
    return;
  }
  elements[index] = value;
  if (!(elements instanceof Float32Array) && elements[index] !== value) refuseNumber(value, dtype);
}

function refuseNumber(value: number, dtype: DType): never {
  throw new CrossmapError(
    'ERR_ARGUMENT',
    `tensor: values must be whole numbers that ${dtype} can hold; got ${value}`,
  );
}

interface Adoption {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly device: Device;
  readonly matches: boolean;
}

function adopt(values: Elements, {shape, dtype, device, matches}: Adoption): Tensor {
  const refuse = (why: string): never => {
    throw new CrossmapError('ERR_ARGUMENT', `tensor: transfer needs ${why}`);
  };
  if (device !== 'cpu') refuse(`device cpu, whose memory the array is in; got ${device}`);
  if (!matches) refuse(`a typed array of dtype ${dtype}`);
  // Getters of the shape may take the memory away: what is asked of the array is asked behind them.
  const elements = shape.reduce((product, size) => product * size, 1);
  const {buffer} = values;
  if (buffer instanceof SharedArrayBuffer) return refuse('a typed array whose buffer is not shared');
  if (values.byteLength !== buffer.byteLength) refuse('a typed array that spans its whole buffer');
  if (values.length !== elements)
    throw new CrossmapError(
      'ERR_SHAPE',
      `tensor: ${shapeText(shape)} must have the ${values.length} elements of the array`,
    );
  // The buffer moves to the clone without a copy.
  try {
    values = structuredClone(values, {transfer: [buffer]});
  } catch {
    return refuse('a typed array whose memory has not gone elsewhere');
  }
  return Tensor.fromNative(native.adoptArray(values, shape, dtype));
}

/** Whether other threads may write to the array. Native code takes no such array. */
function isShared({buffer}: {readonly buffer: ArrayBufferLike}): boolean {
  return buffer instanceof SharedArrayBuffer;
}

function isElements(values: unknown): values is Elements {
  return ArrayBuffer.isView(values) && !(values instanceof DataView);
}

/** The dtype that a typed array has by itself; a Uint16Array has none. */
function dtypeOf(values: Elements): DType | undefined {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Int32Array) return 'int32';
  if (values instanceof BigInt64Array) return 'int64';
  if (values instanceof Uint8Array) return 'uint8';
  if (values instanceof Uint16Array) return undefined;
  throw new CrossmapError(
    'ERR_DTYPE',
    'tensor: a typed array must be a Float32Array, Int32Array, BigInt64Array, Uint8Array or Uint16Array',
  );
}

/** The lengths of the first arrays at each depth. An array that holds itself has no end: it stops at `mostAxes`. */
function shapeOf(values: NestedNumbers): number[] {
  const shape: number[] = [];
  let inner: NestedNumbers | undefined = values;
  while (inner !== undefined && isNested(inner) && shape.length <= mostAxes) {
    shape.push(inner.length);
    [inner] = inner;
  }
  return shape;
}

/** The numbers in order; undefined where they do not stand in arrays of the lengths of `shape`. */
function flatten(values: NestedNumbers, shape: readonly number[]): readonly number[] | undefined {
  const flat: number[] = [];
  const visit = (each: NestedNumbers, depth: number): boolean => {
    if (isNested(each)) return each.length === shape[depth] && each.every((inner) => visit(inner, depth + 1));
    flat.push(each);
    return typeof each === 'number' && depth === shape.length;
  };
  return visit(values, 0) ? flat : undefined;
}

function isNested(values: NestedNumbers): values is readonly NestedNumbers[] {
  return Array.isArray(values);
}
