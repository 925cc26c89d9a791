/** Beam search against greedy decoding, and against trying everything. */
import {beamSearch, generateAll, type BeamOptions, type Decoder} from '../../lib/nn/index.js';
import {logProbability, referenceForward, weightsOf} from './reference.js';
import {wholeNumbers} from '../support/numbers.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {shaken, tiny} from './shapes.js';

const prompts = [7, 1, 4].map((length, sequence) => Int32Array.from(wholeNumbers(length, 23, 31 + sequence)));

/** Log-likelihood of what follows the prompt. */
async function likelihood(decoder: Decoder, prompt: Int32Array, tokens: readonly number[]): Promise<number> {
  const all = [...prompt, ...tokens];
  const {logits} = referenceForward(
    {shape: decoder.shape, weights: await weightsOf(decoder)},
    {
      tokens: Int32Array.from(all),
      positions: Int32Array.from(all.keys()),
      segmentStarts: Int32Array.of(0, all.length),
      prefixLengths: Int32Array.of(0),
    },
  );
  return tokens.reduce((sum, token, at) => sum + logProbability(logits[prompt.length + at - 1]!, token), 0);
}

onEachDevice(['float32'], 'one beam is greedy decoding', async (t, on) => {
  using decoder = shaken(on, tiny);
  for (const settings of [
    {maxNewTokens: 6},
    {maxNewTokens: [3, 0, 8], stopTokens: [5, 11]},
    {maxNewTokens: 5, prefix: true},
  ]) {
    const found = await beamSearch(decoder, prompts, {...settings, beams: 1});
    const greedy = await generateAll(decoder, prompts, settings);
    t.deepEqual(
      found.map(({tokens}) => tokens),
      greedy,
    );
  }
});

onEachDevice(['float32'], 'with as many beams as continuations the best of all is found', async (t, on) => {
  using decoder = shaken(on, tiny);
  const {vocabSize} = decoder.shape;
  const [prompt] = prompts as [Int32Array];
  const stop = 5;
  const ids = Array.from({length: vocabSize}, (_, id) => id);
  for (const lengthPenalty of [0, 1, 2]) {
    const options: BeamOptions = {beams: vocabSize, maxNewTokens: 2, stopTokens: [stop], lengthPenalty};
    const [found] = await beamSearch(decoder, [prompt], options);
    // The stop token at once, or any other token and then any, the stop token included.
    const all = [[stop], ...ids.filter((id) => id !== stop).flatMap((id) => ids.map((next) => [id, next]))];
    let best = {tokens: [] as readonly number[], score: -Infinity};
    for (const tokens of all) {
      const score = (await likelihood(decoder, prompt, tokens)) / tokens.length ** lengthPenalty;
      if (score > best.score) best = {tokens, score};
    }
    t.deepEqual(
      [...found!.tokens],
      best.tokens.filter((token) => token !== stop),
      `lengthPenalty ${lengthPenalty}`,
    );
    closeTo(t, [found!.score], [best.score], 1e-4);
  }
});

onEachDevice(['float32'], 'what is found scores as it says, beams move within the cache', async (t, on) => {
  using decoder = shaken(on, tiny);
  for (const beams of [2, 3, 5]) {
    const found = await beamSearch(decoder, prompts, {beams, maxNewTokens: 7, lengthPenalty: 0});
    const greedy = await generateAll(decoder, prompts, {maxNewTokens: 7});
    for (const [index, prompt] of prompts.entries()) {
      const {tokens, score} = found[index]!;
      t.is(tokens.length, 7);
      closeTo(t, [score], [await likelihood(decoder, prompt, [...tokens])], 1e-4);
      t.true(score >= (await likelihood(decoder, prompt, [...greedy[index]!])) - 1e-4);
    }
    // Prompts do not meddle with each other.
    const [alone] = await beamSearch(decoder, prompts.slice(2), {beams, maxNewTokens: 7, lengthPenalty: 0});
    t.deepEqual(alone!.tokens, found[2]!.tokens);
  }
});

onEachDevice(['float32'], 'bad options and a signal', async (t, on) => {
  using decoder = shaken(on, tiny);
  const search = (options: Partial<BeamOptions>) =>
    beamSearch(decoder, prompts, {beams: 2, maxNewTokens: 2, ...options});
  const argument = {code: 'ERR_ARGUMENT'};
  await t.throwsAsync(search({beams: 0}), {...argument, message: /beams must be a whole number/});
  await t.throwsAsync(search({lengthPenalty: NaN}), {...argument, message: /lengthPenalty must be a number/});
  await t.throwsAsync(search({maxNewTokens: -1}), argument);
  await t.throwsAsync(search({signal: AbortSignal.abort()}), {code: 'ERR_ABORTED'});
});
