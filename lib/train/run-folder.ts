/** What lies where in the folder of a run. */
import {join} from 'node:path';

/** The files of a run. */
interface RunFolder {
  readonly lock: string;
  readonly config: string;
  readonly metrics: string;
  readonly checkpoints: string;
  /** Prepared data. */
  readonly data: string;
}

export function runFolder(output: string): RunFolder {
  return {
    lock: join(output, '.lock'),
    config: join(output, 'config.json'),
    metrics: join(output, 'metrics.jsonl'),
    checkpoints: join(output, 'checkpoints'),
    data: join(output, 'data'),
  };
}
