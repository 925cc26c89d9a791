/** Intervals of means and of ratios of sums, from items drawn again. */
import {centralInterval, type Interval} from '../bootstrap.js';
import {createRandom} from '../random.js';

/** How intervals are drawn. */
interface DrawSettings {
  readonly draws: number;
  readonly seed: number;
}

/** Central 95 % of the mean of values, items drawn with replacement. */
export function meanInterval(values: readonly number[], settings: DrawSettings): Interval {
  return ratioInterval(
    values.map((value) => [value, 1] as const),
    settings,
  );
}

/** Central 95 % of `sum of the first / sum of the second`, items drawn with replacement. */
export function ratioInterval(
  items: readonly (readonly [number, number])[],
  {draws, seed}: DrawSettings,
): Interval {
  const random = createRandom(seed);
  const ratios = Float64Array.from({length: draws}, () => {
    let [above, below] = [0, 0];
    for (let i = 0; i < items.length; i++) {
      const [a, b] = items[random.below(items.length)] ?? [0, 0];
      above += a;
      below += b;
    }
    return above / below;
  });
  return centralInterval(ratios, [-Infinity, Infinity]);
}
