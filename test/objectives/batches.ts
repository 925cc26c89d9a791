/** Batches by hand for tests of objectives: control tokens 0 to 4, text from 5. */
import {parseConfig, type Config} from '../../lib/config/index.js';
import type {Batch, SegmentKind} from '../../lib/data/batch.js';

const [bos, eos, map] = [0, 1, 2];
const [languageX, languageY] = [3, 4];

/** Text tokens of the two sides of a pair. */
export type PairTexts = readonly [x: readonly number[], y: readonly number[]];

interface Segment {
  readonly kind: SegmentKind;
  readonly tokens: readonly number[];
  /** Of each token as a target. */
  readonly weights: readonly number[];
}

/** `<bos> <x> text <eos>` for each text, then both directions of each pair. */
export function batchOf(texts: readonly (readonly number[])[], pairs: readonly PairTexts[] = []): Batch {
  const directions = pairs.flatMap(([x, y]) => [
    mapping(x, y, [languageX, languageY]),
    mapping(y, x, [languageY, languageX]),
  ]);
  const segments = [...texts.map(text), ...directions];
  const starts = segments.reduce<number[]>((all, {tokens}) => [...all, all.at(-1)! + tokens.length], [0]);
  // The text of a side begins after <bos> and its language.
  const spans = (side: 0 | 1): {starts: Int32Array; ends: Int32Array} => {
    const from = pairs.map((_, pair) => starts[texts.length + 2 * pair + side]! + 2);
    return {
      starts: Int32Array.from(from),
      ends: Int32Array.from(from, (start, pair) => start + pairs[pair]![side].length),
    };
  };
  return {
    tokens: Int32Array.from(segments.flatMap(({tokens}) => tokens)),
    targets: Int32Array.from(segments.flatMap(({tokens}) => [...tokens.slice(1), -1])),
    weights: Float32Array.from(segments.flatMap(({weights}) => [...weights.slice(1), 0])),
    positions: Int32Array.from(segments.flatMap(({tokens}) => [...tokens.keys()])),
    segmentStarts: Int32Array.from(starts),
    prefixLengths: new Int32Array(segments.length),
    kinds: segments.map(({kind}) => kind),
    languages: segments.map(() => 'x'),
    pairs: {
      xStarts: spans(0).starts,
      xEnds: spans(0).ends,
      yStarts: spans(1).starts,
      yEnds: spans(1).ends,
      groups: groupsOf(pairs),
    },
  };
}

function text(words: readonly number[]): Segment {
  return {
    kind: 'text',
    tokens: [bos, languageX, ...words, eos],
    weights: [0, 0, ...words.map((word) => (word % 3 === 0 ? 0.5 : 1)), 1],
  };
}

function mapping(from: readonly number[], to: readonly number[], [s, t]: readonly [number, number]): Segment {
  return {
    kind: 'mapping',
    tokens: [bos, s, ...from, map, t, ...to, eos],
    weights: [0, 0, ...from.map(() => 0), 0, 0, ...to.map(() => 1), 1],
  };
}

/** Pairs that share a side directly are one group; enough for tests. */
function groupsOf(pairs: readonly PairTexts[]): Int32Array {
  const sides = pairs.map((pair) => pair.map((side) => side.join()));
  return Int32Array.from(sides, (own) =>
    sides.findIndex((other) => other.some((side) => own.includes(side))),
  );
}

/**
 * A configuration over a decoder of two layers, read from YAML like a user's. On a device that records ops batches are filled up to
 * `tokensPerBatch`: many tokens cost time.
 */
export function configOf(objectives: string, training = 'steps: 100, tokensPerBatch: 64'): Config {
  return parseConfig(
    [
      'data:',
      '  monolingual: [{language: cs, files: [a.txt]}, {language: uk, files: [b.txt]}]',
      '  parallel: [{source: cs, target: uk, files: [c.txt, d.txt]}]',
      'model: {layers: 2, features: 12, heads: 2, context: 32}',
      `objectives: {${objectives}}`,
      `training: {${training}}`,
    ].join('\n'),
  );
}
