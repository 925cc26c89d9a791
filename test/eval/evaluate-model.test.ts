import {alignPair, encodePairs, evaluateModel, heldOutPerplexity, translate} from '../../lib/eval/index.js';
import {generateAll} from '../../lib/nn/index.js';
import {translationPrompt} from '../../lib/data/index.js';
import {onEachDevice} from '../support/ops.js';
import {evaluationConfig, heldOutWith, pairsOf, shaken, tokenizer} from './world.js';

const texts = ['abc', 'defgh', 'z'];

onEachDevice(['float32'], 'a translation is what greedy generation says after the prompt', async (t, on) => {
  using decoder = shaken(on);
  for (const prefix of [false, true]) {
    const request = {source: 'cs', target: 'uk', texts};
    const got = await translate(decoder, tokenizer, request, {maxNewTokens: 9, prefix});
    const prompts = await Promise.all(
      texts.map((text) => translationPrompt(tokenizer, {source: 'cs', target: 'uk', text})),
    );
    const options = {maxNewTokens: 9, prefix, stopTokens: [tokenizer.eos]};
    const outputs = await generateAll(decoder, prompts, options);
    t.deepEqual(got, await Promise.all(outputs.map((output) => tokenizer.decode(output))));
  }
});

onEachDevice(
  ['float32'],
  'a translation has at most twice the tokens of the sentence plus 20',
  async (t, on) => {
    using decoder = shaken(on, {context: 200});
    const endless = {...tokenizer, eos: -1, decode: async ({length}: ArrayLike<number>) => String(length)};
    const lengths = await translate(
      decoder,
      endless,
      {source: 'cs', target: 'uk', texts},
      {maxNewTokens: 28, prefix: false},
    );
    t.deepEqual(lengths, ['26', '28', '22']);
  },
);

onEachDevice(
  ['float32'],
  'an evaluation is perplexity, alignment and samples of both directions',
  async (t, on) => {
    using decoder = shaken(on);
    const pairs = pairsOf(12);
    const heldOut = heldOutWith([pairs]);
    const config = evaluationConfig('pairs: 10, samples: 2, maxNewTokens: 5');
    const {perplexity, alignment, samples} = await evaluateModel({
      decoder,
      data: {tokenizer, heldOut},
      config,
    });
    t.deepEqual(perplexity, await heldOutPerplexity(decoder, heldOut, {tokensPerBatch: 64}));

    const first = {...pairs, sources: pairs.sources.slice(0, 10), targets: pairs.targets.slice(0, 10)};
    const vectors = await encodePairs(decoder, tokenizer, first, {tokensPerBatch: 64, prefix: false});
    t.deepEqual(alignment, [alignPair({...vectors, seed: 3, draws: 20})]);

    t.deepEqual(
      samples.map(({source, target, input, reference}) => [source, target, input, reference]),
      [
        ['cs', 'uk', pairs.sources[0], pairs.targets[0]],
        ['cs', 'uk', pairs.sources[1], pairs.targets[1]],
        ['uk', 'cs', pairs.targets[0], pairs.sources[0]],
        ['uk', 'cs', pairs.targets[1], pairs.sources[1]],
      ],
    );
    const options = {maxNewTokens: 5, prefix: false};
    const request = {source: 'uk', target: 'cs', texts: pairs.targets.slice(0, 2)};
    t.deepEqual(
      samples.slice(2).map(({output}) => output),
      await translate(decoder, tokenizer, request, options),
    );
  },
);

onEachDevice(['float32'], 'too few pairs are not measured, but samples are shown', async (t, on) => {
  using decoder = shaken(on);
  const heldOut = heldOutWith([pairsOf(7)]);
  const config = evaluationConfig('samples: 1, maxNewTokens: 5');
  const {alignment, samples} = await evaluateModel({decoder, data: {tokenizer, heldOut}, config});
  t.deepEqual(alignment, []);
  t.is(samples.length, 2);
});

onEachDevice(['float32'], 'what is 0 is left out', async (t, on) => {
  using decoder = shaken(on);
  const heldOut = heldOutWith([pairsOf(12)]);
  const config = evaluationConfig('pairs: 0, samples: 0');
  const {alignment, samples} = await evaluateModel({decoder, data: {tokenizer, heldOut}, config});
  t.deepEqual([alignment, samples], [[], []]);
});

onEachDevice(['float32'], 'a sentence that fills the context is no sample', async (t, on) => {
  using decoder = shaken(on);
  const {sources, targets, ...languages} = pairsOf(3);
  const long = 'a'.repeat(28);
  const pairs = {...languages, sources: [long, ...sources.slice(1)], targets};
  const config = evaluationConfig('samples: 1, maxNewTokens: 5');
  const {samples} = await evaluateModel({decoder, data: {tokenizer, heldOut: heldOutWith([pairs])}, config});
  t.deepEqual(
    samples.map(({input}) => input),
    [sources[1], targets[0]],
  );
});

onEachDevice(['float32'], 'a prefix model is evaluated as it is trained', async (t, on) => {
  using decoder = shaken(on);
  const heldOut = heldOutWith([pairsOf(12)]);
  const run = async (objectives: string): Promise<number> => {
    const config = evaluationConfig('pairs: 12, samples: 0', objectives);
    const {alignment} = await evaluateModel({decoder, data: {tokenizer, heldOut}, config});
    return alignment[0]!.lac;
  };
  t.not(await run('mapping: {prefix: true}'), await run('mapping: {prefix: false}'));
});

onEachDevice(['float32'], 'a signal stops the evaluation', async (t, on) => {
  using decoder = shaken(on);
  const data = {tokenizer, heldOut: heldOutWith([pairsOf(12)])};
  const input = {decoder, data, config: evaluationConfig(''), signal: AbortSignal.abort()};
  await t.throwsAsync(evaluateModel(input), {
    code: 'ERR_ABORTED',
    message: 'evaluation: stopped by its signal',
  });
});
