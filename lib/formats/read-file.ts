/** Reads of files whose parts are looked up by their place. */
import {open, type FileHandle} from 'node:fs/promises';
import {CrossmapError} from '../errors.js';

/**
 * Opens a file for reading, and closes it after the work.
 *
 * @param what it is, for an error: `safetensors file`
 * @throws ERR_IO, with the path; what `work` throws
 */
export async function withFile<T>(
  what: string,
  path: string,
  work: (file: FileHandle) => Promise<T>,
): Promise<T> {
  try {
    const file = await open(path, 'r');
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
    throw new CrossmapError('ERR_IO', `${what} ${path} cannot be read: ${cause.message}`, {cause});
  }
}

/** Bytes from `position` on: fewer than asked for only where the file ends. */
export async function readAt(
  file: FileHandle,
  position: number,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const data = new Uint8Array(bytes);
  const filled = await readInto(file, position, data);
  return filled === bytes ? data : data.slice(0, filled);
}

/** Fills `data` from `position` on. @returns bytes read: fewer than it holds only where the file ends */
export async function readInto(file: FileHandle, position: number, data: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < data.length) {
    const length = Math.min(data.length - filled, 2 ** 30); // one call reads less than 2^31 bytes
    const {bytesRead} = await file.read(data, filled, length, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
