/** Alignment of language pairs: LAC over time and by layer. */
import type {PairAlignment} from '../eval/results.js';
import {fixed, percent} from './format.js';
import {heatMap} from './heat-map.js';
import type {RunHistory} from './history.js';
import {html, type Html} from './html.js';
import {lineChart, type Curve} from './line-chart.js';
import {lacTracks, meanTrack, pairHistories, pairName, remarkOn, type PairHistory} from './pairs.js';
import {strokeOf} from './palette.js';
import {linearScale, stepScale, type Scale} from './scale.js';
import {coefficient, section} from './section.js';
import {spread, thin, type Point} from './series.js';
import {folded, table} from './table.js';

export function alignmentSection(history: RunHistory): Html {
  const pairs = pairHistories(history.evaluations);
  return section({
    id: 'alignment',
    title: 'Alignment of languages',
    lead: html`LAC (crossmap definition) asks whether a held-out sentence and its translation lie together in
    the model: 0 is chance, 1 is perfect. It gives no credit for sentence length, for what a language has in
    common, or for having few sentences to choose from.`,
    body:
      pairs.length > 0
        ? html`${pairs.length > 1 && html`<div class="charts wide">${overview(history, pairs)}</div>`}
          ${pairCharts(history, pairs)} ${layerTables(pairs)}`
        : html`<p class="none">No alignment has been measured yet.</p>`,
  });
}

function overview(history: RunHistory, pairs: readonly PairHistory[]): Html {
  const followed = lacTracks(history);
  const mean = meanTrack(followed);
  const curves: Curve[] = pairs.map(({key, last}, i) => ({
    name: pairName(last),
    points: thin(followed.find((track) => track.key === key)?.points ?? []),
    stroke: strokeOf(i),
  }));
  const ends = pairs.map(({last}) => `${pairName(last)} ${fixed(last.lac, 2)}`);
  return lineChart({
    title: 'LAC by language pair, mean over layers',
    latest: `mean ${coefficient(mean.at(-1)?.y ?? NaN)}`,
    description: `LAC by language pair at the last evaluation: ${ends.join(', ')}`,
    x: stepScale(history.lastStep),
    y: linearScale(
      curves.flatMap(({points}) => points.map(({y}) => y)),
      [0],
    ),
    curves: [
      ...curves,
      {name: 'Mean', points: thin(mean), stroke: {colour: 'var(--ink)', dash: undefined}, weight: 'main'},
    ],
    level: {value: 0, label: 'chance'},
  });
}

// More columns are not told apart on a page; and all maps together have a bounded number of cells.
const [leastColumns, mostColumns, mostCells] = [8, 40, 8000];

function columnsFor(pairs: readonly PairHistory[]): number {
  const rows = pairs.reduce((sum, {last}) => sum + last.lacByLayer.length, 0);
  return Math.min(mostColumns, Math.max(leastColumns, Math.floor(mostCells / rows)));
}

function pairCharts(history: RunHistory, pairs: readonly PairHistory[]): Html {
  const x = stepScale(history.lastStep);
  const all = pairs.flatMap(({evaluations}) => evaluations.map(({alignment}) => alignment));
  const y = linearScale(
    all.flatMap(({interval, lac}) => [...interval, lac]),
    [0],
    3,
  );
  const full = fullColour(all.flatMap(({lacByLayer}) => lacByLayer).filter(Number.isFinite));
  const frame = {x, y, full, columns: columnsFor(pairs)};
  return html`<div class="charts pairs">${pairs.map((pair) => pairChart(pair, frame))}</div>
    <p class="key">
      Curve: mean over layers with its 95 % interval. Map: each layer at each evaluation, embedding at the
      bottom,
      <span class="ramp above" aria-hidden="true"></span> 0 to ${fixed(full, 1)},
      <span class="ramp below" aria-hidden="true"></span> 0 to −${fixed(full, 1)} (worse than chance).
    </p>`;
}

function fullColour(values: readonly number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Math.min(1, Math.max(0.2, Math.ceil(largest * 10) / 10));
}

/** What the charts of all pairs have in common, so that they can be compared. */
interface PairFrame {
  readonly x: Scale;
  readonly y: Scale;
  /** LAC of full colour. */
  readonly full: number;
  /** Evaluations shown at most. */
  readonly columns: number;
}

function pairChart({evaluations, last}: PairHistory, {x, y, full, columns}: PairFrame): Html {
  const shown = spread(evaluations, columns);
  const at = (read: (pair: PairAlignment) => number): Point[] =>
    shown.map(({step, alignment}) => ({x: step, y: read(alignment)}));
  const first = evaluations[0]?.alignment;
  const name = pairName(last);
  return lineChart({
    title: name,
    latest: `${coefficient(last.lac)} [${fixed(last.interval[0], 2)}, ${fixed(last.interval[1], 2)}]`,
    description: `LAC of ${name}: from ${coefficient(first?.lac ?? NaN)} to ${coefficient(last.lac)}`,
    x,
    y,
    curves: [
      {name: `${name}, mean over layers`, points: at(({lac}) => lac), stroke: strokeOf(0), weight: 'main'},
    ],
    bands: [
      {low: at(({interval}) => interval[0]), high: at(({interval}) => interval[1]), colour: 'var(--s0)'},
    ],
    level: {value: 0, label: ''},
    beneath: heatMap({
      description: `LAC of ${name} by layer over the evaluations; the table below has the values of the last`,
      x,
      columns: shown.map(({step, alignment}) => ({step, values: alignment.lacByLayer})),
      full,
      rowName: layerName,
    }),
  });
}

const layerName = (layer: number): string => (layer === 0 ? 'embedding' : `layer ${layer}`);

function layerTables(pairs: readonly PairHistory[]): Html {
  return folded(
    'Values by layer at the last evaluation',
    pairs.map(({last}) => layerTable(last)),
  );
}

function layerTable(pair: PairAlignment): Html {
  const remark = remarkOn(pair);
  return html`${table({
      caption: pairName(pair),
      columns: [
        'Layer',
        'LAC',
        '95 % interval',
        'Closeness',
        'Retrieval',
        'P@1 there',
        'P@1 back',
        'Margin error',
        'MEXA',
        'Mean cosine',
        'CKA',
      ].map((name) => ({name})),
      rows: pair.lacByLayer.map((lac, layer) => layerRow(pair, lac, layer)),
    })}
    <p class="remark">
      ${pair.pairs} sentence pairs${remark !== '' && ` (${remark})`}. Best layer, chosen on one half of the
      sentences and read on the other: ${coefficient(pair.peak)}.
    </p>`;
}

function layerRow(pair: PairAlignment, lac: number, layer: number): (Html | string)[] {
  const [low, high] = pair.intervalByLayer[layer] ?? [NaN, NaN];
  const [there, back] = pair.precisionAt1[layer] ?? [NaN, NaN];
  const margins = pair.marginErrorByLayer[layer] ?? [NaN, NaN];
  return [
    layer === 0 ? 'embedding' : String(layer),
    html`<b>${coefficient(lac)}</b>`,
    `${fixed(low, 2)} to ${fixed(high, 2)}`,
    coefficient(pair.closenessByLayer[layer] ?? NaN),
    coefficient(pair.retrievalByLayer[layer] ?? NaN),
    percent(there),
    percent(back),
    percent((margins[0] + margins[1]) / 2),
    coefficient(pair.mexaByLayer[layer] ?? NaN),
    coefficient(pair.meanCosineByLayer[layer] ?? NaN),
    coefficient(pair.ckaByLayer[layer] ?? NaN),
  ];
}
