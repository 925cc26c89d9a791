/** Loss of each objective, and what the optimiser did. */
import type {StepEvent} from '../train/events.js';
import {fixed, number, plural} from './format.js';
import {lossChange, lossCurve, type RunHistory} from './history.js';
import {objectiveNames, objectives, type Objective} from './objective.js';
import {html, type Html} from './html.js';
import {lineChart, type Curve} from './line-chart.js';
import {strokeOf, type Stroke} from './palette.js';
import {linearScale, stepScale, wideScale, type Scale} from './scale.js';
import {section} from './section.js';
import {finite, smooth, smoothingRadius, spread, thin, type Point} from './series.js';
import {folded, table} from './table.js';

// A smoothed curve has no spikes to keep, and this many points draw it.
const smoothPoints = 400;

/** The colour that an objective has everywhere in the report. */
export function objectiveStroke(objective: Objective): Stroke {
  return strokeOf(objectives.indexOf(objective));
}

const unit: Readonly<Record<Objective, string>> = {
  next: 'nats per token',
  mapping: 'nats per token',
  contrastive: 'nats per pair',
};

export function lossSection(history: RunHistory): Html {
  const x = stepScale(history.lastStep);
  const charts = objectives.flatMap((objective) => {
    const points = lossCurve(history, objective);
    if (points.length === 0) return [];
    return lossChart(objective, {points, each: lossCurve(history, objective, history.drawn)}, x);
  });
  const radius = smoothingRadius(history.steps.length);
  const around = (2 * radius + 1) * history.stepsEach;
  const smoothing =
    radius > 0
      ? `Faint: every step. Solid: mean of the ${plural(around, 'step')} around each step.`
      : 'Every step.';
  return section({
    id: 'losses',
    title: 'Training loss',
    lead: charts.length > 0 && html`By objective, in nats, on the batches trained on. ${smoothing}`,
    body:
      charts.length > 0
        ? html`<div class="charts">${charts}</div>
            ${lossTable(history)}`
        : html`<p class="none">No step has been trained yet.</p>`,
  });
}

/** A value over the steps. */
interface Course {
  /** What is smoothed. */
  readonly points: readonly Point[];
  /** Of every step, or of those that stick out. */
  readonly each: readonly Point[];
}

function lossChart(objective: Objective, {points, each}: Course, x: Scale): Html {
  const stroke = objectiveStroke(objective);
  const smoothed = smooth(points);
  const raw: Curve[] =
    points.length > 100 ? [{name: 'each step', points: thin(each), stroke, weight: 'faint'}] : [];
  const change = lossChange(points);
  return lineChart({
    title: `${objectiveNames[objective]}, ${unit[objective]}`,
    latest: number(change?.now ?? NaN),
    description: describe(`${objectiveNames[objective]} loss in ${unit[objective]}`, points),
    x,
    y: linearScale(values(each)),
    curves: [
      ...raw,
      {name: objectiveNames[objective], points: spread(smoothed, smoothPoints), stroke, weight: 'main'},
    ],
  });
}

