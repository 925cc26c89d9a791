/** How fast a run goes, and how long it still takes. */

/** What paces a run. */
interface PaceOptions {
  readonly steps: number;
  /** Steps between evaluations. */
  readonly evaluateEvery: number;
}

/** A run's speed, learnt as it goes on. */
export interface Pace {
  /** @param seconds the step took, evaluations and checkpoints not counted */
  noteStep(step: number, seconds: number): void;
  noteEvaluation(seconds: number): void;
  /** Seconds until the run ends, evaluations to come included. NaN before the first step. */
  etaSeconds(): number;
}

/** Weight of the latest step in the mean: about the last twenty steps count. */
const latestWeight = 0.1;

export function createPace({steps, evaluateEvery}: PaceOptions): Pace {
  let done = 0;
  let stepSeconds = NaN;
  let evaluationSeconds = 0;
  return {
    noteStep(step, seconds) {
      done = step;
      stepSeconds = Number.isNaN(stepSeconds)
        ? seconds
        : stepSeconds + latestWeight * (seconds - stepSeconds);
    },
    noteEvaluation(seconds) {
      evaluationSeconds = seconds;
    },
    etaSeconds() {
      // That of the present step is still to come: a step is told before it is evaluated.
      const evaluations = Math.ceil(steps / evaluateEvery) - Math.floor((done - 1) / evaluateEvery);
      return (steps - done) * stepSeconds + evaluations * evaluationSeconds;
    },
  };
}
