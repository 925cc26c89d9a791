/** The bytes of a file, unpacked where it is gzip or Zstandard. */
import {createReadStream, type ReadStream} from 'node:fs';
import {open} from 'node:fs/promises';
import {createGunzip} from 'node:zlib';
import {Decompress} from 'fzstd';
import {CrossmapError} from '../../errors.js';

/** How a file is read. */
export interface ReadOptions {
  /** What names the file, for errors: `data.monolingual[0]`. */
  readonly option: string;
  /** Called with the bytes of the file, as they lie on the disk, that have been read since the last call. */
  readonly onBytes?: (bytes: number) => void;
  /** Stops the work: it then throws ERR_ABORTED. */
  readonly signal?: AbortSignal;
}

const chunkBytes = 1 << 18;

/** How a file is packed, by its first bytes, whatever its name. */
type Packing = 'none' | 'gzip' | 'zstd';

const unpackers: {readonly [K in Packing]: (bytes: ReadStream) => AsyncIterable<Buffer>} = {
  none: (bytes) => bytes,
  gzip: unpackGzip,
  zstd: unpackZstd,
};

/**
 * The content of a file in order, in pieces of some hundred thousand bytes.
 *
 * @throws what the file system and the unpackers throw: `readError` says what it means
 */
export async function* readBytes(file: string, {onBytes, signal}: ReadOptions): AsyncGenerator<Buffer> {
  const packing = await packingOf(file);
  const bytes = createReadStream(file, {highWaterMark: chunkBytes});
  bytes.on('data', (chunk) => onBytes?.(chunk.length));
  try {
    for await (const chunk of unpackers[packing](bytes)) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    bytes.destroy();
  }
}

/** Whether a file is gzip or Zstandard. */
export async function isPacked(file: string): Promise<boolean> {
  return (await packingOf(file)) !== 'none';
}

async function packingOf(file: string): Promise<Packing> {
  const handle = await open(file, 'r');
  try {
    const {bytesRead, buffer} = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead >= 2 && buffer.readUInt16BE(0) === 0x1f8b) return 'gzip';
    return bytesRead === 4 && buffer.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : 'none';
  } finally {
    await handle.close();
  }
}

async function* unpackGzip(bytes: ReadStream): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({chunkSize: chunkBytes});
  bytes.on('error', (error) => gunzip.destroy(error));
  try {
    yield* bytes.pipe(gunzip);
  } finally {
    gunzip.destroy();
  }
}

/** In plain JavaScript: Node unpacks it by itself from 22.15 on. */
async function* unpackZstd(bytes: ReadStream): AsyncGenerator<Buffer> {
  let unpacked: Buffer[] = [];
  const stream = new Decompress((chunk) => void unpacked.push(Buffer.from(chunk)));
  const push = (chunk: Uint8Array, isLast: boolean): void => {
    try {
      stream.push(chunk, isLast);
    } catch (cause) {
      throw new DamagedZstd(cause);
    }
  };
  for await (const chunk of bytes) {
    push(chunk, false);
    yield* unpacked;
    unpacked = [];
  }
  push(new Uint8Array(0), true);
  yield* unpacked;
}

class DamagedZstd extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : 'unknown fault', {cause});
  }
}

/**
 * What went wrong while a file was read, as a user can mend it.
 *
 * @param where in the file, after a comma: `after line 3`
 */
export function readError(
  file: string,
  {option, signal}: ReadOptions,
  where: string,
  cause: unknown,
): unknown {
  if (cause instanceof CrossmapError) return cause;
  if (signal?.aborted) return new CrossmapError('ERR_ABORTED', 'preparing the data was stopped', {cause});
  if (!(cause instanceof Error)) return cause;
  const code = 'code' in cause ? cause.code : undefined;
  const fail = (message: string): CrossmapError => new CrossmapError('ERR_DATA', message, {cause});
  if (code === 'ENOENT') return fail(`${file} does not exist; ${option} names it`);
  if (code === 'EISDIR') return fail(`${file} is a folder; ${option} must name a file`);
  if (code === 'Z_BUF_ERROR') return fail(`${file} is a gzip file cut short, ${where}`);
  if (typeof code === 'string' && code.startsWith('Z_'))
    return fail(`${file} is a damaged gzip file, ${where}: ${cause.message}`);
  if (cause instanceof DamagedZstd)
    return fail(`${file} is a Zstandard file that is damaged or cut short, ${where}: ${cause.message}`);
  return new CrossmapError('ERR_IO', `cannot read ${file}: ${cause.message}`, {cause});
}
