/** A run goes on where only what it could do without finds no memory. */
import {CrossmapError} from '../errors.js';

/** Whether an error says that the device has no memory left. */
export function isOutOfMemory(error: unknown): error is CrossmapError {
  return error instanceof CrossmapError && error.code === 'ERR_OUT_OF_MEMORY';
}
