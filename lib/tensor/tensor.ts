/** A tensor: a contiguous, row-major array in the memory of a device. */
import {CrossmapError} from '../errors.js';
import {native, type NativeTensor} from '../native.js';
import type {Device} from './device.js';
import {arrayFor, bytesOf, isFloatDType, type ArrayOf, type DType} from './dtype.js';
import {track} from './scope.js';
import {shapeText} from './shape-text.js';

/**
 * A contiguous, row-major array on a device. It holds native memory until `dispose()`, the end of its `scope`, or, at the
 * latest, until it is garbage collected. Tensors are made by `tensor`, `zeros`, `full`, `normal`, `uniform` and by ops.
 */
export class Tensor {
  /** Sizes of the axes, slowest first; `[]` is a scalar. */
  readonly shape: readonly number[];

  /** Type of the elements. */
  readonly dtype: DType;

  /** Where the elements lie, and where ops on them run. */
  readonly device: Device;

  readonly #native: NativeTensor;

  /** @param handle is the tensor's own from now on */
  private constructor(handle: NativeTensor) {
    this.shape = handle.shape;
    this.dtype = handle.dtype;
    this.device = handle.device as Device; // oxlint-disable-line typescript/no-unsafe-type-assertion -- the native boundary
    this.#native = handle;
  }

  /** A tensor on a native handle, which becomes its own; the innermost scope frees it. For authors of ops. */
  static fromNative(handle: NativeTensor): Tensor {
    const tensor = new Tensor(handle);
    track(tensor);
    return tensor;
  }

  /** Like `fromNative`, but no scope frees it. */
  static untracked(handle: NativeTensor): Tensor {
    return new Tensor(handle);
  }

  /** The native handle, for authors of ops. @throws ERR_DISPOSED */
  get native(): NativeTensor {
    if (this.#native.isDisposed)
      throw new CrossmapError(
        'ERR_DISPOSED',
        `tensor: ${this.dtype} [${this.shape.join(', ')}] was used after it had been disposed of`,
      );
    return this.#native;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** Bytes of all elements. */
  get bytes(): number {
    return this.size * bytesOf(this.dtype);
  }

  /** Whether the memory has been given back: further use throws ERR_DISPOSED. */
  get isDisposed(): boolean {
    return this.#native.isDisposed;
  }

  /**
   * The elements, once the ops enqueued so far have run; `bfloat16` and `float16` as their 16 bits.
   *
   * @throws ERR_DISPOSED; the first fault of the ops before (ERR_INDEX, ERR_OUT_OF_MEMORY)
   */
  async data(): Promise<ArrayOf[DType]> {
    return this.#read(this.dtype);
  }

  /**
   * The elements as float32, from any dtype.
   *
   * @throws as `data`
   */
  async floats(): Promise<Float32Array<ArrayBuffer>> {
    return this.#read('float32');
  }

  /**
   * The one element of a tensor of size 1, as a number.
   *
   * @throws ERR_SHAPE where there are more elements or none; as `data`
   */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new CrossmapError(
        'ERR_SHAPE',
        `item: the tensor must have one element; got [${this.shape.join(', ')}]`,
      );
    const elements = isFloatDType(this.dtype) ? await this.floats() : await this.data();
    return Number(elements[0]);
  }

  /**
   * `data` that waits: this thread does nothing else until the ops enqueued so far have run. For code that cannot wait otherwise,
   * such as a gradient function of another library; where there is an `await`, `data` leaves the event loop free.
   *
   * @throws as `data`
   */
  dataSync(): ArrayOf[DType] {
    return this.#readSync(this.dtype);
  }

  /**
   * `floats` that waits, as `dataSync` does.
   *
   * @throws as `data`
   */
  floatsSync(): Float32Array<ArrayBuffer> {
    return this.#readSync('float32');
  }

  /**
   * The same memory in another shape; one size may be -1: what is left. No gradient passes; `reshape` of the ops passes it.
   *
   * @throws ERR_SHAPE, ERR_DISPOSED
   */
  view(shape: readonly number[]): Tensor {
    const sizes = inferSize(shape, this);
    return Tensor.fromNative(native.view(this.native, sizes, 0));
  }

  /**
   * Rows `start` to `end` (left out) of the first axis, in the same memory. No gradient passes; `sliceRows` of the ops passes it.
   *
   * @throws ERR_SHAPE, ERR_ARGUMENT, ERR_DISPOSED
   */
  rows(start: number, end: number): Tensor {
    const [rows, ...rest] = this.shape;
    if (rows === undefined)
      throw new CrossmapError('ERR_SHAPE', 'rows: the tensor must have at least 1 axis; got []');
    if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > rows)
      throw new CrossmapError(
        'ERR_ARGUMENT',
        `rows: start and end must be whole numbers with 0 <= start <= end <= ${rows}; got ${start} and ${end}`,
      );
    const rowSize = rest.reduce((product, size) => product * size, 1);
    return Tensor.fromNative(native.view(this.native, [end - start, ...rest], start * rowSize));
  }

  /**
   * Overwrites the elements with those of another tensor, in order with the ops: what was enqueued before reads the old ones. For
   * caches and for weights that are loaded; a tensor whose backward pass is still to come must not be written to.
   *
   * @param from of the same shape, dtype and device; the two do not overlap
   * @throws ERR_SHAPE, ERR_DTYPE, ERR_DEVICE, ERR_DISPOSED
   */
  copyFrom(from: Tensor): void {
    native.copyInto(this.native, from.native);
  }

  /** Gives the memory back, once the ops enqueued so far have run. Further calls do nothing. */
  dispose(): void {
    this.#native.dispose();
  }

  /** `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  async #read<D extends DType>(dtype: D): Promise<ArrayOf[D]> {
    const elements = arrayFor(dtype, this.size);
    if (dtype === this.dtype) {
      await native.copyTo(this.native, elements);
      return elements;
    }
    const converted = native.cast(this.native, dtype);
    try {
      await native.copyTo(converted, elements);
    } finally {
      converted.dispose();
    }
    return elements;
  }

  #readSync<D extends DType>(dtype: D): ArrayOf[D] {
    const elements = arrayFor(dtype, this.size);
    if (dtype === this.dtype) {
      native.copyToNow(this.native, elements);
      return elements;
    }
    const converted = native.cast(this.native, dtype);
    try {
      native.copyToNow(converted, elements);
    } finally {
      converted.dispose();
    }
    return elements;
  }
}

/** Of a new shape: holes of an array cost nothing to make, and long to walk. */
const mostAxes = 64;

/** Replaces the size -1 by what is left of the elements. */
function inferSize(shape: readonly number[], {shape: from, size}: Tensor): readonly number[] {
  if (shape.length > mostAxes)
    throw new CrossmapError(
      'ERR_SHAPE',
      `reshape: a shape has at most ${mostAxes} axes; got ${shape.length}`,
    );
  // Values of another type would become texts and numbers in a product.
  const areSizes = shape.every((each) => typeof each === 'number');
  const known = areSizes ? shape.reduce((product, each) => (each === -1 ? product : product * each), 1) : 0;
  const unknown = areSizes ? shape.filter((each) => each === -1).length : -1;
  const left = known === 0 ? 0 : size / known;
  const fits = unknown === 0 ? known === size : unknown === 1 && known > 0 && Number.isInteger(left);
  if (!fits)
    throw new CrossmapError(
      'ERR_SHAPE',
      `reshape: ${shapeText(shape)} must have the ${size} elements of ${shapeText(from)}`,
    );
  return shape.map((each) => (each === -1 ? left : each));
}
