/** The header of a GGUF file, read and checked. */
import {alignmentOf, alignUp} from './alignment.js';
import {createCursor, formatError, type Cursor, type HeaderBytes} from './cursor.js';
import {formatVersion, isKey, magic, maxAxes, type TensorPlace} from './encode.js';
import {blockElements, tensorBytes, tensorTypeOf} from './tensor-types.js';
import {
  isBigType,
  isNumberType,
  valueTypeOf,
  type GgufArray,
  type GgufItem,
  type GgufMetadata,
  type GgufType,
  type GgufValue,
} from './values.js';

/** What a header says. */
export interface GgufHeader {
  readonly metadata: GgufMetadata;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorPlace[];
  /** Bytes of the header with its padding: where the first tensor starts. */
  readonly bytes: number;
}

/** Far above any model's, low enough that no file fills the memory. */
const most = {entries: 2 ** 16, tensors: 2 ** 18, elements: 2 ** 22, depth: 4} as const;

/** The longest name of a tensor, as the format has it. */
const maxNameBytes = 64;

/** What parts of a header are read with. */
interface Reading {
  readonly cursor: Cursor;
  readonly path: string;
  /** Elements of all arrays so far. */
  elements: number;
}

/**
 * Reads a header from the first bytes of a file.
 *
 * @throws ERR_FORMAT unless all of it is what the format says and the tensors fill the rest of the file; MoreBytesNeeded where the
 *   header goes on behind the bytes
 */
export function parseHeader(source: HeaderBytes): GgufHeader {
  const {path, fileBytes} = source;
  const cursor = createCursor(source);
  checkStart(cursor, path);
  const tensorCount = cursor.size('the number of tensors', most.tensors);
  const entryCount = cursor.size('the number of metadata entries', most.entries);
  const reading: Reading = {cursor, path, elements: 0};
  const metadata = readMetadata(reading, entryCount);
  const alignment = alignmentOf(metadata);
  if (alignment === undefined)
    throw formatError(path, 'has a general.alignment that is no uint32 power of two of 8 at least');
  const tensors = readTensors(reading, tensorCount);
  const bytes = alignUp(cursor.offset(), alignment);
  checkPlaces(tensors, {path, alignment, dataBytes: fileBytes - bytes});
  return {metadata, tensors, bytes: Math.min(bytes, fileBytes)}; // without tensors the padding may be missing
}

function checkStart(cursor: Cursor, path: string): void {
  if (cursor.uint32('its first 4 bytes') !== magic)
    throw formatError(path, 'does not start with the letters GGUF');
  const version = cursor.uint32('its version');
  if (version === formatVersion) return;
  if ((version & 0xffff) === 0)
    throw formatError(path, 'is for big-endian machines; crossmap reads little-endian files');
  throw formatError(path, `has version ${version}; crossmap reads version ${formatVersion}`);
}

function readMetadata(reading: Reading, count: number): GgufMetadata {
  const {cursor, path} = reading;
  const metadata = new Map<string, GgufValue>();
  for (let index = 0; index < count; index++) {
    const key = cursor.text(`the key of metadata entry ${index}`);
    if (!isKey(key)) throw formatError(path, `has ${shown(key)} as the key of metadata entry ${index}`);
    if (metadata.has(key)) throw formatError(path, `has the metadata ${key} twice`);
    metadata.set(key, readValue(reading, `metadata ${key}`));
  }
  return metadata;
}

function readValue(reading: Reading, what: string): GgufValue {
  const {cursor} = reading;
  const type = readType(reading, what);
  if (type === 'array') return readArray(reading, what, 1);
  if (type === 'string') return {type, value: cursor.text(what)};
  if (isNumberType(type)) return {type, value: cursor.number(what, type)};
  if (isBigType(type)) return {type, value: cursor.big(what, type)};
  return {type, value: cursor.truth(what)};
}

function readType({cursor, path}: Reading, what: string): GgufType {
  const code = cursor.uint32(`the type of ${what}`);
  const type = valueTypeOf(code);
  if (type === undefined) throw formatError(path, `gives ${what} the type ${code}, which is not known`);
  return type;
}

