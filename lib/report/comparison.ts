/** Models side by side: one HTML page that needs nothing but itself. */
import {
  digitsOf,
  type Comparison,
  type GroupValues,
  type Profile,
  type SuiteComparison,
} from '../eval/index.js';
import {barChart} from './bar-chart.js';
import {fixed} from './format.js';
import {html, type Html} from './html.js';
import {lineChart} from './line-chart.js';
import {page} from './page.js';
import {strokeOf} from './palette.js';
import {linearScale, stepScale} from './scale.js';
import {section} from './section.js';
import {table} from './table.js';

/** What the page is made from. */
export interface ComparisonInput {
  readonly comparison: SuiteComparison;
  /** The suite, as its file is called. */
  readonly suite: string;
  /** Shown at the foot of the page; default: no date. */
  readonly writtenAt?: Date;
}

/** The page. @returns a whole HTML document that loads nothing from anywhere */
export function renderComparison({comparison, suite, writtenAt}: ComparisonInput): string {
  const {comparisons, profiles} = comparison;
  const names = comparisons[0]?.groups.map(({name}) => name) ?? [];
  const title = names.join(', ');
  return page({
    name: title,
    kind: 'crossmap comparison',
    facts: `${suite} · ${runsLine(comparisons[0])}`,
    links: [
      ['table', 'All measures'],
      ...(profiles.length > 0 ? [['profiles', 'Alignment by layer'] as const] : []),
      ['bars', 'Each measure'],
    ],
    main: [tableSection(comparisons), profileSection(profiles), barSection(comparisons)],
    writtenAt,
  });
}

function runsLine(comparison: Comparison | undefined): string {
  const counts = comparison?.groups.map(({name, values}) => `${name}: ${values.length}`) ?? [];
  return `runs of each: ${counts.join(', ')}`;
}

function tableSection(comparisons: readonly Comparison[]): Html {
  const groups = comparisons[0]?.groups ?? [];
  const [first, ...others] = groups.map(({name}) => name);
  const heading = [{name: 'Task'}, {name: 'Measure', numeric: false}];
  return section({
    id: 'table',
    title: 'All measures',
    lead: html`Means over the runs, with the lowest and the highest of them. A group is called better or worse
    than ${first ?? ''} only where it has two runs or more and the 95 % interval of each run’s difference
    leaves 0 out: one seed is no evidence.`,
    body: [
      table({
        caption: 'Values',
        columns: [...heading, ...groups.map(({name}) => ({name}))],
        rows: comparisons.map((comparison) => [
          comparison.task,
          measureName(comparison),
          ...comparison.groups.map((group) => valueCell(group, comparison)),
        ]),
      }),
      others.length > 0 &&
        table({
          caption: `Differences from ${first ?? ''}`,
          columns: [...heading, ...others.map((name) => ({name}))],
          rows: comparisons.map((comparison) => [
            comparison.task,
            measureName(comparison),
            ...comparison.groups.slice(1).map((group) => differenceCell(group, comparison)),
          ]),
        }),
    ],
  });
}

function measureName({measure, better, chance}: Comparison): string {
  const facts = [`${better} is better`, ...(chance === undefined ? [] : [`chance ${fixed(chance, 2)}`])];
  return `${measure} (${facts.join(', ')})`;
}

function valueCell({mean, range: [low, high], values}: GroupValues, comparison: Comparison): string {
  const show = shower(comparison);
  return values.length > 1 ? `${show(mean)} (${show(low)} to ${show(high)})` : show(mean);
}

function differenceCell({difference}: GroupValues, comparison: Comparison): Html {
  if (difference === undefined) return html`–`;
  const {mean, verdict} = difference;
  const text = `${mean < 0 ? '−' : '+'}${shower(comparison)(Math.abs(mean))}`;
  return html`<span class="${verdict === 'undecided' ? 'same' : verdict}">${text}, ${verdict}</span>`;
}

function shower(comparison: Comparison): (value: number) => string {
  const digits = digitsOf(comparison);
  return (value) => fixed(value, digits);
}

function profileSection(profiles: readonly Profile[]): Html | undefined {
  if (profiles.length === 0) return undefined;
  return section({
    id: 'profiles',
    title: 'Alignment by layer',
    lead: html`LAC (crossmap definition) at each hidden state, 0 being the embedding: the mean over the runs,
    each run as a faint line, and the mean of the 95 % intervals as a band. 0 is chance, 1 is perfect.`,
    body: html`<div class="charts wide">${profiles.map(profileChart)}</div>`,
  });
}

function profileChart({task, groups}: Profile): Html {
  const points = (values: readonly number[]) => values.map((y, x) => ({x, y}));
  const ends = groups.map(({name, mean}) => `${name} ${fixed(Math.max(...mean), 2)}`);
  return lineChart({
    title: task,
    description: `LAC of ${task} by hidden state; the highest of each group: ${ends.join(', ')}`,
    xName: 'layer',
    x: stepScale((groups[0]?.mean.length ?? 2) - 1),
    y: linearScale(
      groups.flatMap(({interval, runs}) => [...interval.flat(), ...runs.flat()]),
      [0],
    ),
    curves: groups.flatMap(({name, mean, runs}, i) => [
      ...(runs.length > 1
        ? runs.map((run) => ({name, points: points(run), stroke: strokeOf(i), weight: 'faint'}) as const)
        : []),
      {name, points: points(mean), stroke: strokeOf(i), weight: 'main'} as const,
    ]),
    bands: groups.map(({interval}, i) => ({
      low: points(interval.map(([low]) => low)),
      high: points(interval.map(([, high]) => high)),
      colour: strokeOf(i).colour,
    })),
    level: {value: 0, label: 'chance'},
    legend: true,
  });
}

function barSection(comparisons: readonly Comparison[]): Html {
  return section({
    id: 'bars',
    title: 'Each measure',
    lead: html`Bars are means over the runs, dots are runs.`,
    body: html`<div class="charts">${comparisons.map(bars)}</div>`,
  });
}

function bars(comparison: Comparison): Html {
  const {task, groups, chance} = comparison;
  const show = shower(comparison);
  return barChart({
    title: `${task}: ${comparison.measure}, ${comparison.better} is better`,
    description: groups.map(({name, mean}) => `${name} ${show(mean)}`).join(', '),
    bars: groups.map(({name, mean, values}) => ({name, value: mean, dots: values, label: show(mean)})),
    ...(chance !== undefined && {level: {value: Number(chance.toFixed(3)), label: 'chance'}}),
  });
}