function describe(what: string, points: readonly Point[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return `${what}: no values`;
  if (points.length === 1) return `${what}: ${number(first.y)} at step ${first.x}`;
  return `${what}: from ${number(first.y)} at step ${first.x} to ${number(last.y)} at step ${last.x}`;
}

export function optimiserSection(history: RunHistory): Html | undefined {
  if (history.steps.length === 0) return undefined;
  const x = stepScale(history.lastStep);
  const course = (read: (event: StepEvent) => number): Course => {
    const curve = (steps: readonly StepEvent[]): Point[] =>
      finite(steps.map((event) => ({x: event.step, y: read(event)})));
    return {points: curve(history.steps), each: curve(history.drawn)};
  };
  const rate = course((event) => event.learningRate).points;
  const gradient = course((event) => event.gradientNorm);
  const speed = course((event) => event.tokensPerSecond);
  const memory = course(({peakBytes = NaN}) => peakBytes / 2 ** 20).points;
  const norms = gradientNormChart(history, x);
  return section({
    id: 'optimiser',
    title: 'Optimiser and speed',
    lead: html`The gradient norm is taken over all parameters, before clipping;
    ${
      norms &&
      html`those by objective at the states that are aligned: the weighted loss that has the largest decides
      what these layers learn.`
    }`,
    body: html`<div class="charts">
      ${plainChart('Learning rate', rate, x, linearScale(values(rate), [0]))}
      ${noisyChart('Gradient norm', gradient, x, wideScale(values(gradient.each)))}
      ${noisyChart('Tokens per second', speed, x, linearScale(values(speed.each), [0]))} ${norms}
      ${
        memory.length > 0 &&
        plainChart('Peak memory so far, MiB', memory, x, linearScale(values(memory), [0]))
      }
    </div>`,
  });
}

/** undefined where none were measured. */
function gradientNormChart({steps}: RunHistory, x: Scale): Html | undefined {
  const curves = objectives.flatMap((objective): Curve[] => {
    const points = finite(
      steps.flatMap(({step, gradientNorms}) => {
        const norm = gradientNorms?.[objective];
        return norm === undefined ? [] : [{x: step, y: norm}];
      }),
    );
    const drawn = {
      name: objectiveNames[objective],
      stroke: objectiveStroke(objective),
      weight: 'main',
    } as const;
    return points.length === 0 ? [] : [{...drawn, points: thin(points)}];
  });
  if (curves.length === 0) return undefined;
  const title = 'Gradient norm by objective';
  const y = wideScale(curves.flatMap(({points}) => values(points)));
  return lineChart({
    title: y.kind === 'log' ? `${title} (logarithmic)` : title,
    description: curves.map(({name, points}) => describe(`${title}, ${name}`, points)).join('; '),
    x,
    y,
    curves,
  });
}

const values = (points: readonly Point[]): number[] => points.map(({y}) => y);

const quiet = strokeOf(6);

function plainChart(title: string, points: readonly Point[], x: Scale, y: Scale): Html {
  return lineChart({
    title,
    latest: number(points.at(-1)?.y ?? NaN, 3),
    description: describe(title, points),
    x,
    y,
    curves: [{name: title, points: thin(points), stroke: quiet, weight: 'main'}],
  });
}

function noisyChart(title: string, {points, each}: Course, x: Scale, y: Scale): Html {
  const smoothed = smooth(points);
  return lineChart({
    title: y.kind === 'log' ? `${title} (logarithmic)` : title,
    latest: number(smoothed.at(-1)?.y ?? NaN, 3),
    description: describe(title, points),
    x,
    y,
    curves: [
      {name: 'each step', points: thin(each), stroke: quiet, weight: 'faint'},
      {name: title, points: spread(smoothed, smoothPoints), stroke: quiet, weight: 'main'},
    ],
  });
}

const tableRows = 12;

function lossTable({steps, stepsEach}: RunHistory): Html {
  const trained = objectives.filter((objective) => steps.some(({losses}) => losses[objective] !== undefined));
  const shown = (value: number | undefined): string => (value === undefined ? '–' : fixed(value, 3));
  return folded(
    'Losses as a table',
    table({
      caption: stepsEach === 1 ? 'Loss at single steps' : `Loss, means of ${plural(stepsEach, 'step')}`,
      columns: [
        {name: 'Step'},
        {name: 'Weighted sum'},
        ...trained.map((objective) => ({name: objectiveNames[objective]})),
        {name: 'Learning rate'},
        {name: 'Gradient norm'},
      ],
      rows: spread(steps, tableRows).map((event) => [
        event.step,
        shown(event.loss),
        ...trained.map((objective) => shown(event.losses[objective])),
        number(event.learningRate, 3),
        number(event.gradientNorm, 3),
      ]),
    }),
  );
}
