/** All results of a folder as one HTML page that loads nothing: plots of what grows, then the tables. */
import {html, type Html} from '../../lib/report/html.js';
import {lineChart} from '../../lib/report/line-chart.js';
import {page} from '../../lib/report/page.js';
import {strokeOf} from '../../lib/report/palette.js';
import {logScale} from '../../lib/report/scale.js';
import {section} from '../../lib/report/section.js';
import {table} from '../../lib/report/table.js';
import {machineText, type BenchResult} from '../support/results.js';
import {growthColumns, growthRows, seriesOf, type Measure, type Series} from './growth.js';
import {circumstances} from './markdown.js';
import {figureRows, peakSentences, tableOf, type Rows} from './rows.js';

export function pageOf(results: readonly BenchResult[], writtenAt: Date): string {
  const machines = new Set(results.map(({machine}) => machineText(machine)));
  return page({
    name: 'Benches',
    kind: 'crossmap benches',
    facts: [...machines].join('; '),
    links: results.map(({bench}) => [idOf(bench), bench] as const),
    main: results.map(benchSection),
    writtenAt,
  });
}

const idOf = (bench: string): string => bench.replaceAll('/', '-');

function benchSection(result: BenchResult): Html {
  const {bench, comparisons, tables = []} = result;
  const series = seriesOf(comparisons);
  const peaks = peakSentences(comparisons);
  return section({
    id: idOf(bench),
    title: bench,
    lead: circumstances(result).join('; '),
    body: [
      series.map((each) => html`<div class="charts">${charts(each)}</div>`),
      series.length > 0 &&
        plainTable(`How ${bench} grows`, {heading: growthColumns, rows: growthRows(series)}),
      comparisons.length > 0 && plainTable(bench, tableOf(comparisons)),
      tables.map((each) => plainTable(each.title, figureRows(each), 1)),
      peaks.length > 0 && html`<p class="remark">Seen beside the runs: ${peaks.join('; ')}.</p>`,
    ],
  });
}

/** @param wordColumns the first ones; by default what is done, on how many threads, and by whom */
function plainTable(caption: string, {heading, rows}: Rows, wordColumns = 3): Html {
  return table({caption, columns: heading.map((name, i) => ({name, numeric: i >= wordColumns})), rows});
}

const measures: Readonly<Record<Measure, {readonly name: string; readonly unit: number}>> = {
  seconds: {name: 'time, s', unit: 1},
  extraBytes: {name: 'extra memory, MB', unit: 1e6},
};

function charts(series: Series): readonly Html[] {
  return (['seconds', 'extraBytes'] as const).map((measure) => chart(series, measure));
}

function chart({name, axis, threads, curves}: Series, measure: Measure): Html {
  const {name: what, unit} = measures[measure];
  // A curve keeps its colour where another side has no points.
  const drawn = curves
    .map((curve, i) => ({
      name: curve.name,
      stroke: strokeOf(i),
      points: curve.points[measure].map(({size, figure}) => ({x: size, y: figure / unit})),
    }))
    .filter(({points}) => points.length > 0);
  const points = drawn.flatMap((curve) => curve.points);
  const title = `${name}, ${threads === undefined ? 'all threads' : `threads: ${threads}`}: ${what}`;
  return lineChart({
    title,
    description: `${title} against ${axis}, both axes logarithmic`,
    x: logScale(points.map(({x}) => x)),
    y: logScale(points.map(({y}) => y)),
    curves: drawn,
    xName: axis,
    legend: true,
  });
}
