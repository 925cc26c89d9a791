/** The main values of a run as tiles: now, at the start, and the way between. */
import {fixed, number, percent} from './format.js';
import {lossChange, lossCurve, meanChange, trackChange, type Change, type RunHistory} from './history.js';
import {objectiveNames, objectives} from './objective.js';
import {html, type Html} from './html.js';
import {bitsPerByteTracks} from './languages.js';
import {objectiveStroke} from './losses.js';
import {lacTracks, meanTrack, precisionTracks} from './pairs.js';
import {points} from './retrieval.js';
import {extent, linearScale} from './scale.js';
import {changeMark, coefficient, type Wording} from './section.js';
import {smooth, spread, type Point} from './series.js';

interface Tile extends Wording {
  readonly name: string;
  readonly change: Change;
  readonly colour: string;
  readonly points: readonly Point[];
}

/** A tile for each value that the run has. */
export function tiles(history: RunHistory): Html {
  const all = [...lossTiles(history), ...evaluationTiles(history)];
  return html`<div class="tiles">${all.map(tile)}</div>`;
}

function lossTiles(history: RunHistory): Tile[] {
  return objectives.flatMap((objective) => {
    const points = lossCurve(history, objective);
    const change = lossChange(points);
    if (change === undefined) return [];
    const name = `${objectiveNames[objective]} loss`;
    const colour = objectiveStroke(objective).colour;
    return {name, change, colour, points: spread(smooth(points), 120), show: number, better: 'lower'};
  });
}

function evaluationTiles(history: RunHistory): Tile[] {
  const followed = [
    {name: 'Bits per byte', all: bitsPerByteTracks(history), colour: 'var(--s6)', ...inBits},
    {name: 'LAC', all: lacTracks(history), colour: 'var(--s3)', ...inLac},
    {name: 'P@1', all: precisionTracks(history), colour: 'var(--s5)', ...inPrecision},
  ];
  return followed.flatMap(({all, ...rest}) => {
    const change = meanChange(all.map(trackChange));
    return change === undefined ? [] : {...rest, change, points: meanTrack(all)};
  });
}

const inBits: Wording = {show: (value) => fixed(value, 2), better: 'lower'};
const inLac: Wording = {show: coefficient, better: 'higher'};
const inPrecision: Wording = {show: (value) => percent(value), difference: points, better: 'higher'};

function tile({name, change, colour, points, ...wording}: Tile): Html {
  const {show} = wording;
  return html`<div class="tile" style="--tile:${colour}">
    <p class="name">${name}</p>
    <p class="now">${show(change.now)}</p>
    <p class="was">
      ${
        change.first === undefined
          ? 'no earlier value'
          : html`from ${show(change.first)} <span class="delta">${changeMark(change, wording)}</span>`
      }
    </p>
    ${sparkline(spread(points, 120))}
  </div>`;
}

function sparkline(points: readonly Point[]): Html | undefined {
  if (points.length < 2) return undefined;
  const [from, to] = extent(points.map(({x}) => x));
  const y = linearScale(points.map((point) => point.y));
  const path = points
    .map(
      (point) =>
        `${fixed1((100 * (point.x - from)) / (to - from || 1))} ${fixed1(100 - 100 * y.position(point.y))}`,
    )
    .join('L');
  return html`<svg class="spark" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
    <path d="M${path}" />
  </svg>`;
}

const fixed1 = (value: number): string => value.toFixed(1);
