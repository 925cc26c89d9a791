/** Element types and the arrays that hold them in JavaScript. */
import type {NativeDType as DType} from '../native.js';

export type {NativeDType as DType} from '../native.js';

/** The float dtypes, which the ops of a model take. */
export type FloatDType = 'float32' | 'bfloat16' | 'float16';

/** Arrays of elements. `bfloat16` and `float16` have none in JavaScript: their 16 bits stand in a Uint16Array. */
export interface ArrayOf {
  /** Numbers as they are. */
  readonly float32: Float32Array<ArrayBuffer>;
  /** The upper 16 bits of float32. */
  readonly bfloat16: Uint16Array<ArrayBuffer>;
  /** The 16 bits of IEEE binary16. */
  readonly float16: Uint16Array<ArrayBuffer>;
  /** Whole numbers as they are. */
  readonly int32: Int32Array<ArrayBuffer>;
  /** Whole numbers, as bigint. */
  readonly int64: BigInt64Array<ArrayBuffer>;
  /** Whole numbers from 0 to 255. */
  readonly uint8: Uint8Array<ArrayBuffer>;
}

/** A typed array that a tensor is made from, over a buffer of any kind. */
export type Elements = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;

interface DTypeFacts<D extends DType> {
  readonly bytes: number;
  readonly array: (length: number) => ArrayOf[D];
}

const facts: {readonly [D in DType]: DTypeFacts<D>} = {
  float32: {bytes: 4, array: (length) => new Float32Array(length)},
  bfloat16: {bytes: 2, array: (length) => new Uint16Array(length)},
  float16: {bytes: 2, array: (length) => new Uint16Array(length)},
  int32: {bytes: 4, array: (length) => new Int32Array(length)},
  int64: {bytes: 8, array: (length) => new BigInt64Array(length)},
  uint8: {bytes: 1, array: (length) => new Uint8Array(length)},
};

/** All dtypes. */
export const dtypes: readonly DType[] = ['float32', 'bfloat16', 'float16', 'int32', 'int64', 'uint8'];

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return facts[dtype].bytes;
}

/** A new array for `length` elements, all 0. */
export function arrayFor<D extends DType>(dtype: D, length: number): ArrayOf[D] {
  return facts[dtype].array(length);
}

/** Whether elements are floating-point numbers. */
export function isFloatDType(dtype: DType): dtype is FloatDType {
  return dtype === 'float32' || dtype === 'bfloat16' || dtype === 'float16';
}
