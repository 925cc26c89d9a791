/** The header of a safetensors file: a length in 8 bytes, then JSON that says what lies where behind it. */
import {z} from 'zod';
import {CrossmapError} from '../errors.js';
import {isDeeper, repeatedKey} from './json-keys.js';

const dtypes = {
  float32: {code: 'F32', bytes: 4},
  float16: {code: 'F16', bytes: 2},
  bfloat16: {code: 'BF16', bytes: 2},
  int32: {code: 'I32', bytes: 4},
  int64: {code: 'I64', bytes: 8},
  uint8: {code: 'U8', bytes: 1},
} as const;

/** The dtypes that crossmap exchanges: `float32`, `float16`, `bfloat16`, `int32`, `int64` and `uint8`. */
export type SafetensorsDType = keyof typeof dtypes;

export interface TensorEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** First byte, counted from the end of the header. */
  readonly begin: number;
  /** One past the last byte. */
  readonly end: number;
}

interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
}

/** Bytes of the length at the start of the file. */
export const lengthBytes = 8;

/** Lists and maps in each other: the header, a tensor, its shape. */
const deepest = 3;

/** The longest header that readers of the format accept. */
export const maxHeaderBytes = 100_000_000;

/** Bytes of one element. */
export function elementBytes(dtype: SafetensorsDType): number {
  return dtypes[dtype].bytes;
}

export function isSafetensorsDType(dtype: string): dtype is SafetensorsDType {
  return Object.hasOwn(dtypes, dtype);
}

/** Bytes of a tensor; NaN where the shape is not whole numbers, Infinity or unsafe where it is too large. */
export function tensorBytes(dtype: SafetensorsDType, shape: readonly number[]): number {
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) return NaN;
  if (shape.includes(0)) return 0; // before the product: 0 * Infinity is NaN
  return shape.reduce((product, size) => product * size, elementBytes(dtype));
}

/** The length and the header, padded with spaces so that the bytes behind start at a multiple of 8. */
export function formatHeader({metadata, entries}: SafetensorsHeader): Uint8Array {
  const members = entries.map(
    ({name, dtype, shape, begin, end}) =>
      `${JSON.stringify(name)}:${JSON.stringify({dtype: dtypes[dtype].code, shape, data_offsets: [begin, end]})}`,
  );
  if (Object.keys(metadata).length > 0) members.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${members.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(lengthBytes + length, ' ');
  bytes.writeBigUInt64LE(BigInt(length));
  json.copy(bytes, lengthBytes);
  return bytes;
}

/** The length of the header that the first 8 bytes tell. */
export function headerLength(start: Uint8Array, fileBytes: number, path: string): number {
  if (start.length < lengthBytes)
    throw formatError(path, `has ${fileBytes} bytes; a header needs ${lengthBytes} at least`);
  const length = Buffer.from(start.buffer, start.byteOffset, lengthBytes).readBigUInt64LE();
  if (length > maxHeaderBytes)
    throw formatError(path, `has a header of ${length} bytes; ${maxHeaderBytes} is the longest allowed`);
  if (Number(length) > fileBytes - lengthBytes)
    throw formatError(
      path,
      `ends inside its header: ${fileBytes} bytes, the header alone has ${lengthBytes} + ${length}`,
    );
  return Number(length);
}

const wholeNumber = z.int().min(0);
const member = z.strictObject({
  dtype: z.string(),
  shape: z.array(wholeNumber),
  data_offsets: z.tuple([wholeNumber, wholeNumber]),
});
const metadataMember = z.record(z.string(), z.string());

/**
 * Reads and checks a header.
 *
 * @param json the header without its length
 * @param dataBytes bytes of the file behind the header
 * @throws ERR_FORMAT unless the tensors fill those bytes exactly, each with the size of its shape
 */
export function parseHeader(json: Uint8Array, dataBytes: number, path: string): SafetensorsHeader {
  const members = Object.entries(parseObject(json, path));
  const metadata = members.find(([name]) => name === '__metadata__')?.[1] ?? {};
  const checkedMetadata = metadataMember.safeParse(metadata);
  if (!checkedMetadata.success) throw formatError(path, 'has a __metadata__ that is not a map of strings');
  const entries = members.flatMap(([name, value]) =>
    name === '__metadata__' ? [] : [parseEntry(name, value, path)],
  );
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  refuseGaps(entries, dataBytes, path);
  return {metadata: checkedMetadata.data, entries};
}

function parseObject(json: Uint8Array, path: string): object {
  if (json[0] !== 0x7b) throw formatError(path, 'has a header that does not start with {');
  try {
    const text = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(json);
    if (isDeeper(text, deepest)) throw new SyntaxError('lists and maps stand in each other too deep');
    const value: unknown = JSON.parse(text);
    const twice = repeatedKey(text);
    if (twice !== undefined) throw new SyntaxError(`${JSON.stringify(twice)} stands there twice`);
    if (typeof value === 'object' && value !== null) return value;
    throw new SyntaxError('it is not an object');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw formatError(path, `has a header that is not valid JSON: ${reason}`, cause);
  }
}

function parseEntry(name: string, value: unknown, path: string): TensorEntry {
  const where = `tensor ${JSON.stringify(name)}`;
  const result = member.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw formatError(path, `has no proper entry for ${where}: ${issue?.path.join('.')} ${issue?.message}`);
  }
  const {
    dtype: code,
    shape,
    data_offsets: [begin, end],
  } = result.data;
  const dtype = Object.keys(dtypes)
    .filter(isSafetensorsDType)
    .find((each) => dtypes[each].code === code);
  if (dtype === undefined) {
    const known = Object.values(dtypes).map((each) => each.code);
    throw formatError(path, `gives ${where} the dtype ${code}; crossmap reads ${known.join(', ')}`);
  }
  const bytes = tensorBytes(dtype, shape);
  if (end - begin !== bytes)
    throw formatError(
      path,
      `gives ${where} ${end - begin} bytes; ${code} [${shape.join(', ')}] has ${bytes}`,
    );
  return {name, dtype, shape, begin, end};
}

function refuseGaps(entries: readonly TensorEntry[], dataBytes: number, path: string): void {
  let filled = 0;
  for (const {name, begin, end} of entries) {
    if (begin !== filled) {
      const fault = begin < filled ? 'overlaps what lies before it' : 'leaves a hole before it';
      throw formatError(
        path,
        `has tensor ${JSON.stringify(name)} at byte ${begin} of the data, which ${fault}: ${filled} expected`,
      );
    }
    filled = end;
  }
  if (filled > dataBytes)
    throw formatError(path, `is cut off: its tensors need ${filled} bytes of data, it has ${dataBytes}`);
  if (filled < dataBytes) throw formatError(path, `has ${dataBytes - filled} bytes behind its last tensor`);
}

function formatError(path: string, fault: string, cause?: unknown): CrossmapError {
  return new CrossmapError(
    'ERR_FORMAT',
    `safetensors file ${path} ${fault}`,
    cause === undefined ? {} : {cause},
  );
}
