/** How time and memory grow with the size, beside what theory says. */
import {ourName, type Comparison, type Side} from '../support/comparison.js';
import {growthOf, type SizedFigure} from '../support/statistics.js';
import {sideNames} from './rows.js';

/** What is measured of a side. */
export type Measure = 'extraBytes' | 'seconds';

/** The comparisons of one series on one number of threads, from small to large. */
export interface Series {
  readonly name: string;
  readonly axis: string;
  readonly threads: number | undefined;
  readonly powers: Readonly<Record<Measure, number>>;
  readonly curves: readonly SideCurves[];
}

/** What one side measured at each size. */
export interface SideCurves {
  readonly name: string;
  readonly points: Readonly<Record<Measure, readonly SizedFigure[]>>;
  /** Fitted powers of the size; NaN where there are not two points. */
  readonly powers: Readonly<Record<Measure, number>>;
}

/** Grouped by series and threads, in the order of their first appearance. */
export function seriesOf(comparisons: readonly Comparison[]): readonly Series[] {
  const groups = new Map<string, Comparison[]>();
  for (const each of comparisons) {
    if (each.place === undefined) continue;
    const key = `${each.place.series} ${each.threads}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first?.place === undefined) return [];
    const {series: name, axis, powers} = first.place;
    const curves = sideNames(group).map((side) => curvesOf(side, group));
    return [{name, axis, powers, threads: first.threads, curves}];
  });
}

function curvesOf(name: string, group: readonly Comparison[]): SideCurves {
  const pointsOf = (measure: (side: Side) => number | undefined): readonly SizedFigure[] =>
    group
      .flatMap(({place, sides}) => {
        const side = sides.find((each) => each.name === name);
        const figure = side && measure(side);
        // A run in memory that was free already shows none: no logarithm has it.
        return place === undefined || figure === undefined || figure <= 0 ? [] : [{size: place.size, figure}];
      })
      .sort((a, b) => a.size - b.size);
  const seconds = pointsOf(({median}) => median);
  const extraBytes = pointsOf((side) => side.extraBytes);
  return {
    name,
    points: {seconds, extraBytes},
    powers: {seconds: growthOf(seconds), extraBytes: growthOf(extraBytes)},
  };
}

export const growthColumns = [
  'series',
  'threads',
  'who',
  'sizes',
  'time grows as',
  'memory grows as',
  'theory',
] as const;

/** A row for each side of each series. Theory speaks of ours. */
export function growthRows(series: readonly Series[]): readonly (readonly string[])[] {
  return series.flatMap(({name, axis, threads, powers, curves}) =>
    curves.map((curve) => [
      name,
      threads === undefined ? 'all' : String(threads),
      curve.name,
      sizesText(curve.points.seconds),
      powerText(axis, curve.powers.seconds),
      powerText(axis, curve.powers.extraBytes),
      curve.name === ourName ? `${axis}^${powers.seconds}, ${axis}^${powers.extraBytes}` : '',
    ]),
  );
}

function sizesText(points: readonly SizedFigure[]): string {
  const [first, last] = [points[0], points.at(-1)];
  return first === undefined || last === undefined ? 'none' : `${first.size} to ${last.size}`;
}

/** `tokens^1.97` */
function powerText(axis: string, power: number): string {
  return Number.isNaN(power) ? '–' : `${axis}^${power.toFixed(2)}`;
}
