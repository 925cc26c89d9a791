/** A tokenizer of letters and held-out text by hand, for tests of the evaluation of a model. */
import {parseConfig, type Config} from '../../lib/config/index.js';
import type {Batch} from '../../lib/data/batch.js';
import type {HeldOut, HeldOutPairs, Tokenizer} from '../../lib/data/index.js';
import type {Decoder, DecoderShape} from '../../lib/nn/index.js';
import {shaken as shakenDecoder, tiny} from '../nn/shapes.js';
import {uniformNumbers} from '../support/numbers.js';
import type {On} from '../support/ops.js';

const letters = 'abcdefghijklmnopqrstuvwxyz ';
const languages = ['cs', 'uk'];
/** `<bos> <eos> <map> <cs> <uk>`, then a token for each letter. */
const firstLetter = 5;
export const vocabSize = firstLetter + letters.length;

function encode(text: string): Int32Array {
  return Int32Array.from(text, (letter) => firstLetter + letters.indexOf(letter));
}

export const tokenizer: Tokenizer = {
  vocabSize,
  bos: 0,
  eos: 1,
  map: 2,
  languages,
  file: 'tokenizer.json',
  language: (code) => 3 + languages.indexOf(code),
  isControl: (id) => id < firstLetter,
  encode: async (text) => encode(text),
  encodeAll: async (texts) => texts.map(encode),
  decode: async (ids) => Array.from(ids, (id) => letters[id - firstLetter] ?? '').join(''),
};

/** Documents packed as held-out text is; the first `repeated` tokens of each text are context that counts elsewhere. */
export function documents(language: string, texts: readonly string[], repeated = 0): Batch {
  const segments = texts.map((text) => [
    tokenizer.bos,
    tokenizer.language(language),
    ...encode(text),
    tokenizer.eos,
  ]);
  const starts = segments.reduce<number[]>((all, {length}) => [...all, all.at(-1)! + length], [0]);
  const weightsOf = (segment: readonly number[]): number[] =>
    segment.map((_, t) => (t === 0 || t === segment.length - 1 || t <= repeated ? 0 : 1));
  return {
    tokens: Int32Array.from(segments.flat()),
    targets: Int32Array.from(segments.flatMap((segment) => [...segment.slice(1), -1])),
    weights: Float32Array.from(segments.flatMap(weightsOf)),
    positions: Int32Array.from(segments.flatMap((segment) => [...segment.keys()])),
    segmentStarts: Int32Array.from(starts),
    prefixLengths: new Int32Array(segments.length),
    kinds: segments.map(() => 'text'),
    languages: segments.map(() => language),
    pairs: {
      xStarts: new Int32Array(),
      xEnds: new Int32Array(),
      yStarts: new Int32Array(),
      yEnds: new Int32Array(),
      groups: new Int32Array(),
    },
  };
}

/** Distinct sentences of 2 to 9 letters. */
export function sentences(count: number, seed: number): string[] {
  const uniform = uniformNumbers(seed);
  return Array.from({length: count}, (_, index) => {
    const length = 1 + Math.floor(uniform() * 8);
    return letters[index % 26]! + Array.from({length}, () => letters[Math.floor(uniform() * 26)]).join('');
  });
}

export function pairsOf(count: number): HeldOutPairs {
  return {source: 'cs', target: 'uk', sources: sentences(count, 1), targets: sentences(count, 2)};
}

/** Two languages, two batches each. */
export function heldOutWith(pairs: readonly HeldOutPairs[]): HeldOut {
  const texts: Readonly<Record<string, readonly (readonly string[])[]>> = {
    cs: [['abc', 'a longer text'], ['b']],
    uk: [['xyz'], ['uvw xyz']],
  };
  return {
    languages,
    text: (language) =>
      texts[language]!.map((each) => ({
        batch: documents(language, each),
        bytes: each.join('').length,
      })),
    pairs,
  };
}

/** A decoder over the tokenizer, with weights that all matter. */
export function shaken(on: On, shape: Partial<DecoderShape> = {}): Decoder {
  return shakenDecoder(on, {...tiny, vocabSize, ...shape});
}

/** A configuration with the given options of `evaluation` and `objectives`. */
export function evaluationConfig(evaluation: string, objectives = ''): Config {
  return parseConfig(
    [
      'seed: 3',
      'data:',
      '  monolingual: [{language: cs, files: [a.txt]}, {language: uk, files: [b.txt]}]',
      '  parallel: [{source: cs, target: uk, files: [c.txt, d.txt]}]',
      'model: {layers: 2, features: 12, heads: 2, context: 32}',
      `objectives: {${objectives}}`,
      'training: {tokensPerBatch: 64}',
      `evaluation: {bootstrap: 20, ${evaluation}}`,
    ].join('\n'),
  );
}
