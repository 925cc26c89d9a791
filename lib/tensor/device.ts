/** Devices: where tensors lie and ops run. */
import {addonInUse, native} from '../native.js';

export {requireDevice} from '../native.js';

/** A kind of device. Which of them this build and machine have, `devices()` tells. */
export type Device = 'cpu' | 'cuda' | 'simt';

/** Memory of a device in bytes. */
export interface MemoryUse {
  /** Held by living tensors and by what the tape keeps. */
  readonly allocatedBytes: number;
  /** Kept for tensors to come. */
  readonly cachedBytes: number;
  /** Most bytes allocated at one time since the last `resetPeakMemory`. */
  readonly peakBytes: number;
}

/**
 * The devices that can be used here, the preferred one first: cuda, where the addon with CUDA is built and there is a driver and a GPU
 * for it, then cpu. The emulated GPU, simt, comes last and only where it was asked for (`requireDevice`, or CROSSMAP_DEVICE).
 *
 * @throws ERR_ADDON
 */
export function devices(): readonly Device[] {
  return native.devices();
}

/**
 * Why `devices()` has no cuda; undefined where it has.
 *
 * @throws ERR_ADDON
 */
export function whyNoCuda(): string | undefined {
  const {noCuda} = addonInUse();
  if (noCuda !== undefined) return noCuda;
  if (native.devices().includes('cuda')) return undefined;
  const cuda = native.cudaInfo();
  return cuda === undefined || native.devices().includes('simt')
    ? 'the addon in use is built without it'
    : cuda.reason;
}

/** @throws ERR_DEVICE where the device does not exist here */
export function memory(device: Device = 'cpu'): MemoryUse {
  return native.memory(device);
}

/** Starts the measurement of `peakBytes` anew. @throws ERR_DEVICE */
export function resetPeakMemory(device: Device = 'cpu'): void {
  native.resetPeak(device);
}

/** Gives cached memory back to the system, once the ops enqueued so far have run. @throws ERR_DEVICE */
export function emptyCache(device: Device = 'cpu'): void {
  native.emptyCache(device);
}

/**
 * Resolves once all ops enqueued so far have been executed.
 *
 * @throws ERR_DEVICE; the first fault of these ops, with its op's name (ERR_INDEX, ERR_OUT_OF_MEMORY)
 */
export function synchronize(device: Device = 'cpu'): Promise<void> {
  return native.synchronize(device);
}

/**
 * Threads of the CPU device; default one for each core. Results do not depend on their number.
 *
 * @param threads 1 to 1024
 * @throws ERR_ARGUMENT
 */
export function setThreads(threads: number): void {
  native.setThreads(threads);
}
