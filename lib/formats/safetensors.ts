/** Reads and writes safetensors, the format in which weights are exchanged. https://github.com/huggingface/safetensors */
import {open, type FileHandle} from 'node:fs/promises';
import {CrossmapError} from '../errors.js';
import {publishFile} from './atomic.js';
import {readAt, readInto, withFile} from './read-file.js';
import {
  elementBytes,
  formatHeader,
  headerLength,
  isSafetensorsDType,
  lengthBytes,
  maxHeaderBytes,
  parseHeader,
  tensorBytes,
  type SafetensorsDType,
  type TensorEntry,
} from './safetensors-header.js';

export type {SafetensorsDType} from './safetensors-header.js';

const what = 'safetensors file';

/** A tensor to write. */
export interface SafetensorsInput {
  /** Not used twice in a file. */
  readonly name: string;
  /** Type of the elements. */
  readonly dtype: SafetensorsDType;
  /** Sizes of the axes, slowest first. */
  readonly shape: readonly number[];
  /**
   * The elements in little-endian, row-major order. A function is called only when its turn has come, one at a time; it may give them in
   * pieces, of which each is written before the next is asked for.
   */
  readonly data:
    Uint8Array | Promise<Uint8Array> | (() => Promise<Uint8Array>) | (() => AsyncIterable<Uint8Array>);
}

/** A tensor that a file has. */
export interface SafetensorsInfo {
  /** Type of the elements. */
  readonly dtype: SafetensorsDType;
  /** Sizes of the axes, slowest first. */
  readonly shape: readonly number[];
  /** Of all elements. */
  readonly bytes: number;
}

/** A file whose header has been read and checked. */
export interface SafetensorsFile {
  /** Texts that travel with the tensors; empty where the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, SafetensorsInfo>;
  /**
   * Reads one tensor into memory of its own, so that views of any element type fit.
   *
   * @throws ERR_ARGUMENT where there is no such tensor; ERR_FORMAT where the file has become shorter; ERR_IO
   */
  readonly read: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Reads one tensor in pieces, all in the same memory: each is good until the next is asked for.
   *
   * @param pieceBytes of each piece but the last; default 4 MiB, which ends between elements of any dtype
   * @throws as `read`, ERR_ARGUMENT at once
   */
  readonly pieces: (name: string, pieceBytes?: number) => AsyncIterable<Uint8Array<ArrayBuffer>>;
}

const defaultPieceBytes = 2 ** 22;