function readArray(reading: Reading, what: string, depth: number): GgufArray {
  const {cursor, path} = reading;
  if (depth > most.depth)
    throw formatError(path, `has arrays in arrays deeper than ${most.depth} in ${what}`);
  const of = readType(reading, `the elements of ${what}`);
  const count = cursor.size(`the number of elements of ${what}`, most.elements);
  reading.elements += count;
  if (reading.elements > most.elements)
    throw formatError(path, `has more than ${most.elements} elements in its arrays, with ${what}`);
  const element = `an element of ${what}`;
  const readItem = (): GgufItem => {
    if (of === 'array') return readArray(reading, element, depth + 1);
    if (of === 'string') return cursor.text(element);
    if (isNumberType(of)) return cursor.number(element, of);
    return isBigType(of) ? cursor.big(element, of) : cursor.truth(element);
  };
  // Not by a length known beforehand: memory grows with what is read, not with what is claimed.
  const value: GgufItem[] = [];
  for (let index = 0; index < count; index++) value.push(readItem());
  return {type: 'array', of, value};
}

function readTensors(reading: Reading, count: number): TensorPlace[] {
  const tensors: TensorPlace[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const name = reading.cursor.text(`the name of tensor ${index}`);
    if (Buffer.byteLength(name) > maxNameBytes)
      throw formatError(
        reading.path,
        `has a name of more than ${maxNameBytes} bytes at tensor ${index}: ${shown(name)}`,
      );
    if (names.has(name)) throw formatError(reading.path, `has the tensor ${shown(name)} twice`);
    names.add(name);
    tensors.push(readTensor(reading, name));
  }
  return tensors;
}

function readTensor({cursor, path}: Reading, name: string): TensorPlace {
  const what = `tensor ${shown(name)}`;
  const axes = cursor.uint32(`the number of axes of ${what}`);
  if (axes > maxAxes) throw formatError(path, `gives ${what} ${axes} axes; ${maxAxes} is the most`);
  const shape = Array.from({length: axes}, () =>
    cursor.size(`a size of ${what}`, Number.MAX_SAFE_INTEGER),
  ).toReversed();
  const code = cursor.uint32(`the type of ${what}`);
  const type = tensorTypeOf(code);
  if (type === undefined) throw formatError(path, `gives ${what} the type ${code}, which is not known`);
  const bytes = tensorBytes(type, shape);
  if (Number.isNaN(bytes))
    throw formatError(
      path,
      `gives ${what} the shape [${shape.join(', ')}]; rows of ${type} have a multiple of ${blockElements(type)} elements`,
    );
  return {name, type, shape, bytes, begin: cursor.size(`the offset of ${what}`, Number.MAX_SAFE_INTEGER)};
}

interface Places {
  readonly path: string;
  readonly alignment: number;
  /** Bytes of the file behind the header; below 0 where its padding is cut off. */
  readonly dataBytes: number;
}

/** Tensors lie one behind the other, in the order of the header, each at the next multiple of the alignment. */
function checkPlaces(tensors: readonly TensorPlace[], {path, alignment, dataBytes}: Places): void {
  let end = 0;
  for (const {name, begin, bytes} of tensors) {
    const expected = alignUp(end, alignment);
    if (begin !== expected)
      throw formatError(
        path,
        `has tensor ${shown(name)} at byte ${begin} of the data, which ${faultOf(begin, end, alignment)}: ${expected} expected`,
      );
    end = begin + bytes;
    if (end > dataBytes)
      throw formatError(
        path,
        `is cut off: tensor ${shown(name)} ends at byte ${end} of the data, which has ${Math.max(dataBytes, 0)}`,
      );
  }
  const behind = dataBytes - alignUp(end, alignment);
  if (behind > 0) throw formatError(path, `has ${behind} bytes behind its last tensor`);
}

function faultOf(begin: number, end: number, alignment: number): string {
  if (begin % alignment !== 0) return `is no multiple of ${alignment}`;
  return begin < end ? 'overlaps what lies before it' : 'leaves a hole before it';
}

/** A name of the file for a message, however long. */
function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
