/** A file as bytes in memory. */
import {readFileSync} from 'node:fs';
import {CrossmapError} from '../../errors.js';

/**
 * The bytes of a file, at an address that suits every dtype.
 *
 * @throws ERR_IO
 */
export function mapFile(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CrossmapError('ERR_IO', `cannot read ${path}: ${reason}`, {cause});
  }
}
