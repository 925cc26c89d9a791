/** A thread that scans batches: one answer for each, in their order. */
import {parentPort, workerData} from 'node:worker_threads';
import {CrossmapError} from '../../errors.js';
import type {FilterOptions} from './filter.js';
import {
  scanDocuments,
  scanPairs,
  type DocumentBatch,
  type DocumentJob,
  type PairBatch,
  type PairJob,
} from './scan-batch.js';

/** A batch, or an error of ours, whose class would be lost on the way. */
export type ScanAnswer =
  {readonly batch: DocumentBatch | PairBatch} | {readonly code: string; readonly message: string};

const filters: FilterOptions = workerData;

parentPort?.on('message', (job: DocumentJob | PairJob) => {
  const answer = answerTo(job);
  parentPort?.postMessage(answer, 'batch' in answer ? buffersOf(answer.batch) : []);
});

function answerTo(job: DocumentJob | PairJob): ScanAnswer {
  try {
    return {batch: 'documents' in job ? scanDocuments(job, filters) : scanPairs(job, filters)};
  } catch (error) {
    if (error instanceof CrossmapError) return {code: error.code, message: error.message};
    throw error;
  }
}

/** What is moved rather than copied. */
function buffersOf(batch: DocumentBatch | PairBatch): ArrayBuffer[] {
  const {signatures, ...rest} = batch;
  return [...Object.values(rest), ...Object.values(signatures ?? {})]
    .filter((value) => ArrayBuffer.isView(value))
    .map(({buffer}) => buffer)
    .filter((buffer) => buffer instanceof ArrayBuffer);
}
