/** Finding translations: precision@1 over time, and the measures of other work. */
import {fixed, percent} from './format.js';
import {trackChange, type RunHistory, type Track} from './history.js';
import {html, type Html} from './html.js';
import {lineChart} from './line-chart.js';
import {
  chanceOf,
  meanAbove,
  pairHistories,
  pairName,
  precisionOf,
  precisionTracks,
  type PairHistory,
} from './pairs.js';
import {strokeOf} from './palette.js';
import {linearScale, stepScale} from './scale.js';
import {changeMark, coefficient, section} from './section.js';
import {thin, type Point} from './series.js';
import {table} from './table.js';

export function retrievalSection(history: RunHistory): Html | undefined {
  const pairs = pairHistories(history.evaluations);
  if (pairs.length === 0) return undefined;
  return section({
    id: 'retrieval',
    title: 'Retrieval',
    lead: html`P@1: how often the sentence of the other language with the nearest raw vector is the
    translation. It falls when there are more sentences to choose from, so compare it only at equal numbers.
    Values are means over layers.`,
    body: html`<div class="charts wide">${chart(history, pairs)}</div>
      ${comparison(pairs, precisionTracks(history))}`,
  });
}

function chart(history: RunHistory, pairs: readonly PairHistory[]): Html {
  const curves = pairs.map(({evaluations, last}, i) => ({
    name: pairName(last),
    points: thin(evaluations.map(({step, alignment}): Point => ({x: step, y: 100 * precisionOf(alignment)}))),
    stroke: strokeOf(i),
  }));
  const chance = 100 * chanceOf(pairs);
  const ends = pairs.map(({last}) => `${pairName(last)} ${percent(precisionOf(last))}`);
  return lineChart({
    title: 'P@1 by language pair, in per cent, both directions',
    description: `Precision at 1 at the last evaluation: ${ends.join(', ')}`,
    x: stepScale(history.lastStep),
    y: linearScale([chance, ...curves.flatMap(({points}) => points.map(({y}) => y))], [0]),
    curves,
    level: {value: chance, label: 'chance'},
  });
}

/** A difference of two shares, in percentage points. */
export const points = (share: number): string => fixed(100 * share, 1);

function comparison(pairs: readonly PairHistory[], followed: readonly Track[]): Html {
  return table({
    caption: 'Retrieval and the measures of other work at the last evaluation, means over layers',
    columns: [
      'Languages',
      'Sentences',
      'P@1 there',
      'P@1 back',
      'Change, points',
      'Margin error',
      'MEXA',
      'Mean cosine',
      'CKA',
    ].map((name) => ({name})),
    rows: pairs.map(({key, last}) => {
      const change = trackChange(followed.find((track) => track.key === key));
      return [
        pairName(last),
        last.pairs,
        percent(meanAbove(last.precisionAt1.map(([there]) => there))),
        percent(meanAbove(last.precisionAt1.map(([, back]) => back))),
        changeMark(change, {show: points, better: 'higher'}),
        percent(meanAbove(last.marginErrorByLayer.map(([there, back]) => (there + back) / 2))),
        coefficient(meanAbove(last.mexaByLayer)),
        coefficient(meanAbove(last.meanCosineByLayer)),
        coefficient(meanAbove(last.ckaByLayer)),
      ];
    }),
  });
}
