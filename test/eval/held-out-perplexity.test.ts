import {heldOutPerplexity} from '../../lib/eval/index.js';
import {zeros} from '../../lib/tensor/index.js';
import {logProbability, referenceForward, weightsOf} from '../nn/reference.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {documents, heldOutWith, shaken, vocabSize} from './world.js';

const options = {tokensPerBatch: 64};

onEachDevice(
  ['float32'],
  'a model that knows nothing has the perplexity of the vocabulary',
  async (t, on) => {
    using decoder = shaken(on);
    decoder.head.copyFrom(zeros(decoder.head.shape, on));
    const results = await heldOutPerplexity(decoder, heldOutWith([]), options);
    t.deepEqual(
      results.map(({language, tokens, bytes}) => ({language, tokens, bytes})),
      [
        {language: 'cs', tokens: 20, bytes: 17},
        {language: 'uk', tokens: 12, bytes: 10},
      ],
    );
    for (const {natsPerToken, perplexity, bitsPerByte, tokens, bytes} of results) {
      closeTo(t, [natsPerToken, perplexity / vocabSize], [Math.log(vocabSize), 1], 1e-6);
      closeTo(t, [bitsPerByte], [(Math.log2(vocabSize) * tokens) / bytes], 1e-5);
    }
  },
);

onEachDevice(
  ['float32'],
  'perplexity is that of the plain model, of the targets that count',
  async (t, on) => {
    using decoder = shaken(on);
    const batch = documents('cs', ['abcdefgh', 'xyz'], 3);
    const heldOut = {languages: ['cs'], text: () => [{batch, bytes: 7}], pairs: []};
    const [result] = await heldOutPerplexity(decoder, heldOut, options);
    const {logits} = referenceForward({shape: decoder.shape, weights: await weightsOf(decoder)}, batch);
    const nll = logits.flatMap((row, token) =>
      batch.weights[token] === 0 ? [] : -logProbability(row, batch.targets[token]!),
    );
    t.is(result!.tokens, nll.length);
    const nats = nll.reduce((sum, value) => sum + value, 0);
    closeTo(t, [result!.natsPerToken, result!.bitsPerByte], [nats / nll.length, nats / Math.LN2 / 7], 1e-4);
  },
);
