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
import {intervalChart} from './interval-chart.js';
import {lineChart} from './line-chart.js';
import {page} from './page.js';
import {strokeOf} from './palette.js';
import {linearScale, stepScale} from './scale.js';
import {section} from './section.js';
import {table} from './table.js';

/** What the page is made from. */
export interface ComparisonInput {
  /** What `compareSuites` gives. */
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
  const deciding = comparisons.filter(({primary}) => primary);
  const differences = names.length > 1 && deciding.length > 0;
  return page({
    name: title,
    kind: 'crossmap comparison',
    facts: `${suite} · ${runsLine(comparisons[0])}`,
    links: [
      ...(differences ? [['differences', 'What decides'] as const] : []),
      ['table', 'All measures'],
      ...(profiles.length > 0 ? [['profiles', 'Alignment by layer'] as const] : []),
      ['bars', 'Each measure'],
    ],
    main: [
      differences && differenceSection(deciding),
      tableSection(comparisons),
      profileSection(profiles),
      barSection(comparisons),
    ],
    writtenAt,
  });
}

function runsLine(comparison: Comparison | undefined): string {
  const counts = comparison?.groups.map(({name, values}) => `${name}: ${values.length}`) ?? [];
  return `runs of each: ${counts.join(', ')}`;
}

/** The primary measures: each run's difference from the first group, with its interval. */
function differenceSection(deciding: readonly Comparison[]): Html {
  const first = deciding[0]?.groups[0]?.name ?? '';
  return section({
    id: 'differences',
    title: 'What decides',
    lead: html`Differences from ${first} in the measures that were declared before anything was measured. A
    line is a run against the run of ${first} with the same seed: the 95 % interval of the difference, items
    drawn again.`,
    body: html`<div class="charts wide">${deciding.map(differenceChart)}</div>`,
  });
}

function differenceChart(comparison: Comparison): Html {
  const {task, measure, better, groups} = comparison;
  const [first, ...others] = groups;
  const show = shower(comparison);
  return intervalChart({
    title: `${task}: ${measure}, ${better} is better`,
    description: others
      .map(({name, difference}) => `${name} ${difference ? signed(difference.mean, show) : 'not compared'}`)
      .join(', '),
    rows: others.map((group, i) => ({
      name: group.name,
      colour: i + 1,
      label: differenceCell(group, comparison),
      runs: (group.difference?.intervals ?? []).map((interval, run) => ({
        value: (group.values[run] ?? NaN) - (first?.values[run] ?? NaN),
        interval,
      })),
    })),
  });
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

function measureName({measure, better, chance, primary}: Comparison): string {
  const facts = [
    ...(primary ? ['primary'] : []),
    `${better} is better`,
    ...(chance === undefined ? [] : [`chance ${fixed(chance, 3)}`]),
  ];
  return `${measure} (${facts.join(', ')})`;
}

function valueCell({mean, range: [low, high], values}: GroupValues, comparison: Comparison): string {
  const show = shower(comparison);
  return values.length > 1 ? `${show(mean)} (${show(low)} to ${show(high)})` : show(mean);
}

function differenceCell({difference}: GroupValues, comparison: Comparison): Html {
  if (difference === undefined) return html`–`;
  const {mean, verdict} = difference;
  const text = signed(mean, shower(comparison));
  return html`<span class="${verdict === 'undecided' ? 'same' : verdict}">${text}, ${verdict}</span>`;
}

function signed(value: number, show: (value: number) => string): string {
  return `${value < 0 ? '−' : '+'}${show(Math.abs(value))}`;
}

function shower(comparison: Comparison): (value: number) => string {
  const digits = digitsOf(comparison.measure);
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
