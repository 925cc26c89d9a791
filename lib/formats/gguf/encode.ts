/** The bytes of a GGUF header: counts, metadata, what tensors there are. */
import {CrossmapError} from '../../errors.js';
import {alignmentOf, alignUp} from './alignment.js';
import {tensorTypeCode, type GgufTensorType} from './tensor-types.js';
import {
  bigAccess,
  isBigType,
  isNumberType,
  numberAccess,
  valueTypeCode,
  type GgufItem,
  type GgufMetadata,
  type GgufType,
  type GgufNumberType,
} from './values.js';

/** Where a tensor lies. */
export interface TensorPlace {
  readonly name: string;
  readonly type: GgufTensorType;
  /** Row-major: the last axis is contiguous. */
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header; a multiple of the alignment. */
  readonly begin: number;
  readonly bytes: number;
}

/** The bytes that every file starts with: GGUF. */
export const magic = 0x46554747;

/** The version that is written and read. */
export const formatVersion = 3;

/** The longest key, as the format has it. */
const maxKeyBytes = 2 ** 16 - 1;

/** The most axes of a tensor. */
export const maxAxes = 4;

/**
 * The header, padded so that the tensors behind it start at a multiple of the alignment.
 *
 * @throws ERR_ARGUMENT for a value that its type does not hold, or a key that the format does not allow
 */
export function encodeHeader(metadata: GgufMetadata, tensors: readonly TensorPlace[]): Uint8Array {
  const parts = [
    fixed('uint32', magic),
    fixed('uint32', formatVersion),
    size(tensors.length),
    size(metadata.size),
  ];
  for (const [key, value] of metadata) {
    if (!isKey(key)) throw argumentError(`${JSON.stringify(key)} is no key: printable ASCII without spaces`);
    parts.push(...text(key), fixed('uint32', valueTypeCode(value.type)));
    // One by one: a vocabulary has more elements than a call may have arguments.
    for (const part of encodeItem(key, value.type, value.type === 'array' ? value : value.value))
      parts.push(part);
  }
  for (const {name, type, shape, begin} of tensors) {
    parts.push(...text(name), fixed('uint32', shape.length), ...shape.toReversed().map(size));
    parts.push(fixed('uint32', tensorTypeCode(type)), size(begin));
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat(parts, alignUp(length, alignmentOf(metadata) ?? NaN)); // what is beyond the parts is 0
}

/** Whether a text can be a key. The format asks for lower_snake_case; files in use have other signs, such as `-`. */
export function isKey(key: string): boolean {
  return key.length <= maxKeyBytes && /^[\x21-\x7e]+$/.test(key);
}

function* encodeItem(key: string, type: GgufType, item: GgufItem): Generator<Uint8Array> {
  if (typeof item === 'string' && type === 'string') yield* text(item);
  else if (typeof item === 'object' && type === 'array') {
    yield fixed('uint32', valueTypeCode(item.of));
    yield size(item.value.length);
    for (const element of item.value) yield* encodeItem(key, item.of, element);
  } else yield scalar(key, type, item);
}

function scalar(key: string, type: GgufType, item: GgufItem): Uint8Array {
  if (typeof item === 'boolean' && type === 'bool') return Uint8Array.of(Number(item));
  if (typeof item === 'number' && isNumberType(type)) {
    const bytes = fixed(type, item);
    // float32 rounds; the others hold a number exactly or not at all.
    const back = numberAccess(type).read(new DataView(bytes.buffer), 0);
    if (type === 'float32' ? Number.isFinite(back) === Number.isFinite(item) : Object.is(back, item))
      return bytes;
  }
  if (typeof item === 'bigint' && isBigType(type)) {
    const {bytes: length, read, write} = bigAccess(type);
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    write(view, 0, item);
    if (read(view, 0) === item) return bytes;
  }
  const shown = typeof item === 'object' ? 'an array' : String(item);
  throw argumentError(`metadata ${key} has a value that is no ${type}: ${shown}`);
}

function fixed(type: GgufNumberType, value: number): Uint8Array<ArrayBuffer> {
  const {bytes: length, write} = numberAccess(type);
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer), 0, value);
  return bytes;
}

function size(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  bigAccess('uint64').write(new DataView(bytes.buffer), 0, BigInt(value));
  return bytes;
}

/** Its length in bytes, then the bytes. */
function text(value: string): [Uint8Array, Uint8Array] {
  if (/\p{Surrogate}/u.test(value)) throw argumentError(`${JSON.stringify(value)} is no well-formed text`);
  const bytes = Buffer.from(value);
  return [size(bytes.length), bytes];
}

function argumentError(fault: string): CrossmapError {
  return new CrossmapError('ERR_ARGUMENT', `writeGguf: ${fault}`);
}
