/** GGUF files by hand, as the format describes them, sharing no code with reader and writer. */

/** A whole number of `bytes` bytes, little-endian. */
export function int(value: number | bigint, bytes: number): Buffer {
  const all = Buffer.alloc(8);
  all.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  return all.subarray(0, bytes);
}

export const u32 = (value: number): Buffer => int(value, 4);
export const u64 = (value: number | bigint): Buffer => int(value, 8);

export function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** A text with its length. */
export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

/** Codes of the types of values. */
export const code = {u8: 0, i8: 1, u32: 4, i32: 5, f32: 6, bool: 7, text: 8, array: 9, u64: 10} as const;

/** An entry of the metadata: key, type, value. */
export function entry(key: string, type: number, ...value: Buffer[]): Buffer {
  return Buffer.concat([text(key), u32(type), ...value]);
}

/** What a file says of a tensor; axes as the file has them, the contiguous one first. */
export function info(name: string, axes: readonly (number | bigint)[], type: number, offset: number): Buffer {
  return Buffer.concat([text(name), u32(axes.length), ...axes.map(u64), u32(type), u64(offset)]);
}

/** Parts of a file. */
export interface Parts {
  readonly magic?: string;
  readonly version?: number;
  readonly entries?: readonly Buffer[];
  readonly infos?: readonly Buffer[];
  readonly counts?: readonly [tensors: number | bigint, entries: number | bigint];
  readonly data?: Buffer;
  readonly alignment?: number;
}

/** Header, padding, data. */
export function file(parts: Parts): Buffer {
  const {
    magic = 'GGUF',
    version = 3,
    entries = [],
    infos = [],
    data = Buffer.alloc(0),
    alignment = 32,
  } = parts;
  const [tensors, values] = parts.counts ?? [infos.length, entries.length];
  const header = [Buffer.from(magic), u32(version), u64(tensors), u64(values), ...entries, ...infos];
  const length = header.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...header, Buffer.alloc((alignment - (length % alignment)) % alignment), data]);
}
