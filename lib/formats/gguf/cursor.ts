/** Reads the fields of a GGUF header one after the other, from its first bytes. */
import {CrossmapError} from '../../errors.js';
import {bigAccess, numberAccess, type GgufBigType, type GgufNumberType} from './values.js';

/** Thrown where the bytes at hand end before the header does, though the file goes on. */
export class MoreBytesNeeded extends Error {}

/** What bytes are read, and of which file. */
export interface HeaderBytes {
  /** The first bytes of the file. */
  readonly bytes: Uint8Array;
  /** Bytes of the file. */
  readonly fileBytes: number;
  /** For messages. */
  readonly path: string;
}

/** A place in a header. Each `what` names the field in messages. */
export interface Cursor {
  /** Bytes that have been read. */
  readonly offset: () => number;
  readonly uint32: (what: string) => number;
  /** A count, length or offset of 64 bits; above `max` it is refused. */
  readonly size: (what: string, max: number) => number;
  readonly text: (what: string) => string;
  readonly number: (what: string, type: GgufNumberType) => number;
  readonly big: (what: string, type: GgufBigType) => bigint;
  readonly truth: (what: string) => boolean;
}

const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/** @throws in its functions ERR_FORMAT where the file ends too early or a field is malformed, MoreBytesNeeded */
export function createCursor({bytes, fileBytes, path}: HeaderBytes): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  const take = (length: number, what: string): number => {
    if (length > fileBytes - offset)
      throw formatError(path, `ends inside ${what}: ${offset + length} bytes needed, it has ${fileBytes}`);
    if (length > bytes.length - offset) throw new MoreBytesNeeded();
    offset += length;
    return offset - length;
  };
  const size = (what: string, max: number): number => {
    const count = bigAccess('uint64').read(view, take(8, what));
    if (count > BigInt(max)) throw formatError(path, `has ${count} as ${what}; ${max} is the most`);
    return Number(count);
  };
  const number = (what: string, type: GgufNumberType): number => {
    const {bytes: length, read} = numberAccess(type);
    return read(view, take(length, what));
  };
  return {
    offset: () => offset,
    uint32: (what) => number(what, 'uint32'),
    size,
    text(what) {
      const length = size(`the length of ${what}`, fileBytes);
      const start = take(length, what);
      try {
        return decoder.decode(bytes.subarray(start, start + length));
      } catch (cause) {
        throw formatError(path, `has bytes that are no UTF-8 in ${what}`, cause);
      }
    },
    number,
    big: (what, type) => bigAccess(type).read(view, take(8, what)),
    truth(what) {
      const byte = view.getUint8(take(1, what));
      if (byte > 1) throw formatError(path, `has ${byte} as ${what}, a truth value: 0 or 1`);
      return byte === 1;
    },
  };
}

export function formatError(path: string, fault: string, cause?: unknown): CrossmapError {
  return new CrossmapError('ERR_FORMAT', `GGUF file ${path} ${fault}`, cause === undefined ? {} : {cause});
}
