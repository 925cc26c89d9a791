/** Long work that leaves the event loop free, can be stopped and tells how far it is. */
import {setImmediate} from 'node:timers/promises';
import {CrossmapError} from '../errors.js';

/** Longest time that work holds the event loop. */
const holdMs = 12;

/** Lets other work of the process run now and then. */
export interface Breather {
  /**
   * Gives way if the work has held the event loop for long.
   *
   * @throws ERR_ABORTED once the signal is aborted
   */
  breathe(): Promise<void>;
}

/** A breather over an optional signal. */
export function createBreather(signal: AbortSignal | undefined): Breather {
  let last = performance.now();
  return {
    async breathe() {
      if (performance.now() - last > holdMs) {
        await setImmediate();
        last = performance.now();
      }
      if (signal?.aborted)
        throw new CrossmapError('ERR_ABORTED', 'preparing the data was stopped', {cause: signal.reason});
    },
  };
}
