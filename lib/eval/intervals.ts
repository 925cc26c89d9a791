/** Intervals of ratios of sums over items, and of their differences between two models, from items drawn again. */
import {centralInterval, type Interval} from './bootstrap.js';
import {createRandom} from './random.js';

/** How intervals are drawn. */
interface DrawSettings {
  readonly draws: number;
  readonly seed: number;
}

/** What each item adds above and below. */
type Items = readonly (readonly [number, number])[];

/** What a ratio can be. */
export const anyNumber: Interval = [-Infinity, Infinity];

/** Central 95 % of the mean of values, items drawn with replacement. */
export function meanInterval(values: readonly number[], settings: DrawSettings): Interval {
  return ratioInterval(meanItems(values), settings);
}

/** Values as items whose ratio is their mean. */
function meanItems(values: readonly number[]): Items {
  return values.map((value) => [value, 1] as const);
}

/** Central 95 % of `sum of the first / sum of the second`, items drawn with replacement. */
export function ratioInterval(items: Items, settings: DrawSettings): Interval {
  return centralInterval(
    drawnValues(items.length, settings, (drawn) => ratio(items, drawn)),
    anyNumber,
  );
}

/** [draws] how much that of the second model exceeds that of the first, the same items drawn for both. */
export function pairedDraws([first, second]: readonly [Items, Items], settings: DrawSettings): Float64Array {
  return drawnValues(first.length, settings, (drawn) => ratio(second, drawn) - ratio(first, drawn));
}

/** The same of the means of values, one of each item. */
export function pairedMeanDraws(
  [first, second]: readonly [readonly number[], readonly number[]],
  settings: DrawSettings,
): Float64Array {
  return pairedDraws([meanItems(first), meanItems(second)], settings);
}

/** [draws] of a statistic of so many items. */
function drawnValues(
  count: number,
  {draws, seed}: DrawSettings,
  statistic: (drawn: Uint32Array) => number,
): Float64Array {
  const random = createRandom(seed);
  const drawn = new Uint32Array(count);
  return Float64Array.from({length: draws}, () => statistic(drawn.map(() => random.below(count))));
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
