/** Devices: where tensors lie and ops run. */
import {native} from '../native.js';

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

/** The devices that can be used here, the preferred one first. */
export function devices(): readonly Device[] {
  return native.devices();
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
