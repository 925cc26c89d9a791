/** What benches find besides the times of sides: numbers, each in a column with its unit. */
import {bytesText, percentText, rateText, timeText} from './units.js';

const texts = {
  bytes: bytesText,
  count: (count: number) => String(count),
  'FLOP/s': (rate: number) => rateText(rate, 'FLOP/s'),
  seconds: timeText,
  share: percentText,
} as const;

export interface FigureColumn {
  readonly name: string;
  readonly unit: keyof typeof texts;
}

export interface FigureRow {
  readonly name: string;
  /** One for each column; null where there is none. */
  readonly figures: readonly (number | null)[];
}

export interface FigureTable {
  readonly title: string;
  readonly columns: readonly FigureColumn[];
  readonly rows: readonly FigureRow[];
}

/** The cells of a row for readers: its name, then its figures. */
export function figureCells({columns}: FigureTable, {name, figures}: FigureRow): readonly string[] {
  const cells = columns.map(({unit}, index) => {
    const figure = figures[index] ?? null;
    return figure === null ? '' : texts[unit](figure);
  });
  return [name, ...cells];
}

export function printFigures(table: FigureTable): void {
  const heading = [table.title, ...table.columns.map(({name}) => name)];
  const lines = [heading, ...table.rows.map((row) => indented(figureCells(table, row)))];
  const widths = heading.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  for (const [name = '', ...figures] of lines) {
    const cells = figures.map((figure, column) => figure.padStart(widths[column + 1] ?? 0));
    console.log(`  ${[name.padEnd(widths[0] ?? 0), ...cells].join('  ').trimEnd()}`);
  }
}

function indented([name = '', ...figures]: readonly string[]): readonly string[] {
  return [`  ${name}`, ...figures];
}
