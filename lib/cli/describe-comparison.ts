/** Models side by side, as a table. */
import {digitsOf, type Comparison, type GroupValues} from '../eval/index.js';
import {fixed} from './format.js';
import {table} from './table.js';

export function describeComparisons(comparisons: readonly Comparison[]): string[] {
  const [first] = comparisons;
  if (first === undefined) return [];
  return table(
    ['task', 'measure', ...first.groups.map(({name, values}) => `${name} (${values.length})`)],
    comparisons.map((comparison) => [
      comparison.task,
      `${comparison.measure}${comparison.primary ? ', primary' : ''}`,
      ...comparison.groups.map((group) => cell(group, comparison)),
    ]),
  );
}

/** `0.312 (0.301 to 0.322) better`: the mean, the range over runs, and the verdict against the first group. */
function cell({mean, range: [low, high], values, difference}: GroupValues, comparison: Comparison): string {
  const digits = digitsOf(comparison.measure);
  const range = values.length > 1 ? ` (${fixed(low, digits)} to ${fixed(high, digits)})` : '';
  return `${fixed(mean, digits)}${range}${difference === undefined ? '' : ` ${difference.verdict}`}`;
}
