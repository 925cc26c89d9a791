/** Whether something grows over a run: a line through its samples. */

/** What is watched, with the most that it may grow over a whole run, whatever the number of its steps. */
export const allowedGrowth = {
  /** Bytes of the process in memory: heaps of the system's allocator keep what they once needed. */
  residentBytes: 24 * 2 ** 20,
  /** Bytes of JavaScript objects, after a collection. */
  heapBytes: 2 * 2 ** 20,
  /** Bytes of array buffers, after a collection. */
  bufferBytes: 2 * 2 ** 20,
  /** Bytes of living tensors. Batches differ in length. */
  allocatedBytes: 256 * 2 ** 10,
  /** Bytes of tensors, living or kept for the next ones. */
  nativeBytes: 8 * 2 ** 20,
  files: 2,
  threads: 1,
} as const;

export type Watched = keyof typeof allowedGrowth;

/** What a process holds at a step. */
export type Sample = Readonly<Record<Watched, number>> & {readonly step: number};

/** How one of them went. */
export interface Growth {
  readonly watched: Watched;
  /** For each step. */
  readonly slope: number;
  /** The slope over all steps of the run. */
  readonly growth: number;
  readonly allowed: number;
  readonly first: number;
  readonly last: number;
  readonly isFlat: boolean;
}

/**
 * The growth of each over a run of `steps`, by the median of the slopes between all pairs of samples (Theil and Sen), which single jumps
 * do not move.
 *
 * @param samples at least 2, at different steps
 */
export function growthOf(samples: readonly Sample[], steps: number): Growth[] {
  return (Object.keys(allowedGrowth) as Watched[]).map((watched) => {
    const slope = medianSlope(samples.map((sample) => [sample.step, sample[watched]]));
    const growth = slope * steps;
    const allowed = allowedGrowth[watched];
    const [first, last] = [samples[0]![watched], samples.at(-1)![watched]];
    return {watched, slope, growth, allowed, first, last, isFlat: growth <= allowed};
  });
}

function medianSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x, y], i) =>
    points.slice(i + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)),
  );
  slopes.sort((a, b) => a - b);
  const middle = slopes.length / 2;
  return (slopes[Math.ceil(middle) - 1]! + slopes[Math.floor(middle)]!) / 2;
}
