/** The cells of the table of a bench, for Markdown and HTML alike. */
import {ourName, ratesOf, type Comparison, type Side} from '../support/comparison.js';
import {figureCells, type FigureTable} from '../support/figure-table.js';
import {bytesText, percentText, rateText, timeText} from '../support/units.js';

export const columns = [
  'work',
  'threads',
  'who',
  'median',
  'quartiles',
  'samples',
  'rate',
  'of peak',
  'tokens/s',
  'extra memory',
  'results differ by',
  'remark',
] as const;

/** A table, and what stands above its columns. */
export interface Rows {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The table of a bench without the columns that are empty in it. */
export function tableOf(comparisons: readonly Comparison[]): Rows {
  const rows = rowsOf(comparisons);
  const isUsed = columns.map((_, i) => rows.some((row) => row[i] !== ''));
  return {
    heading: columns.filter((_, i) => isUsed[i]),
    rows: rows.map((row) => row.filter((_, i) => isUsed[i])),
  };
}

/** A table of figures that are no times of sides; its title stands above its first column. */
export function figureRows(table: FigureTable): Rows {
  return {
    heading: [table.title, ...table.columns.map(({name}) => name)],
    rows: table.rows.map((row) => figureCells(table, row)),
  };
}

/** A row for each side of each comparison. */
export function rowsOf(comparisons: readonly Comparison[]): readonly (readonly string[])[] {
  return comparisons.flatMap((comparison) =>
    comparison.sides.map((side) => [
      comparison.title,
      comparison.threads === undefined ? 'all' : String(comparison.threads),
      side.name,
      ...cellsOf(comparison, side),
    ]),
  );
}

function cellsOf(comparison: Comparison, side: Side): readonly string[] {
  const {median, lowerQuartile = NaN, upperQuartile = NaN, samples, extraBytes, difference, error} = side;
  const differs = difference === undefined ? '' : difference.toExponential(1);
  if (median === undefined) return ['–', '', '', '', '', '', '', differs, error ?? 'not timed'];
  const {flopsPerSecond, bytesPerSecond, shareOfPeak, tokensPerSecond, timesOurs} = ratesOf(comparison, side);
  return [
    timeText(median),
    `${timeText(lowerQuartile)} to ${timeText(upperQuartile)}`,
    String(samples),
    flopsPerSecond !== undefined
      ? rateText(flopsPerSecond, 'FLOP/s')
      : bytesPerSecond !== undefined
        ? rateText(bytesPerSecond, 'B/s')
        : '',
    shareOfPeak === undefined ? '' : percentText(shareOfPeak),
    tokensPerSecond === undefined ? '' : rateText(tokensPerSecond, ''),
    extraBytes === undefined ? '' : bytesText(extraBytes),
    differs,
    timesOurs === undefined ? '' : `crossmap is ${timesOurs.toFixed(2)}x as fast`,
  ];
}

/** Peaks that were seen beside the runs, a sentence for each number of threads and library. */
export function peakSentences(comparisons: readonly Comparison[]): readonly string[] {
  const sentences = comparisons.flatMap(({threads, peaks = {}, title}) => {
    const {flopsPerSecond, flopsBy, bytesPerSecond} = peaks;
    const parts = [
      flopsPerSecond !== undefined && `${rateText(flopsPerSecond, 'FLOP/s')} by ${flopsBy ?? 'a loop'}`,
      bytesPerSecond !== undefined && `${rateText(bytesPerSecond, 'B/s')} by a copy`,
    ].filter((part) => part !== false);
    if (parts.length === 0) return [];
    return [`${title}, ${threads ?? 'all'} threads: ${parts.join(', ')}`];
  });
  return [...new Set(sentences)];
}

/** The names of the sides of a bench in the order of their first appearance, ours first. */
export function sideNames(comparisons: readonly Comparison[]): readonly string[] {
  return [...new Set([ourName, ...comparisons.flatMap(({sides}) => sides.map(({name}) => name))])];
}
