/** Likelihoods of continuations against the plain model, and what is chosen by them. */
import test from 'ava';
import {
  scoreAnswer,
  scoreChoices,
  scoreContinuations,
  translationChoice,
  type Continuation,
} from '../../lib/eval/index.js';
import {choiceScores} from '../../lib/eval/choice.js';
import type {Decoder} from '../../lib/nn/index.js';
import {logProbability, referenceForward, weightsOf} from '../nn/reference.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {pairsOf, shaken, tokenizer} from './world.js';

const options = {tokensPerBatch: 24};

/** The sum over the tokens of the continuation, from a segment of its own. */
async function plainScore(
  decoder: Decoder,
  {context, tokens, prefixLength = 0}: Continuation,
): Promise<number> {
  const all = [...Array.from(context), ...Array.from(tokens)];
  const {logits} = referenceForward(
    {shape: decoder.shape, weights: await weightsOf(decoder)},
    {
      tokens: Int32Array.from(all),
      positions: Int32Array.from(all.keys()),
      segmentStarts: Int32Array.of(0, all.length),
      prefixLengths: Int32Array.of(prefixLength),
    },
  );
  return all
    .map((token, at) => (at < context.length ? 0 : logProbability(logits[at - 1]!, token)))
    .reduce((sum, value) => sum + value, 0);
}

onEachDevice(
  ['float32'],
  'a continuation scores the sum of the log-probabilities of its tokens, in whatever batch',
  async (t, on) => {
    using decoder = shaken(on);
    const continuations: Continuation[] = [
      {context: [0], tokens: [7, 8]},
      {context: [0, 3, 9, 10, 11], tokens: [12], prefixLength: 5},
      {context: Int32Array.of(0, 4), tokens: Int32Array.of(9, 8, 7, 6, 5, 1)},
      {
        context: Array.from({length: 14}, (_, i) => 5 + i),
        tokens: Array.from({length: 17}, (_, i) => 20 - i),
      },
      {context: [0, 3], tokens: [30]},
    ];
    const scores = await scoreContinuations(decoder, continuations, options);
    const expected = await Promise.all(continuations.map((each) => plainScore(decoder, each)));
    closeTo(t, scores, expected, 1e-4);
    closeTo(t, await scoreContinuations(decoder, continuations, {tokensPerBatch: 1000}), expected, 1e-4);
  },
);

onEachDevice(['float32'], 'a context that is too long loses its beginning', async (t, on) => {
  using decoder = shaken(on);
  const {context: longest} = decoder.shape;
  const context = Array.from({length: 3 * longest}, (_, i) => 5 + (i % 20));
  const tokens = [6, 7, 8];
  const [score] = await scoreContinuations(decoder, [{context, tokens}], options);
  // The last token is a target alone, so one more fits.
  const kept = {context: context.slice(-(longest - 2)), tokens};
  closeTo(t, [score!], [await plainScore(decoder, kept)], 1e-4);
  const whole = Array.from({length: longest}, (_, i) => 5 + (i % 20));
  t.is((await scoreContinuations(decoder, [{context: [0], tokens: whole}], options)).length, 1);
  for (const [bad, message] of [
    [{context: [0], tokens: [...whole, 5]}, /continuation 0 must have 1 to \d+ tokens/],
    [{context: [0], tokens: []}, /must have 1 to/],
    [{context: [], tokens: [5]}, /continuation 0 has no context/],
  ] as const)
    await t.throwsAsync(scoreContinuations(decoder, [bad], options), {code: 'ERR_ARGUMENT', message});
});

test('the first of equal choices is taken; per code point and per byte are other accuracies', (t) => {
  const items = [
    {choices: ['a', 'b'], answer: 0}, // equal
    {choices: ['ab', 'abcd'], answer: 1}, // -2 and -3: per letter -1 and -0.75
    {choices: ['éé', 'aaa'], answer: 0}, // -4 and -4.5: per letter -2 and -1.5, per byte -1 and -1.5
    {choices: ['a', 'b', 'c', 'd'], answer: 3},
  ];
  const scores = choiceScores(items, Float64Array.of(-1, -1, -2, -3, -4, -4.5, -1, -2, -3, -4));
  t.deepEqual(scores, {
    items: 4,
    acc: 2 / 4,
    accNorm: 2 / 4,
    accBytes: 3 / 4,
    chance: (1 / 2 + 1 / 2 + 1 / 2 + 1 / 4) / 4,
    correct: [true, false, true, false],
  });
});

