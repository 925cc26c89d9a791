/** Curves over steps: smoothing, and fewer points without losing a spike. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Points whose value is a number. */
export function finite(points: readonly Point[]): Point[] {
  return points.filter(({x, y}) => Number.isFinite(x) && Number.isFinite(y));
}

/** Points on either side that a smoothed value averages over, so that a curve of any length has about 25 windows. */
export function smoothingRadius(points: number): number {
  return Math.floor(points / 50);
}

// A window at the ends of a curve reaches at least this far, so that its ends are not as noisy as single steps.
const leastReach = 10;

/**
 * Centred moving mean. Towards the ends the window shrinks on both sides alike, down to `leastReach`, so a smoothed curve
 * does not lag behind a fall.
 */
export function smooth(points: readonly Point[], radius = smoothingRadius(points.length)): Point[] {
  const sums = [0];
  for (const {y} of points) sums.push((sums.at(-1) ?? 0) + y);
  return points.map(({x}, i) => {
    const reach = Math.max(Math.min(radius, i, points.length - 1 - i), Math.min(radius, leastReach));
    const from = Math.max(0, i - reach);
    const to = Math.min(points.length, i + reach + 1);
    return {x, y: ((sums[to] ?? 0) - (sums[from] ?? 0)) / (to - from)};
  });
}

/** At most `2 * buckets + 2` points: the first, the last, and the lowest and highest of each stretch. */
export function thin(points: readonly Point[], buckets = 300): Point[] {
  if (points.length <= 2 * buckets + 2) return [...points];
  const kept = [0];
  const inner = points.length - 2;
  for (let b = 0; b < buckets; b++) {
    const from = 1 + Math.floor((b * inner) / buckets);
    const to = 1 + Math.floor(((b + 1) * inner) / buckets);
    let [lowest, highest] = [from, from];
    for (let i = from + 1; i < to; i++) {
      if ((points[i]?.y ?? 0) < (points[lowest]?.y ?? 0)) lowest = i;
      if ((points[i]?.y ?? 0) > (points[highest]?.y ?? 0)) highest = i;
    }
    kept.push(...new Set([Math.min(lowest, highest), Math.max(lowest, highest)]));
  }
  kept.push(points.length - 1);
  return kept.flatMap((i) => points[i] ?? []);
}

/** At most `most` items, evenly spread, the first and the last among them. */
export function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({length: most}, (_, k) => Math.round((k * (items.length - 1)) / (most - 1))).flatMap(
    (i) => items[i] ?? [],
  );
}
