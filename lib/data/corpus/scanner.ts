/** Scans batches of text on as many threads as are wanted. */
import {Worker} from 'node:worker_threads';
import {CrossmapError, isErrorCode} from '../../errors.js';
import type {FilterOptions} from './filter.js';
import {
  scanDocuments,
  scanPairs,
  type DocumentBatch,
  type DocumentJob,
  type PairBatch,
  type PairJob,
} from './scan-batch.js';
import type {ScanAnswer} from './scan-worker.js';

/** Scans batches: the results are the same on any number of threads. */
export interface Scanner {
  /** @throws ERR_INTERNAL for a thread that ended */
  documents(job: DocumentJob): Promise<DocumentBatch>;
  pairs(job: PairJob): Promise<PairBatch>;
  /** Batches that should be under way at once, to keep all threads at work. */
  readonly ahead: number;
  /** Ends the threads. */
  close(): Promise<void>;
}

/** How batches are scanned. */
export interface ScannerOptions {
  readonly filters: FilterOptions;
  /** 1 scans on the thread of the caller. */
  readonly threads: number;
  /** Texts after which threads are started: what is less is done before they are there. Default 20,000. */
  readonly threadsAfter?: number;
}

/** Batches that wait for each thread, so that it need not wait for the reader. */
const queued = 2;

/** A scanner. */
export function createScanner({filters, threads, threadsAfter = 20_000}: ScannerOptions): Scanner {
  let workers: ScanThread[] = [];
  let texts = 0;
  const threadFor = (job: DocumentJob | PairJob): ScanThread | undefined => {
    texts += 'documents' in job ? job.documents.length : job.pairs.length;
    if (threads < 2 || texts <= threadsAfter) return undefined;
    if (workers.length === 0) workers = Array.from({length: threads}, () => startThread(filters));
    return workers.reduce((a, b) => (b.waiting() < a.waiting() ? b : a));
  };
  return {
    async documents(job) {
      const batch = await threadFor(job)?.scan(job);
      return batch !== undefined && 'hashes' in batch ? batch : scanDocuments(job, filters);
    },
    async pairs(job) {
      const batch = await threadFor(job)?.scan(job);
      return batch !== undefined && 'x' in batch ? batch : scanPairs(job, filters);
    },
    ahead: threads < 2 ? 1 : threads * queued,
    async close() {
      await Promise.all(workers.map((worker) => worker.end()));
      workers = [];
    },
  };
}

interface ScanThread {
  scan(job: DocumentJob | PairJob): Promise<DocumentBatch | PairBatch>;
  /** Batches that are not answered. */
  waiting(): number;
  end(): Promise<unknown>;
}

interface Waiting {
  resolve(batch: DocumentBatch | PairBatch): void;
  reject(error: unknown): void;
}

function startThread(filters: FilterOptions): ScanThread {
  const worker = new Worker(new URL('./scan-worker.js', import.meta.url), {workerData: filters});
  const waiting: Waiting[] = [];
  const failAll = (error: unknown): void => {
    for (const {reject} of waiting.splice(0)) reject(error);
  };
  worker.on('message', (answer: ScanAnswer) => {
    const first = waiting.shift();
    if ('batch' in answer) first?.resolve(answer.batch);
    else
      first?.reject(
        new CrossmapError(isErrorCode(answer.code) ? answer.code : 'ERR_INTERNAL', answer.message),
      );
  });
  worker.on('error', failAll);
  worker.on('exit', () =>
    failAll(new CrossmapError('ERR_INTERNAL', 'a thread that reads the corpora ended')),
  );
  return {
    scan: (job) =>
      new Promise((resolve, reject) => {
        waiting.push({resolve, reject});
        worker.postMessage(job); // oxlint-disable-line unicorn/require-post-message-target-origin -- a thread has no origin, a window has
      }),
    waiting: () => waiting.length,
    end: () => worker.terminate(),
  };
}
