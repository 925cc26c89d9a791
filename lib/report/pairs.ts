/** Language pairs through the evaluations of a run. */
import type {AlignmentFlag, PairAlignment} from '../eval/results.js';
import type {EvaluationEvent} from '../train/events.js';
import {languageName} from './format.js';
import type {RunHistory, Track} from './history.js';
import {finite, type Point} from './series.js';

interface PairEvaluation {
  readonly step: number;
  readonly alignment: PairAlignment;
}

/** One language pair through the evaluations. */
export interface PairHistory {
  readonly key: string;
  readonly evaluations: readonly PairEvaluation[];
  readonly last: PairAlignment;
}

export function pairHistories(evaluations: readonly EvaluationEvent[]): PairHistory[] {
  const found = new Map<string, PairEvaluation[]>();
  for (const {step, alignment} of evaluations)
    for (const pair of alignment.filter(isFinitePair)) {
      const list = found.get(pairKey(pair)) ?? [];
      found.set(pairKey(pair), list);
      list.push({step, alignment: pair});
    }
  return [...found].flatMap(([key, list]) => {
    const last = list.at(-1);
    return last === undefined ? [] : {key, evaluations: list, last: last.alignment};
  });
}

/** A metrics file may hold values that were not finite; such a measurement has nothing to show. */
function isFinitePair({lac, interval}: PairAlignment): boolean {
  return [lac, ...interval].every(Number.isFinite);
}

const pairKey = ({source, target}: PairAlignment): string => `${source}→${target}`;

export function pairName({source, target}: PairAlignment): string {
  return `${languageName(source)} – ${languageName(target)}`;
}

/** A value of each pair over the evaluations. */
function pairTracks(history: RunHistory, read: (pair: PairAlignment) => number): Track[] {
  return pairHistories(history.evaluations).map(({key, evaluations}) => ({
    key,
    points: finite(evaluations.map(({step, alignment}) => ({x: step, y: read(alignment)}))),
  }));
}

/** LAC of each pair over the evaluations. */
export function lacTracks(history: RunHistory): Track[] {
  return pairTracks(history, ({lac}) => lac);
}

/** Precision@1 of each pair over the evaluations. */
export function precisionTracks(history: RunHistory): Track[] {
  return pairTracks(history, precisionOf);
}

/** Precision@1 of a pair: mean of both directions and over layers 1 and up, as `lac` is. */
export function precisionOf({precisionAt1}: PairAlignment): number {
  return meanAbove(precisionAt1.map(([there, back]) => (there + back) / 2));
}

/** Mean over layers 1 and up; of the embedding alone if there is nothing else. */
export function meanAbove(byLayer: readonly number[]): number {
  const values = byLayer.length > 1 ? byLayer.slice(1) : byLayer;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Precision@1 that guessing would give, mean over the pairs. */
export function chanceOf(pairs: readonly PairHistory[]): number {
  return pairs.reduce((sum, {last}) => sum + 1 / last.pairs, 0) / pairs.length;
}

/** Mean of the tracks at each step, over those that have a value there. */
export function meanTrack(all: readonly Track[]): Point[] {
  const at = new Map<number, number[]>();
  for (const {points} of all) for (const {x, y} of points) at.set(x, [...(at.get(x) ?? []), y]);
  return [...at]
    .sort(([a], [b]) => a - b)
    .map(([x, values]) => ({x, y: values.reduce((sum, value) => sum + value, 0) / values.length}));
}

const remarks: Readonly<Record<AlignmentFlag, string>> = {
  fewPairs: 'fewer than 100 sentence pairs: a wide interval',
  tooFewPairs: 'fewer than 32 sentence pairs: not to be compared with other numbers of pairs',
  collapsed: 'at some layer all sentences of one language have the same vector',
};

/** What the flags of an alignment mean; empty without flags. */
export function remarkOn({flags}: PairAlignment): string {
  return flags.map((flag) => remarks[flag]).join('; ');
}
