import type {Tokenizer} from '../../lib/data/index.js';
import {encodePairs, evaluateModel, heldOutPerplexity} from '../../lib/eval/index.js';
import {aloneOnEachDevice, keepsNothing} from '../support/memory.js';
import {evaluationConfig, heldOutWith, pairsOf, shaken, tokenizer} from './world.js';

const options = {tokensPerBatch: 64, prefix: false};

aloneOnEachDevice('an evaluation leaves no memory behind', async (t, on) => {
  using decoder = shaken(on);
  const data = {tokenizer, heldOut: heldOutWith([pairsOf(10)])};
  const config = evaluationConfig('samples: 1, maxNewTokens: 5');
  await keepsNothing(t, on, () => evaluateModel({decoder, data, config}));
});

aloneOnEachDevice(
  'a signal stops the measurement of perplexity, and nothing is left behind',
  async (t, on) => {
    using decoder = shaken(on);
    const abort = new AbortController();
    const heldOut = heldOutWith([]);
    const stopping = {
      ...heldOut,
      text: (language: string) => {
        if (language === 'uk') abort.abort();
        return heldOut.text(language, options);
      },
    };
    await keepsNothing(t, on, () =>
      t.throwsAsync(heldOutPerplexity(decoder, stopping, {...options, signal: abort.signal}), {
        code: 'ERR_ABORTED',
        message: 'evaluation: stopped by its signal',
      }),
    );
  },
);

aloneOnEachDevice('a signal stops the encoding of pairs, and nothing is left behind', async (t, on) => {
  using decoder = shaken(on);
  const abort = new AbortController();
  let sides = 0;
  const stopping: Tokenizer = {
    ...tokenizer,
    encodeAll: (texts) => {
      if (++sides === 2) abort.abort();
      return tokenizer.encodeAll(texts);
    },
  };
  await keepsNothing(t, on, () =>
    t.throwsAsync(encodePairs(decoder, stopping, pairsOf(10), {...options, signal: abort.signal}), {
      code: 'ERR_ABORTED',
      message: 'evaluation: stopped by its signal',
    }),
  );
});
