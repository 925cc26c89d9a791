/**
 * Token files: tokenised texts one after the other, mapped into memory and read in any order.
 *
 *     header    128 bytes: magic, version, bytes per token, texts, tokens; at 64 the SHA-256 of all behind it, then of its first 64 bytes
 *     tokens    uint16 or uint32 [tokens], filled up to a multiple of 8 bytes
 *     starts    float64 [texts + 1]: first token of each text, then the number of tokens
 *     bytes     uint32 [texts]: UTF-8 bytes of each text
 *     textIds   uint32 [texts]: equal for equal text
 *
 * Numbers are little-endian.
 */
import {createHash} from 'node:crypto';
import {open, type FileHandle} from 'node:fs/promises';
import {CrossmapError} from '../../errors.js';
import {native} from '../../native.js';
import {createNumberList} from '../corpus/numbers.js';
import type {Breather} from '../pace.js';

const headerBytes = 128;
const magic = 'crossmap tokens\n';
const version = 1;
const digestAt = 64;
const digestBytes = 32;

/** Bytes hashed or written at once. */
const blockBytes = 1 << 22;

/** An open token file. */
export interface Shard {
  /** Number of texts. */
  readonly texts: number;
  /** Tokens of all texts. */
  readonly tokens: number;
  /** UTF-8 bytes of all texts. */
  readonly bytes: number;
  /** SHA-256 of the contents, hexadecimal. */
  readonly digest: string;
  /** [tokens of the text] a view of the mapped file. */
  text(index: number): Uint16Array | Uint32Array;
  /** Tokens of a text. */
  length(index: number): number;
  /** UTF-8 bytes of a text. */
  byteLength(index: number): number;
  /** Equal for equal text. */
  textId(index: number): number;
}

/** What a text is stored as. */
export interface StoredText {
  readonly tokens: Int32Array;
  readonly bytes: number;
  readonly textId: number;
}

/** A token file that is being written. */
export interface ShardWriter {
  add(text: StoredText): void;
  /** Writes what has come together, once it is much. */
  drain(): Promise<void>;
  /** Writes the tables and the header; before that the file is no shard. Returns the digest. */
  finish(): Promise<string>;
  /** Closes the file, finished or not. */
  close(): Promise<void>;
}

/**
 * Starts a token file.
 *
 * @param vocabSize decides the bytes of a token
 * @throws ERR_IO
 */
export async function createShard(path: string, vocabSize: number): Promise<ShardWriter> {
  const tokenBytes = vocabSize <= 65536 ? 2 : 4;
  const file = await open(path, 'wx');
  const output = createOutput(file);
  const [starts, bytes, textIds] = [createNumberList(), createNumberList(), createNumberList()];
  let tokens = 0;
  return {
    add(text) {
      starts.push(tokens);
      bytes.push(text.bytes);
      textIds.push(text.textId);
      tokens += text.tokens.length;
      output.add(tokenBytes === 2 ? Uint16Array.from(text.tokens) : Uint32Array.from(text.tokens));
    },
    drain: output.drain,
    async finish() {
      output.add(new Uint8Array(padding(tokens * tokenBytes)));
      starts.push(tokens);
      output.add(starts.values());
      output.add(Uint32Array.from(bytes.values()));
      output.add(Uint32Array.from(textIds.values()));
      return output.finish(headerStart({tokenBytes, texts: bytes.length, tokens}));
    },
    close: () => file.close(),
  };
}

interface Output {
  add(values: Uint8Array | Uint16Array | Uint32Array | Float64Array): void;
  drain(): Promise<void>;
  /** Writes what waits, and the header with the digest. */
  finish(start: Buffer): Promise<string>;
}

/** Collects small writes behind the place of the header. */
function createOutput(file: FileHandle): Output {
  const hash = createHash('sha256');
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let position = headerBytes;
  const flush = async (): Promise<void> => {
    const block = Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    hash.update(block);
    await writeWhole(file, block, position);
    position += block.length;
  };
  return {
    add({buffer, byteOffset, byteLength}) {
      waiting.push(new Uint8Array(buffer, byteOffset, byteLength));
      waitingBytes += byteLength;
    },
    async drain() {
      if (waitingBytes >= blockBytes) await flush();
    },
    async finish(start) {
      await flush();
      const digest = hash.update(start).digest();
      await writeWhole(file, Buffer.concat([start, digest], headerBytes), 0);
      return digest.toString('hex');
    },
  };
}

