/** Stopping an evaluation between two pieces of work. */
import {CrossmapError} from '../errors.js';

/** @throws ERR_ABORTED where the signal says so */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new CrossmapError('ERR_ABORTED', 'evaluation: stopped by its signal');
}