/**
 * Writes a file whole or not at all. Tensors lie in the order of their element size, the largest first, then of their names: so
 * each is aligned to its elements, and equal tensors give equal files.
 *
 * @param metadata texts that travel with the tensors
 * @throws ERR_ARGUMENT where a name is used twice or the bytes do not fit the shape; ERR_IO
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<SafetensorsInput>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const inputs = [...tensors].sort(
    (a, b) =>
      elementBytes(b.dtype) - elementBytes(a.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const entries = layOut(inputs);
  const header = formatHeader({metadata, entries});
  if (header.length - lengthBytes > maxHeaderBytes)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `writeSafetensors: names and metadata exceed ${maxHeaderBytes} bytes`,
    );
  await publishFile(path, async (temporary) => {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(header);
      for (const input of inputs) await writeTensor(file, input);
    } finally {
      await file.close();
    }
  });
}

/**
 * Reads the header of a file and checks all of it. Tensors are read one by one when asked for.
 *
 * @throws ERR_FORMAT where the file is not what the format says; ERR_IO where it cannot be read
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  return withFile(what, path, async (file) => {
    const {size} = await file.stat();
    const length = headerLength(await readAt(file, 0, Math.min(size, lengthBytes)), size, path);
    const dataStart = lengthBytes + length;
    const {metadata, entries} = parseHeader(await readAt(file, lengthBytes, length), size - dataStart, path);
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    return {
      metadata,
      tensors: new Map(
        entries.map(({name, dtype, shape, begin, end}) => [name, {dtype, shape, bytes: end - begin}]),
      ),
      read: async (name) => readTensor(path, dataStart, entryOf(path, byName, name)),
      pieces: (name, pieceBytes = defaultPieceBytes) =>
        readPieces(path, dataStart, entryOf(path, byName, name), pieceBytes),
    };
  });
}

function layOut(inputs: readonly SafetensorsInput[]): TensorEntry[] {
  const names = new Set<string>(['__metadata__']);
  let begin = 0;
  return inputs.map(({name, dtype, shape, data}) => {
    const where = `writeSafetensors: tensor ${JSON.stringify(name)}`;
    if (names.has(name)) throw new CrossmapError('ERR_ARGUMENT', `${where} has a name that is taken`);
    names.add(name);
    if (!isSafetensorsDType(dtype))
      throw new CrossmapError('ERR_ARGUMENT', `${where} has dtype ${String(dtype)}, which is not known`);
    const bytes = tensorBytes(dtype, shape);
    if (!Number.isSafeInteger(begin + bytes))
      throw new CrossmapError(
        'ERR_ARGUMENT',
        `${where} has shape [${shape.join(', ')}], which is not one of whole numbers in range`,
      );
    if (data instanceof Promise) data.catch(() => undefined); // it may fail before its turn, where it is awaited
    if (data instanceof Uint8Array) refuseWrongLength(where, data, dtype, shape);
    const entry = {name, dtype, shape, begin, end: begin + bytes};
    begin = entry.end;
    return entry;
  });
}

async function writeTensor(file: FileHandle, {name, dtype, shape, data}: SafetensorsInput): Promise<void> {
  const where = `writeSafetensors: tensor ${JSON.stringify(name)}`;
  const given = typeof data === 'function' ? data() : data;
  if (!(Symbol.asyncIterator in given)) {
    const bytes = await given;
    refuseWrongLength(where, bytes, dtype, shape);
    await file.writeFile(bytes);
    return;
  }
  let byteLength = 0;
  for await (const piece of given) {
    byteLength += piece.byteLength;
    await file.writeFile(piece);
  }
  refuseWrongLength(where, {byteLength}, dtype, shape);
}

function refuseWrongLength(
  where: string,
  data: {readonly byteLength: number},
  dtype: SafetensorsDType,
  shape: readonly number[],
): void {
  const bytes = tensorBytes(dtype, shape);
  if (data.byteLength !== bytes)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `${where} needs ${bytes} bytes for ${dtype} [${shape.join(', ')}]; got ${data.byteLength}`,
    );
}

function entryOf(path: string, entries: ReadonlyMap<string, TensorEntry>, name: string): TensorEntry {
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  throw new CrossmapError('ERR_ARGUMENT', `safetensors file ${path} has no tensor ${JSON.stringify(name)}`);
}

async function readTensor(
  path: string,
  dataStart: number,
  entry: TensorEntry,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(entry.end - entry.begin);
  return withFile(what, path, async (file) => {
    await fill(file, dataStart + entry.begin, bytes, {path, entry});
    return bytes;
  });
}

async function* readPieces(
  path: string,
  dataStart: number,
  entry: TensorEntry,
  pieceBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const memory = new Uint8Array(Math.min(pieceBytes, entry.end - entry.begin));
  for (let at = entry.begin; at < entry.end; at += memory.length) {
    const piece = memory.subarray(0, Math.min(memory.length, entry.end - at));
    await withFile(what, path, (file) => fill(file, dataStart + at, piece, {path, entry}));
    yield piece;
  }
}

/** @throws ERR_FORMAT where the file ends before */
async function fill(
  file: FileHandle,
  position: number,
  bytes: Uint8Array<ArrayBuffer>,
  {path, entry: {name, begin, end}}: {readonly path: string; readonly entry: TensorEntry},
): Promise<void> {
  const filled = await readInto(file, position, bytes);
  if (filled < bytes.length)
    throw new CrossmapError(
      'ERR_FORMAT',
      `safetensors file ${path} is cut off: tensor ${JSON.stringify(name)} has ${filled} of ${end - begin} bytes`,
    );
}
