/** Reads and writes GGUF version 3, the files of llama.cpp. https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
import {open, type FileHandle} from 'node:fs/promises';
import {CrossmapError} from '../../errors.js';
import {publishFile} from '../atomic.js';
import {readAt, withFile} from '../read-file.js';
import {alignmentOf, alignUp} from './alignment.js';
import {formatError, MoreBytesNeeded} from './cursor.js';
import {encodeHeader, maxAxes, type TensorPlace} from './encode.js';
import {parseHeader, type GgufHeader} from './parse.js';
import {isTensorType, tensorBytes, type GgufTensorType} from './tensor-types.js';
import type {GgufMetadata} from './values.js';

/** A tensor to write. */
export interface GgufInput {
  /** Of 63 bytes at most: llama.cpp keeps 64, the last of them 0. */
  readonly name: string;
  /** How its elements are stored. */
  readonly type: GgufTensorType;
  /** Row-major, as everywhere in crossmap; the file has the axes the other way round. */
  readonly shape: readonly number[];
  /** The elements in little-endian, row-major order, in pieces: each is written before the next is asked for. */
  readonly data: () => AsyncIterable<Uint8Array>;
}

/** A tensor that a file has. */
export interface GgufInfo {
  /** How its elements are stored. */
  readonly type: GgufTensorType;
  /** Row-major. */
  readonly shape: readonly number[];
  /** Of its elements, as stored. */
  readonly bytes: number;
}

/** A file whose header has been read and checked. */
export interface GgufFile {
  /** What it says beside its tensors, by key. */
  readonly metadata: GgufMetadata;
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, GgufInfo>;
  /**
   * Reads one tensor into memory of its own, so that views of any element type fit.
   *
   * @throws ERR_ARGUMENT where there is no such tensor; ERR_FORMAT where the file has become shorter; ERR_IO
   */
  readonly read: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
}

const what = 'GGUF file';

/** Room of a name in llama.cpp without the 0 at its end. */
const maxNameBytes = 63;

/** What of a file is read first: a header with a small vocabulary; then that times `growth`, up to the longest header. */
const firstBytes = 2 ** 18;
const growth = 2 ** 3;

/** The longest header: ten times that of a vocabulary of 256,000. */
const maxHeaderBytes = 2 ** 27;

/**
 * Writes a file whole or not at all, one piece of a tensor in memory at a time, in the order given.
 *
 * @param content.metadata `general.alignment` in it is obeyed; default 32 bytes
 * @throws ERR_ARGUMENT where a name is used twice or too long, a value does not fit its type or bytes do not fit their shape; ERR_IO;
 *   what `data` throws
 */
export async function writeGguf(
  path: string,
  content: {readonly metadata: GgufMetadata; readonly tensors: Iterable<GgufInput>},
): Promise<void> {
  const {metadata} = content;
  const inputs = [...content.tensors];
  const alignment = alignmentOf(metadata);
  if (alignment === undefined)
    throw argumentError('metadata general.alignment must be a uint32 power of two of 8 at least');
  const places = layOut(inputs, alignment);
  const header = encodeHeader(metadata, places);
  if (header.length > maxHeaderBytes) throw argumentError(`the metadata exceed ${maxHeaderBytes} bytes`);
  await publishFile(path, async (temporary) => {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(header);
      for (const input of inputs) {
        const bytes = await writeTensor(file, input);
        await file.writeFile(new Uint8Array(alignUp(bytes, alignment) - bytes));
      }
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
export async function readGguf(path: string): Promise<GgufFile> {
  const {metadata, tensors, bytes: dataStart} = await withFile(what, path, (file) => readHeader(file, path));
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return {
    metadata,
    tensors: new Map(tensors.map(({name, type, shape, bytes}) => [name, {type, shape, bytes}])),
    async read(name) {
      const place = byName.get(name);
      if (place !== undefined)
        return withFile(what, path, (file) => readTensor(file, {path, dataStart, place}));
      throw new CrossmapError('ERR_ARGUMENT', `GGUF file ${path} has no tensor ${JSON.stringify(name)}`);
    },
  };
}

function layOut(inputs: readonly GgufInput[], alignment: number): TensorPlace[] {
  const names = new Set<string>();
  let end = 0;
  return inputs.map(({name, type, shape}) => {
    const where = `tensor ${JSON.stringify(name)}`;
    if (names.has(name)) throw argumentError(`${where} has a name that is taken`);
    names.add(name);
    if (Buffer.byteLength(name) > maxNameBytes)
      throw argumentError(`${where} has a name of more than ${maxNameBytes} bytes`);
    if (!isTensorType(type)) throw argumentError(`${where} has type ${String(type)}, which is not known`);
    const begin = alignUp(end, alignment);
    const bytes = tensorBytes(type, shape);
    if (shape.length > maxAxes || !Number.isSafeInteger(begin + bytes))
      throw argumentError(
        `${where} has shape [${shape.join(', ')}], which is not ${maxAxes} whole numbers at most, in range, with rows of whole blocks`,
      );
    end = begin + bytes;
    return {name, type, shape, begin, bytes};
  });
}

/** Writes the pieces of a tensor. Returns their bytes, which are those of its shape. */
async function writeTensor(file: FileHandle, {name, type, shape, data}: GgufInput): Promise<number> {
  const needed = tensorBytes(type, shape);
  let bytes = 0;
  for await (const piece of data()) {
    bytes += piece.length;
    if (bytes <= needed) await file.writeFile(piece);
  }
  if (bytes === needed) return bytes;
  throw argumentError(
    `tensor ${JSON.stringify(name)} needs ${needed} bytes for ${type} [${shape.join(', ')}]; got ${bytes}`,
  );
}

/** A header does not say how long it is: it is read in a stretch that grows until it holds all of it. */
async function readHeader(file: FileHandle, path: string): Promise<GgufHeader> {
  const {size: fileBytes} = await file.stat();
  for (let length = firstBytes; length <= maxHeaderBytes; length *= growth) {
    const bytes = await readAt(file, 0, Math.min(length, fileBytes));
    try {
      return parseHeader({bytes, fileBytes, path});
    } catch (error) {
      if (!(error instanceof MoreBytesNeeded)) throw error;
    }
  }
  throw formatError(path, `has a header of more than ${maxHeaderBytes} bytes`);
}

interface Place {
  readonly path: string;
  readonly dataStart: number;
  readonly place: TensorPlace;
}

async function readTensor(
  file: FileHandle,
  {path, dataStart, place: {name, begin, bytes}}: Place,
): Promise<Uint8Array<ArrayBuffer>> {
  const data = await readAt(file, dataStart + begin, bytes);
  if (data.length === bytes) return data;
  throw formatError(path, `is cut off: tensor ${JSON.stringify(name)} has ${data.length} of ${bytes} bytes`);
}

function argumentError(fault: string): CrossmapError {
  return new CrossmapError('ERR_ARGUMENT', `writeGguf: ${fault}`);
}
