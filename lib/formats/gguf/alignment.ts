/** Where the tensors of a GGUF file may start. */
import type {GgufMetadata} from './values.js';

const usualAlignment = 32;

/** Readers compute with 32 bits. */
const maxAlignment = 2 ** 31;

/**
 * The multiple of bytes at which tensors start, by `general.alignment`.
 *
 * @returns undefined where what it says is no power of two of 8 at least
 */
export function alignmentOf(metadata: GgufMetadata): number | undefined {
  const entry = metadata.get('general.alignment');
  if (entry === undefined) return usualAlignment;
  if (entry.type !== 'uint32') return undefined;
  const {value} = entry;
  const isPower = Number.isInteger(Math.log2(value));
  return isPower && value >= 8 && value <= maxAlignment ? value : undefined;
}

/** The next multiple of the alignment. */
export function alignUp(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
