/** The values of a GGUF file's metadata: typed numbers, truth values, texts, and arrays of them. */

/** A type of value. */
export type GgufType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float32'
  | 'bool'
  | 'string'
  | 'array'
  | 'uint64'
  | 'int64'
  | 'float64';

/** Types of value; the code of each is its place. */
const valueTypes: readonly GgufType[] = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
];

/** The whole numbers that JavaScript's own numbers do not hold. */
export type GgufBigType = 'uint64' | 'int64';
/** The types of JavaScript's own numbers. */
export type GgufNumberType = Exclude<GgufType, GgufBigType | 'bool' | 'string' | 'array'>;

/** What an array holds: all of one type. */
export type GgufItem = number | bigint | boolean | string | GgufArray;

/** An array, whose elements have one type. */
export interface GgufArray {
  /** As every value has it. */
  readonly type: 'array';
  /** Type of the elements. */
  readonly of: GgufType;
  /** The elements, in order. */
  readonly value: readonly GgufItem[];
}

/** A value with its type. */
export type GgufValue =
  | {readonly type: GgufNumberType; readonly value: number}
  | {readonly type: GgufBigType; readonly value: bigint}
  | {readonly type: 'bool'; readonly value: boolean}
  | {readonly type: 'string'; readonly value: string}
  | GgufArray;

/** What a file says beside its tensors, by key. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

interface Access<Value> {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => Value;
  readonly write: (view: DataView, at: number, value: Value) => void;
}

const little = true;

const numbers: Readonly<Record<GgufNumberType, Access<number>>> = {
  uint8: {bytes: 1, read: (view, at) => view.getUint8(at), write: (view, at, x) => view.setUint8(at, x)},
  int8: {bytes: 1, read: (view, at) => view.getInt8(at), write: (view, at, x) => view.setInt8(at, x)},
  uint16: {
    bytes: 2,
    read: (view, at) => view.getUint16(at, little),
    write: (view, at, x) => view.setUint16(at, x, little),
  },
  int16: {
    bytes: 2,
    read: (view, at) => view.getInt16(at, little),
    write: (view, at, x) => view.setInt16(at, x, little),
  },
  uint32: {
    bytes: 4,
    read: (view, at) => view.getUint32(at, little),
    write: (view, at, x) => view.setUint32(at, x, little),
  },
  int32: {
    bytes: 4,
    read: (view, at) => view.getInt32(at, little),
    write: (view, at, x) => view.setInt32(at, x, little),
  },
  float32: {
    bytes: 4,
    read: (view, at) => view.getFloat32(at, little),
    write: (view, at, x) => view.setFloat32(at, x, little),
  },
  float64: {
    bytes: 8,
    read: (view, at) => view.getFloat64(at, little),
    write: (view, at, x) => view.setFloat64(at, x, little),
  },
};

const bigs: Readonly<Record<GgufBigType, Access<bigint>>> = {
  uint64: {
    bytes: 8,
    read: (view, at) => view.getBigUint64(at, little),
    write: (view, at, x) => view.setBigUint64(at, x, little),
  },
  int64: {
    bytes: 8,
    read: (view, at) => view.getBigInt64(at, little),
    write: (view, at, x) => view.setBigInt64(at, x, little),
  },
};

export function isNumberType(type: GgufType): type is GgufNumberType {
  return Object.hasOwn(numbers, type);
}

export function isBigType(type: GgufType): type is GgufBigType {
  return Object.hasOwn(bigs, type);
}

/** The type of a code, where there is one. */
export function valueTypeOf(code: number): GgufType | undefined {
  return valueTypes[code];
}

export function valueTypeCode(type: GgufType): number {
  return valueTypes.indexOf(type);
}

/** How a number lies in memory. */
export function numberAccess(type: GgufNumberType): Access<number> {
  return numbers[type];
}

/** How a whole number of 64 bits lies in memory. */
export function bigAccess(type: GgufBigType): Access<bigint> {
  return bigs[type];
}
