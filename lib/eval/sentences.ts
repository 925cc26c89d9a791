/** Parallel sentences at all hidden states, and choosing some of them. */
import type {LayerVectors, PrepareOptions} from './alignment-prepare.js';
import {pickRows} from './matrix.js';

export interface Sentences {
  /** Hidden states 0 (embedding) to layers. */
  readonly layers: readonly LayerVectors[];
  readonly options: PrepareOptions;
}

/** The given sentences, in the given order. */
export function pickSentences({layers, options}: Sentences, rows: readonly number[]): Sentences {
  const {features, counts} = options;
  const pick = (values: ArrayLike<number>): number[] => rows.map((i) => values[i] ?? 0);
  return {
    layers: layers.map(({x, y}) => ({x: pickRows(x, features, rows), y: pickRows(y, features, rows)})),
    options: {...options, ...(counts && {counts: {x: pick(counts.x), y: pick(counts.y)}})},
  };
}
