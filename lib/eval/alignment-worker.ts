/** The thread on which alignment is measured: reads its work, sends one answer. */
import {parentPort, workerData} from 'node:worker_threads';
import {CrossmapError} from '../errors.js';
import {measureAlignment, type MeasuredAlignment, type PairVectors} from './alignment.js';

/** The alignment, or an error of ours, whose class would be lost on the way. */
export type WorkerAnswer =
  {readonly measured: MeasuredAlignment} | {readonly code: string; readonly message: string};

const vectors: PairVectors = workerData;
parentPort?.postMessage(answer(vectors)); // oxlint-disable-line unicorn/require-post-message-target-origin -- a port has no origin, a window has

function answer(work: PairVectors): WorkerAnswer {
  try {
    return {measured: measureAlignment(work)};
  } catch (error) {
    if (error instanceof CrossmapError) return {code: error.code, message: error.message};
    throw error;
  }
}
