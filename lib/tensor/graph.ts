/** Recording ops of a GPU once and executing them many times, which costs one call instead of one for each op. */
import {CrossmapError} from '../errors.js';
import {native, type NativeGraph} from '../native.js';
import type {Device} from './device.js';
import {scope} from './scope.js';
import {Tensor} from './tensor.js';

/** Ops that were recorded. They hold device memory until they are disposed of. */
export interface Captured<T> {
  /** What the work returned. Its tensors get their elements from each `replay`; they go with the recording, or the innermost scope. */
  readonly result: T;
  /**
   * Enqueues the ops again: they read what the inputs hold now, and overwrite the result.
   *
   * @throws ERR_DISPOSED, ERR_DEVICE
   */
  replay(): void;
  /** Frees the recording and its results. Further calls do nothing. */
  dispose(): void;
  /** `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void;
}

/** How ops are recorded. */
export interface CaptureOptions {
  /**
   * A recording on the same device, whose memory this one uses too: what either has computed holds until the other is replayed.
   * Default: memory of its own.
   */
  readonly sharing?: Captured<unknown>;
}

const graphs = new WeakMap<Captured<unknown>, NativeGraph>();

/** Whether `captured` can record ops on the device: on a GPU, or the emulated one. @throws ERR_DEVICE where there is no such device */
export function canCapture(device: Device): boolean {
  return native.canCapture(device);
}

/**
 * Records the ops that `work` calls, as a CUDA graph. Nothing is executed before the first `replay`. Shapes, numbers among the options
 * and the memory of all tensors are those of the recording: what is to change between replays must stand in an input, whose elements
 * `copyFrom` replaces.
 *
 * @param inputs tensors from outside that `work` reads or writes, on one device, which is not the CPU. The recording keeps them; what
 *   else it reads must live as long as it does
 * @param work calls ops; it makes no tensors from values of the host, and reads none
 * @throws ERR_DEVICE where the device records nothing; ERR_ARGUMENT where there is no input, or `work` copies from or to the host or is
 *   asynchronous; ERR_DISPOSED where `sharing` has been disposed of; what `work` throws
 */
export function captured<T>(
  inputs: readonly Tensor[],
  work: () => T,
  {sharing}: CaptureOptions = {},
): Captured<T> {
  const [first] = inputs;
  if (first === undefined) throw new CrossmapError('ERR_ARGUMENT', 'captured: there must be an input');
  const {device} = first;
  const other = inputs.find((input) => input.device !== device);
  if (other)
    throw new CrossmapError(
      'ERR_DEVICE',
      `captured: all inputs must be on one device; got ${device} and ${other.device}`,
    );
  const kept = inputs.map((input) => Tensor.untracked(input.native.retain()));
  const release = (): void => {
    for (const each of kept) each.dispose();
  };
  try {
    native.beginCapture(device, sharing && graphs.get(sharing));
  } catch (error) {
    release();
    throw error;
  }
  let outcome: {readonly result: T} | undefined;
  let graph: NativeGraph | undefined;
  try {
    outcome = {result: scope(work)};
    graph = native.endCapture(device);
  } finally {
    if (graph === undefined) {
      // Recording ends whatever happened; the error of the work is the one to tell.
      if (outcome === undefined) abandon(device);
      disposeTensors(outcome?.result);
      release();
    }
  }
  const {result} = outcome;
  const dispose = (): void => {
    graph.dispose();
    disposeTensors(result);
    release();
  };
  const recording = {result, replay: () => native.replay(graph), dispose, [Symbol.dispose]: dispose};
  graphs.set(recording, graph);
  return recording;
}

function abandon(device: Device): void {
  try {
    native.endCapture(device).dispose();
  } catch {
    // The device could not record what was called: the error that led here says so.
  }
}

/** The tensors of a value: itself, or those in its arrays and plain objects. */
function disposeTensors(value: unknown): void {
  if (value instanceof Tensor) value.dispose();
  else if (Array.isArray(value)) for (const item of value) disposeTensors(item);
  else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) disposeTensors(item);
}
