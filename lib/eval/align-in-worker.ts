/** Measures alignment on a thread of its own: a second of arithmetic, which must not hold the event loop. */
import {once} from 'node:events';
import {Worker} from 'node:worker_threads';
import {CrossmapError, isErrorCode} from '../errors.js';
import type {MeasuredAlignment, PairVectors} from './alignment.js';
import type {WorkerAnswer} from './alignment-worker.js';
import {checkSignal} from './checked-signal.js';
import type {PairAlignment} from './results.js';

/** `alignPair` beside the event loop. @throws as it; ERR_ABORTED */
export async function alignInWorker(
  vectors: PairVectors,
  signal: AbortSignal | undefined,
): Promise<PairAlignment> {
  return (await measureInWorker(vectors, signal)).alignment;
}

/** `measureAlignment` beside the event loop. @throws as it; ERR_ABORTED */
export async function measureInWorker(
  vectors: PairVectors,
  signal: AbortSignal | undefined,
): Promise<MeasuredAlignment> {
  const worker = new Worker(new URL('./alignment-worker.js', import.meta.url), {workerData: vectors});
  try {
    const [message] = await once(worker, 'message', signal && {signal});
    const answer: WorkerAnswer = message;
    if ('measured' in answer) return answer.measured;
    throw new CrossmapError(isErrorCode(answer.code) ? answer.code : 'ERR_INTERNAL', answer.message);
  } catch (error) {
    checkSignal(signal);
    throw error;
  } finally {
    await worker.terminate();
  }
}
