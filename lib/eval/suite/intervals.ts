/** Intervals of ratios of sums over items, and of their differences between two models, from items drawn again. */
import {centralInterval, type Interval} from '../bootstrap.js';
import {createRandom} from '../random.js';

/** How intervals are drawn. */
interface DrawSettings {
  readonly draws: number;
  readonly seed: number;
}

/** What each item adds above and below. */
type Items = readonly (readonly [number, number])[];

/** Central 95 % of the mean of values, items drawn with replacement. */
export function meanInterval(values: readonly number[], settings: DrawSettings): Interval {
  return ratioInterval(
    values.map((value) => [value, 1] as const),
    settings,
  );
}

/** Central 95 % of `sum of the first / sum of the second`, items drawn with replacement. */
export function ratioInterval(items: Items, settings: DrawSettings): Interval {
  return drawnInterval(items.length, settings, (drawn) => ratio(items, drawn));
}

/** Central 95 % of how much that of the second model exceeds that of the first, the same items drawn for both. */
export function pairedInterval([first, second]: readonly [Items, Items], settings: DrawSettings): Interval {
  return drawnInterval(first.length, settings, (drawn) => ratio(second, drawn) - ratio(first, drawn));
}

function drawnInterval(
  count: number,
  {draws, seed}: DrawSettings,
  statistic: (drawn: Uint32Array) => number,
): Interval {
  const random = createRandom(seed);
  const drawn = new Uint32Array(count);
  const values = Float64Array.from({length: draws}, () => statistic(drawn.map(() => random.below(count))));
  return centralInterval(values, [-Infinity, Infinity]);
}

function ratio(items: Items, drawn: Uint32Array): number {
  let [above, below] = [0, 0];
  for (const at of drawn) {
    const [a, b] = items[at] ?? [0, 0];
    above += a;
    below += b;
  }
  return above / below;
}
