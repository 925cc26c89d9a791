/** An alignment of two languages, as a table over the hidden states. */
import type {AlignmentDifference, PairAlignment} from '../eval/index.js';
import {count, fixed, interval as shown} from './format.js';
import {table} from './table.js';

const remarks = {
  fewPairs: 'fewer than 100 pairs: intervals are wide',
  tooFewPairs: 'fewer than 32 pairs: not to be compared with other numbers of pairs',
  collapsed: 'at some hidden state a side is the same vector for every sentence',
} as const satisfies Record<PairAlignment['flags'][number], string>;

export function describeAlignment(alignment: PairAlignment, name: string): string[] {
  const {source, target, pairs, lac, interval, peak, flags} = alignment;
  return [
    `${name}: ${source}-${target}, ${count(pairs)} pairs`,
    `LAC (crossmap definition) ${fixed(lac, 3)} (${shown(interval)}), at the best layer ${fixed(peak, 3)}`,
    ...flags.map((flag) => `note: ${remarks[flag]}`),
    ...table(
      [
        'hidden state',
        'LAC',
        '95 % interval',
        'closeness',
        'retrieval',
        `P@1 ${source}>${target}`,
        `P@1 ${target}>${source}`,
        'margin error',
        'MEXA',
        'cosine',
        'CKA',
      ],
      alignment.lacByLayer.map((value, layer) => [
        String(layer),
        fixed(value, 3),
        shown(alignment.intervalByLayer[layer] ?? [NaN, NaN]),
        fixed(alignment.closenessByLayer[layer] ?? NaN, 3),
        fixed(alignment.retrievalByLayer[layer] ?? NaN, 3),
        fixed(alignment.precisionAt1[layer]?.[0] ?? NaN, 3),
        fixed(alignment.precisionAt1[layer]?.[1] ?? NaN, 3),
        fixed(meanOfBoth(alignment.marginErrorByLayer[layer]), 3),
        fixed(alignment.mexaByLayer[layer] ?? NaN, 3),
        fixed(alignment.meanCosineByLayer[layer] ?? NaN, 3),
        fixed(alignment.ckaByLayer[layer] ?? NaN, 3),
      ]),
    ),
  ];
}

/** Of both directions. */
function meanOfBoth([forth, back]: readonly [number, number] = [NaN, NaN]): number {
  return (forth + back) / 2;
}

/** A table of the measures, with means over layers, and of the precision and errors over both directions. */
export function describeDifference({precisionAt1, marginError, ...lac}: AlignmentDifference): string[] {
  const measures = {LAC: lac, 'P@1': precisionAt1, 'margin error': marginError};
  const isUndecided = Object.values(measures).some(({better}) => better === 'undecided');
  return [
    ...table(
      ['second less first', 'difference', '95 % interval', 'better'],
      Object.entries(measures).map(([name, {difference, interval, better}]) => [
        name,
        fixed(difference, 3),
        shown(interval),
        better,
      ]),
    ),
    ...(isUndecided
      ? ['undecided: the interval holds 0, so these sentences do not tell which is better']
      : []),
  ];
}
