/** Elements of a file from one float dtype into another. */
import {CrossmapError} from '../errors.js';
import {bytesOf, isFloatDType, tensor, type DType, type FloatDType} from '../tensor/index.js';

/** Elements that are converted at once: what lies in native memory beside the bytes stays small. */
const elementsAtOnce = 2 ** 20;

/**
 * Converts elements, rounding to nearest.
 *
 * @param bytes elements of dtype `from`, little-endian, starting where any element may
 * @param what names the tensor in errors
 * @returns the same bytes where the dtypes are equal; else new ones
 * @throws ERR_FORMAT where elements are no floats, or exceed what float16 can hold
 */
export async function converted(
  bytes: Uint8Array<ArrayBuffer>,
  from: DType,
  to: FloatDType,
  what: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (from === to) return bytes;
  if (!isFloatDType(from))
    throw new CrossmapError('ERR_FORMAT', `${what} is ${from}; float32, bfloat16 or float16 is needed`);
  const count = bytes.length / bytesOf(from);
  const result = new Uint8Array(count * bytesOf(to));
  for (let start = 0; start < count; start += elementsAtOnce) {
    const length = Math.min(elementsAtOnce, count - start);
    const at = bytes.byteOffset + start * bytesOf(from);
    const part = await castPart(viewOf(bytes.buffer, from, at, length), from, to);
    if (to === 'float16') refuseInfinities(part, what);
    result.set(part, start * bytesOf(to));
  }
  return result;
}

/**
 * Converts a tensor that comes in pieces of whole elements.
 *
 * @returns pieces, each good until the next is asked for
 * @throws as `converted`
 */
export async function* convertedPieces(
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
  from: DType,
  to: FloatDType,
  what: string,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  for await (const piece of pieces) yield await converted(piece, from, to, what);
}

/** Elements as float32. @param bytes of any float dtype @throws as `converted` */
export async function floatsOf(
  bytes: Uint8Array<ArrayBuffer>,
  from: DType,
  what: string,
): Promise<Float32Array<ArrayBuffer>> {
  const wide = await converted(bytes, from, 'float32', what);
  return new Float32Array(wide.buffer, wide.byteOffset, wide.length / 4);
}

function viewOf(
  buffer: ArrayBuffer,
  dtype: FloatDType,
  at: number,
  length: number,
): Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  return dtype === 'float32' ? new Float32Array(buffer, at, length) : new Uint16Array(buffer, at, length);
}

async function castPart(
  elements: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>,
  from: FloatDType,
  to: FloatDType,
): Promise<Uint8Array<ArrayBuffer>> {
  using source = tensor(elements, {dtype: from});
  const floats = from === 'float32' ? undefined : await source.floats();
  if (to === 'float32' && floats !== undefined) return new Uint8Array(floats.buffer);
  using target = tensor(floats ?? elements, {dtype: to});
  const {buffer, byteOffset, byteLength} = await target.data();
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** What float16 cannot hold becomes infinite, and a model with it is worth nothing. */
function refuseInfinities(part: Uint8Array<ArrayBuffer>, what: string): void {
  const bits = new Uint16Array(part.buffer, part.byteOffset, part.length / 2);
  if (bits.some((each) => (each & 0x7c00) === 0x7c00))
    throw new CrossmapError(
      'ERR_FORMAT',
      `${what} has values that float16 cannot hold; choose bfloat16 or float32`,
    );
}
