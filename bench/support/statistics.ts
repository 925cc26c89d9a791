/** What samples come to. */

/** Seconds of one run. */
export interface Times {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  /** Number of samples. */
  readonly samples: number;
}

/** @param samples at least one */
export function timesOf(samples: readonly number[]): Times {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    samples: sorted.length,
  };
}

/** Linear between the two nearest samples. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** A point of a curve, both numbers above 0. */
export interface SizedFigure {
  readonly size: number;
  readonly figure: number;
}

/**
 * The power of the size with which a figure grows: the slope of the line through the logarithms that has the least squared distance.
 *
 * @returns NaN where there are not two sizes
 */
export function growthOf(points: readonly SizedFigure[]): number {
  const logs = points.map(({size, figure}) => ({x: Math.log(size), y: Math.log(figure)}));
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(logs.map((each) => each.x)), mean(logs.map((each) => each.y))];
  const along = logs.reduce((sum, each) => sum + (each.x - x) * (each.y - y), 0);
  const spread = logs.reduce((sum, each) => sum + (each.x - x) ** 2, 0);
  return spread > 0 ? along / spread : NaN;
}
