import test from 'ava';
import {noGrad} from '../../lib/autograd/index.js';
import {
  createDecoder,
  decoderInput,
  generate,
  generateAll,
  type Decoder,
  type DecoderShape,
  type GenerateOptions,
} from '../../lib/nn/index.js';
import {linear} from '../../lib/ops/index.js';
import {full, scope} from '../../lib/tensor/index.js';
import {wholeNumbers} from '../support/numbers.js';
import {floatDTypes, onEachDevice} from '../support/ops.js';
import {shaken, tiny} from './shapes.js';

const prompts = [7, 1, 4].map((length, sequence) => Int32Array.from(wholeNumbers(length, 23, 31 + sequence)));

/** Greedy decoding that reads everything anew for each token. */
async function decodeAnew(
  decoder: Decoder,
  prompt: Int32Array,
  count: number,
  prefix: boolean,
): Promise<number[]> {
  const tokens = [...prompt];
  for (let step = 0; step < count; step++) {
    const packed = {
      tokens: Int32Array.from(tokens),
      positions: Int32Array.from(tokens.keys()),
      segmentStarts: Int32Array.of(0, tokens.length),
      prefixLengths: Int32Array.of(prefix ? prompt.length : 0),
    };
    using logits = noGrad(() =>
      scope(() => linear(decoder.forward(decoderInput(packed, decoder.device)).hidden, decoder.head)),
    );
    const last = (await logits.floats()).slice(-decoder.shape.vocabSize);
    tokens.push(last.indexOf(Math.max(...last)));
  }
  return tokens.slice(prompt.length);
}

const variants: Readonly<Record<string, {shape?: Partial<DecoderShape>; prefix?: boolean}>> = {
  'a causal model': {},
  'windows on one layer': {shape: {slidingWindow: {size: 3, layers: [1]}}},
  'a bidirectional prompt': {prefix: true},
  'a bidirectional prompt and windows': {prefix: true, shape: {slidingWindow: {size: 2, layers: [1, 2]}}},
  'as many key as query heads and a head of its own': {shape: {kvHeads: 4, tiedHead: false}},
};

for (const [title, {shape = {}, prefix = false}] of Object.entries(variants))
  onEachDevice(floatDTypes, `the cache gives what reading everything anew gives: ${title}`, async (t, on) => {
    using decoder = shaken(on, {...tiny, ...shape});
    const got = await generateAll(decoder, prompts, {maxNewTokens: 8, prefix});
    for (const [sequence, prompt] of prompts.entries())
      t.deepEqual([...got[sequence]!], await decodeAnew(decoder, prompt, 8, prefix), `prompt ${sequence}`);
  });

onEachDevice(['float32'], 'tokens come step by step, one for each sequence that goes on', async (t, on) => {
  using decoder = shaken(on);
  const order: number[] = [];
  for await (const {sequence} of generate(decoder, prompts, {maxNewTokens: [2, 3, 0]})) order.push(sequence);
  t.deepEqual(order, [0, 1, 0, 1, 1]);
});

onEachDevice(
  ['float32'],
  'a stop token ends its sequence, is left out, and leaves the others alone',
  async (t, on) => {
    using decoder = shaken(on);
    const free = await generateAll(decoder, prompts, {maxNewTokens: 8});
    const stop = free[0]![2]!;
    const stopped = await generateAll(decoder, prompts, {maxNewTokens: 8, stopTokens: [stop]});
    for (const [sequence, tokens] of free.entries()) {
      const end = tokens.indexOf(stop);
      t.deepEqual(stopped[sequence], end < 0 ? tokens : tokens.slice(0, end));
    }
  },
);

onEachDevice(['float32'], 'a sequence ends with the context', async (t, on) => {
  using decoder = shaken(on, {...tiny, context: 9});
  const got = await generateAll(decoder, prompts, {maxNewTokens: 100});
  t.deepEqual(
    got.map(({length}) => length),
    [2, 8, 5],
  );
});

onEachDevice(['float32'], 'no prompts give no tokens', async (t, on) => {
  using decoder = shaken(on);
  t.deepEqual(await generateAll(decoder, [], {maxNewTokens: 3, temperature: 1}), []);
});

onEachDevice(['float32'], 'draws follow the seed', async (t, on) => {
  using decoder = shaken(on);
  const draw = (seed: number): Promise<Int32Array[]> =>
    generateAll(decoder, prompts, {maxNewTokens: 10, temperature: 2, seed});
  t.deepEqual(await draw(5), await draw(5));
  t.notDeepEqual(await draw(5), await draw(6));
});

onEachDevice(['float32'], 'drawing from the most likely token alone is greedy', async (t, on) => {
  using decoder = shaken(on);
  const greedy = await generateAll(decoder, prompts, {maxNewTokens: 5});
  t.deepEqual(await generateAll(decoder, prompts, {maxNewTokens: 5, temperature: 3, topK: 1}), greedy);
  t.deepEqual(await generateAll(decoder, prompts, {maxNewTokens: 5, temperature: 3, topP: 1e-9}), greedy);
});

onEachDevice(['float32'], 'a model that has diverged is an error that says so', async (t, on) => {
  using decoder = shaken(on);
  decoder.head.copyFrom(full(decoder.head.shape, NaN, on));
  await t.throwsAsync(generateAll(decoder, prompts, {maxNewTokens: 2}), {
    code: 'ERR_DIVERGED',
    message: 'generate: the model gives logits that are not finite for sequence 0',
  });
});

onEachDevice(['float32'], 'a token that is not in the vocabulary is an error', async (t, on) => {
  using decoder = shaken(on);
  await t.throwsAsync(generateAll(decoder, [Int32Array.of(23)], {maxNewTokens: 2}), {code: 'ERR_INDEX'});
});

const wrong: readonly (readonly [string, readonly Int32Array[], GenerateOptions])[] = [
  ['prompt 1 must have at least one token', [Int32Array.of(1), new Int32Array()], {maxNewTokens: 1}],
  [
    "prompt 0 must be shorter than the model's context (32); got 32 tokens",
    [new Int32Array(32)],
    {maxNewTokens: 1},
  ],
  ['maxNewTokens must be a whole number, 0 or more; got -1', prompts, {maxNewTokens: -1}],
  ['maxNewTokens must be a whole number, 0 or more; got 1.5', prompts, {maxNewTokens: [1, 1.5, 2]}],
  ['maxNewTokens must be one number, or one for each of 3 prompts; got 2', prompts, {maxNewTokens: [1, 2]}],
  ['temperature must be a number, 0 or more; got -1', prompts, {maxNewTokens: 1, temperature: -1}],
  ['topK must be a whole number, 1 or more; got 0', prompts, {maxNewTokens: 1, topK: 0}],
  ['topP must be above 0 and at most 1; got 0', prompts, {maxNewTokens: 1, topP: 0}],
];

for (const [message, given, options] of wrong)
  test(`generate refuses: ${message}`, async (t) => {
    using decoder = createDecoder(tiny, {seed: 1});
    await t.throwsAsync(generateAll(decoder, given, options), {
      code: 'ERR_ARGUMENT',
      message: `generate: ${message}`,
    });
  });