onEachDevice(['float32'], 'spaces at the end of a context go to the choice', async (t, on) => {
  using decoder = shaken(on);
  const settings = {...options, language: 'cs'};
  const choices = ['voda', 'reka', 'les'];
  const answers = [0, 1, 2];
  const scoreOf = async (context: string): Promise<number[]> =>
    Promise.all(
      answers.map(
        async (answer) =>
          (await scoreChoices(decoder, tokenizer, [{context, choices, answer}], settings)).acc,
      ),
    );
  t.deepEqual(await scoreOf('slovo '), await scoreOf('slovo'));
  const encoded = async (text: string): Promise<number[]> => [...(await tokenizer.encode(text))];
  for (const [context, before, join] of [
    ['slovo', 'slovo', ' '],
    ['', '', ''],
  ] as const) {
    const plain = await scoreContinuations(
      decoder,
      await Promise.all(
        choices.map(async (choice) => ({
          context: [tokenizer.bos, tokenizer.language('cs'), ...(await encoded(before))],
          tokens: await encoded(`${join}${choice}`),
        })),
      ),
      options,
    );
    const best = plain.indexOf(Math.max(...plain));
    t.deepEqual(
      await scoreOf(context),
      answers.map((answer) => (answer === best ? 1 : 0)),
    );
  }
});

onEachDevice(['float32'], 'bad items are refused', async (t, on) => {
  using decoder = shaken(on);
  const score = (...items: {context: string; choices: string[]; answer: number}[]) =>
    scoreChoices(decoder, tokenizer, items, {...options, language: 'cs'});
  const argument = {code: 'ERR_ARGUMENT'};
  await t.throwsAsync(score(), {...argument, message: /there must be an item/});
  await t.throwsAsync(score({context: '', choices: ['a'], answer: 0}), {
    ...argument,
    message: /item 0 has 1 choices/,
  });
  await t.throwsAsync(score({context: '', choices: ['a', 'b'], answer: 2}), {
    ...argument,
    message: /answer 2, which is none of its choices 0 to 1/,
  });
});

onEachDevice(
  ['float32'],
  'translation choice is seeded, near chance for a model that knows nothing, and counts the true translation',
  async (t, on) => {
    using decoder = shaken(on);
    const pairs = pairsOf(60);
    const settings = {tokensPerBatch: 256, seed: 5, prefix: false};
    const scores = await translationChoice(decoder, tokenizer, pairs, settings);
    t.is(scores.items, 60);
    t.is(scores.chance, 1 / 4);
    t.true(scores.acc > 0.05 && scores.acc < 0.5, String(scores.acc));
    t.deepEqual(await translationChoice(decoder, tokenizer, pairs, settings), scores);
    await t.throwsAsync(translationChoice(decoder, tokenizer, pairsOf(3), settings), {
      code: 'ERR_ARGUMENT',
      message: /candidates must be a whole number from 2 to the pairs \(3\); got 4/,
    });
  },
);

for (const [answer, gold, exactMatch, f1, f1Characters] of [
  ['The Dog!', 'a dog', 1, 1, 1],
  ['the big dog', 'dog', 0, 2 / 3, (2 * 0.5) / 1.5],
  ['', 'dog', 0, 0, 0],
  ['cat', 'dog', 0, 0, 0],
  ['theatre', 'atre', 0, 0, (2 * (4 / 7)) / (4 / 7 + 1)],
  ['东京都', '东京', 0, 0, 0.8],
  ['dog dog', 'dog', 0, 2 / 3, 2 / 3],
] as const)
  test(`answer ${JSON.stringify(answer)} for ${JSON.stringify(gold)}`, (t) => {
    const scores = scoreAnswer(answer, gold);
    t.is(scores.exactMatch, exactMatch);
    t.true(Math.abs(scores.f1 - f1) < 1e-12, String(scores.f1));
    t.true(Math.abs(scores.f1Characters - f1Characters) < 1e-12, String(scores.f1Characters));
  });
