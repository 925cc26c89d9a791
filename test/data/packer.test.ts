import test from 'ava';
import fc from 'fast-check';
import type {Batch, Tokenizer} from '../../lib/data/index.js';
import {createPacker, type PackedSide, type PackerOptions} from '../../lib/data/sampling/packer.js';

/** `<bos>` 0, `<eos>` 1, `<map>` 2, then the languages. */
const tokenizer: Tokenizer = {
  vocabSize: 1000,
  bos: 0,
  eos: 1,
  map: 2,
  languages: ['cs', 'en'],
  file: '',
  language: (code) => 3 + ['cs', 'en'].indexOf(code),
  isControl: (id) => id < 5,
  encode: () => Promise.reject(new Error('not needed')),
  encodeAll: () => Promise.reject(new Error('not needed')),
  decode: () => Promise.reject(new Error('not needed')),
};

const options: PackerOptions = {tokenizer, tokensPerBatch: 64, prefix: false, sourceWeight: 0};

const side = (language: string, tokens: number[], textId = tokens[0]!): PackedSide => ({
  language,
  tokens: Int32Array.from(tokens),
  textId,
});

const english = side('en', [10, 11, 12]);
const czech = side('cs', [20, 21]);

/** A batch as plain lists, without what a case says nothing about. */
const plain = ({
  tokens,
  targets,
  weights,
  positions,
  segmentStarts,
  prefixLengths,
  kinds,
  languages,
}: Batch) => ({
  tokens: [...tokens],
  targets: [...targets],
  weights: [...weights],
  positions: [...positions],
  segmentStarts: [...segmentStarts],
  prefixLengths: [...prefixLengths],
  kinds,
  languages,
});

test('text is predicted with <eos>, and no control token is', (t) => {
  const packer = createPacker(options);
  packer.addText(english);
  packer.addText(czech);
  t.deepEqual(plain(packer.finish()), {
    tokens: [0, 4, 10, 11, 12, 1, 0, 3, 20, 21, 1],
    targets: [4, 10, 11, 12, 1, -1, 3, 20, 21, 1, -1],
    weights: [0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0],
    positions: [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4],
    segmentStarts: [0, 6, 11],
    prefixLengths: [0, 0],
    kinds: ['text', 'text'],
    languages: ['en', 'cs'],
  });
});

test('a pair is mapped in both directions, with weight on the target sentence and <eos>', (t) => {
  const packer = createPacker(options);
  packer.addMapping(english, czech);
  const batch = packer.finish();
  t.deepEqual(plain(batch), {
    tokens: [0, 4, 10, 11, 12, 2, 3, 20, 21, 1, 0, 3, 20, 21, 2, 4, 10, 11, 12, 1],
    targets: [4, 10, 11, 12, 2, 3, 20, 21, 1, -1, 3, 20, 21, 2, 4, 10, 11, 12, 1, -1],
    weights: [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0],
    positions: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    segmentStarts: [0, 10, 20],
    prefixLengths: [0, 0],
    kinds: ['mapping', 'mapping'],
    languages: ['cs', 'en'],
  });
  const {xStarts, xEnds, yStarts, yEnds} = batch.pairs;
  t.deepEqual([...batch.tokens.subarray(xStarts[0], xEnds[0])], [10, 11, 12]);
  t.deepEqual([...batch.tokens.subarray(yStarts[0], yEnds[0])], [20, 21]);
  t.deepEqual([xStarts[0], yStarts[0]], [2, 12]);
});

test('sourceWeight weighs the source sentence, and neither <map> nor the language', (t) => {
  const packer = createPacker({...options, sourceWeight: 0.5});
  packer.addMapping(english, czech);
  t.deepEqual([...packer.finish().weights.subarray(0, 10)], [0, 0.5, 0.5, 0.5, 0, 0, 1, 1, 1, 0]);
});

test('a prefix reaches up to the target language, and its tokens are no targets', (t) => {
  const packer = createPacker({...options, prefix: true, sourceWeight: 1});
  packer.addMapping(english, czech);
  packer.addText(english);
  const {prefixLengths, weights, tokens} = packer.finish();
  t.deepEqual([...prefixLengths], [7, 6, 0]);
  t.is(tokens[7 - 1], 3);
  t.deepEqual([...weights.subarray(0, 10)], [0, 0, 0, 0, 0, 0, 1, 1, 1, 0]);
});

test('a pair of texts has the spans of a pair and the weights of text', (t) => {
  const packer = createPacker({...options, prefix: true});
  packer.addTextPair(english, czech);
  const batch = packer.finish();
  t.deepEqual(batch.kinds, ['text', 'text']);
  t.deepEqual([...batch.prefixLengths], [0, 0]);
  t.deepEqual([...batch.weights], [0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0]);
  const {xStarts, xEnds, yStarts, yEnds} = batch.pairs;
  t.deepEqual([xStarts[0], xEnds[0], yStarts[0], yEnds[0]], [2, 5, 8, 10]);
});

test('a segment without <eos> and with context that is counted elsewhere', (t) => {
  const packer = createPacker(options);
  packer.addText(english, {ends: false, unweighted: 2});
  const {tokens, targets, weights} = packer.finish();
  t.deepEqual([...tokens], [0, 4, 10, 11, 12]);
  t.deepEqual([...targets], [4, 10, 11, 12, -1]);
  t.deepEqual([...weights], [0, 0, 0, 1, 0]);
});

test('room shrinks as a batch fills, and a finished batch leaves nothing behind', (t) => {
  const packer = createPacker(options);
  packer.addMapping(english, czech);
  t.is(packer.room(), 64 - 20);
  packer.finish();
  t.is(packer.room(), 64);
  packer.addText(czech);
  const batch = packer.finish();
  t.deepEqual([...batch.tokens], [0, 3, 20, 21, 1]);
  t.is(batch.pairs.groups.length, 0);
});

test('pairs are in one group if they share a text on either side, directly or through others', (t) => {
  const pairs = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), {maxLength: 14});
  fc.assert(
    fc.property(pairs, (textIds) => {
      const packer = createPacker({...options, tokensPerBatch: 1000});
      for (const [x, y] of textIds) packer.addMapping(side('en', [10], x), side('cs', [20], y));
      const groups = [...packer.finish().pairs.groups];
      // The reference grows each group until nothing touches it from outside.
      const reached = (start: number): Set<number> => {
        const group = new Set([start]);
        for (let size = 0; size < group.size;) {
          size = group.size;
          const texts = new Set([...group].flatMap((pair) => textIds[pair]!));
          textIds.forEach((ids, pair) => ids.some((id) => texts.has(id)) && group.add(pair));
        }
        return group;
      };
      textIds.forEach((_, a) => {
        const group = reached(a);
        textIds.forEach((_, b) => t.is(groups[a] === groups[b], group.has(b)));
      });
    }),
    {seed: 5, numRuns: 150},
  );
});