/** A disk that fills up takes a part of what it is given, and says so by a count alone; what is left then fails. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const {bytesWritten} = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

interface HeaderStart {
  readonly tokenBytes: 2 | 4;
  readonly texts: number;
  readonly tokens: number;
}

function headerStart({tokenBytes, texts, tokens}: HeaderStart): Buffer {
  const bytes = Buffer.alloc(digestAt);
  bytes.write(magic, 'latin1');
  bytes.writeUInt32LE(version, 16);
  bytes.writeUInt32LE(tokenBytes, 20);
  bytes.writeDoubleLE(texts, 24);
  bytes.writeDoubleLE(tokens, 32);
  return bytes;
}

/**
 * Opens a token file and reads all of it once, to be sure that it is what was written.
 *
 * @throws ERR_FORMAT for a file that is truncated, damaged or of another version; ERR_IO; ERR_ABORTED
 */
export async function openShard(path: string, breather: Breather): Promise<Shard> {
  const file = native.mapFile(path);
  const {tokenBytes, texts, tokens} = readHeader(path, file);
  const digest = Buffer.from(file.subarray(digestAt, digestAt + digestBytes));
  const hash = createHash('sha256');
  for (let at = headerBytes; at < file.length; at += blockBytes) {
    hash.update(file.subarray(at, at + blockBytes));
    await breather.breathe();
  }
  hash.update(file.subarray(0, digestAt));
  if (!hash.digest().equals(digest)) throw broken(path, 'its contents do not match their checksum');

  const startsAt = headerBytes + tokens * tokenBytes + padding(tokens * tokenBytes);
  const bytesAt = startsAt + 8 * (texts + 1);
  const at = (offset: number): [ArrayBufferLike, number] => [file.buffer, file.byteOffset + offset];
  const ids =
    tokenBytes === 2
      ? new Uint16Array(...at(headerBytes), tokens)
      : new Uint32Array(...at(headerBytes), tokens);
  const starts = new Float64Array(...at(startsAt), texts + 1);
  const bytes = new Uint32Array(...at(bytesAt), texts);
  const textIds = new Uint32Array(...at(bytesAt + 4 * texts), texts);
  return {
    texts,
    tokens,
    bytes: bytes.reduce((sum, one) => sum + one, 0),
    digest: digest.toString('hex'),
    text: (index) => ids.subarray(starts[index], starts[index + 1]),
    length: (index) => (starts[index + 1] ?? 0) - (starts[index] ?? 0),
    byteLength: (index) => bytes[index] ?? 0,
    textId: (index) => textIds[index] ?? 0,
  };
}

function readHeader(path: string, file: Uint8Array): HeaderStart {
  const bytes = Buffer.from(file.buffer, file.byteOffset, Math.min(file.length, headerBytes));
  if (bytes.length < headerBytes || bytes.toString('latin1', 0, magic.length) !== magic)
    throw broken(path, 'it is no token file');
  const found = bytes.readUInt32LE(16);
  if (found !== version) throw broken(path, `it has version ${found}; this program reads version ${version}`);
  const tokenBytes = bytes.readUInt32LE(20) === 2 ? 2 : 4;
  const [texts, tokens] = [bytes.readDoubleLE(24), bytes.readDoubleLE(32)];
  const expected = headerBytes + tokens * tokenBytes + padding(tokens * tokenBytes) + 16 * texts + 8;
  if (file.length !== expected) throw broken(path, `it has ${file.length} bytes instead of ${expected}`);
  return {tokenBytes, texts, tokens};
}

function broken(path: string, what: string): CrossmapError {
  return new CrossmapError(
    'ERR_FORMAT',
    `${path} is damaged: ${what}; remove its folder, and the data is prepared anew`,
  );
}

function padding(bytes: number): number {
  return (8 - (bytes % 8)) % 8;
}
