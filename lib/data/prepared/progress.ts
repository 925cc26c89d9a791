/** Tells how far preparation is, a few times a second. */

/** What preparation is doing. */
export interface DataProgress {
  /** `scan` reads all text once; `tokenizer` trains on a sample; `encode` writes token files; `load` checks them. */
  readonly stage: 'scan' | 'tokenizer' | 'encode' | 'load';
  /** Share of the stage that is done, 0 to 1. */
  readonly done: number;
}

/** Takes news of the stages. */
export interface ProgressReporter {
  /** News of a stage; most of it is passed over, its start and end never. */
  report(stage: DataProgress['stage'], done: number): void;
}

const pauseMs = 100;

/** A reporter to a listener, or to nobody. */
export function createProgress(listener: ((progress: DataProgress) => void) | undefined): ProgressReporter {
  let last = -Infinity;
  let stage: DataProgress['stage'] | undefined;
  return {
    report(current, done) {
      const now = performance.now();
      if (listener === undefined || (current === stage && done < 1 && now - last < pauseMs)) return;
      last = now;
      stage = current;
      listener({stage, done: Math.min(1, done)});
    },
  };
}
