import {encodePairs, encodeSentences} from '../../lib/eval/index.js';
import type {Decoder} from '../../lib/nn/index.js';
import {referenceForward, weightsOf, type ReferenceModel} from '../nn/reference.js';
import {closeTo, onEachDevice, sumFloor} from '../support/ops.js';
import {pairsOf, sentences, shaken, tokenizer} from './world.js';

const options = {tokensPerBatch: 32, prefix: false};

/** The sentence alone, its text tokens weighted 1, 2, ..., n. */
async function plainVector(
  model: ReferenceModel,
  text: string,
  {layer, prefix}: {layer: number; prefix: boolean},
) {
  const tokens = [tokenizer.bos, tokenizer.language('cs'), ...(await tokenizer.encode(text))];
  const {hiddenStates} = referenceForward(model, {
    tokens: Int32Array.from(tokens),
    positions: Int32Array.from(tokens.keys()),
    segmentStarts: Int32Array.of(0, tokens.length),
    prefixLengths: Int32Array.of(prefix ? tokens.length : 0),
  });
  const rows = hiddenStates[layer]!.slice(2);
  const total = (rows.length * (rows.length + 1)) / 2;
  return rows[0]!.map((_, d) => rows.reduce((sum, row, t) => sum + ((t + 1) / total) * row[d]!, 0));
}

async function modelOf(decoder: Decoder): Promise<ReferenceModel> {
  return {shape: decoder.shape, weights: await weightsOf(decoder)};
}

for (const prefix of [false, true])
  onEachDevice(
    ['float32'],
    `a sentence among many in a batch is encoded as if alone, ${prefix ? 'both ways' : 'causally'}`,
    async (t, on) => {
      using decoder = shaken(on);
      const texts = sentences(9, 4);
      const encoded = await encodeSentences(
        decoder,
        tokenizer,
        {language: 'cs', texts},
        {...options, prefix},
      );
      const model = await modelOf(decoder);
      t.is(encoded.layers.length, 3);
      t.deepEqual(
        encoded.counts,
        texts.map(({length}) => length),
      );
      for (const [layer, vectors] of encoded.layers.entries()) {
        const wanted = await Promise.all(texts.map((text) => plainVector(model, text, {layer, prefix})));
        closeTo(t, vectors, wanted.flat(), 1e-4);
      }
    },
  );

onEachDevice(['float32'], 'batches make no difference to a sentence', async (t, on) => {
  using decoder = shaken(on);
  const language = {language: 'uk', texts: sentences(12, 5)};
  const many = await encodeSentences(decoder, tokenizer, language, options);
  const one = await encodeSentences(decoder, tokenizer, language, {...options, tokensPerBatch: 1000});
  if (on.device === 'cpu') {
    t.deepEqual(many, one);
    return;
  }
  t.deepEqual(many.counts, one.counts);
  // Tiles of a GPU begin where the tokens of a batch do: sums have another order.
  for (const [layer, vectors] of many.layers.entries())
    closeTo(t, vectors, one.layers[layer]!, sumFloor * Math.max(...one.layers[layer]!.map(Math.abs)));
});

onEachDevice(['float32'], 'pairs are both sides with their texts and counts', async (t, on) => {
  using decoder = shaken(on);
  const pairs = pairsOf(10);
  const encoded = await encodePairs(decoder, tokenizer, pairs, options);
  const y = await encodeSentences(decoder, tokenizer, {language: 'uk', texts: pairs.targets}, options);
  t.like(encoded, {source: 'cs', target: 'uk', features: 12, texts: {x: pairs.sources, y: pairs.targets}});
  t.deepEqual(encoded.counts!.y, y.counts);
  t.deepEqual(
    encoded.layers.map((layer) => layer.y),
    [...y.layers],
  );
});
