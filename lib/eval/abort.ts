/** Stopping an evaluation. */
import {CrossmapError} from '../errors.js';

/** @throws ERR_ABORTED once the signal is aborted */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

export function abortError({reason}: AbortSignal): CrossmapError {
  return new CrossmapError('ERR_ABORTED', 'the evaluation was stopped', {cause: reason});
}
