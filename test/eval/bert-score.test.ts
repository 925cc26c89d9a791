/** BERTScore against bert_score's own figures and a plain reading of the paper; encoders that give what they should not. */
import {join} from 'node:path';
import test from 'ava';
import {
  bertScore,
  decoderEncoder,
  encodeSentences,
  loadEncoder,
  type BertScoreOptions,
  type EncodedTokens,
  type Encoder,
  type Matching,
  type Translated,
} from '../../lib/eval/index.js';
import {folderWith} from '../data/corpora.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {sentences, shaken, tokenizer} from './world.js';

const features = 5;
const vocabulary = ['[CLS]', '[SEP]', ...'the a cat dog sat ran on under mat table quickly'.split(' ')];

/** `[CLS]`, words, `[SEP]`; a word's vector depends on the word and its place. */
function encodeOne(sentence: string): EncodedTokens {
  const words = sentence.split(' ').filter((word) => word !== '');
  const tokens = [0, ...words.map((word) => vocabulary.indexOf(word)), 1];
  const vectors = tokens.flatMap((id, t) =>
    Array.from(
      {length: features},
      (_, f) => Math.cos(1.3 * id + 0.7 * f + 0.2 * id * f) + 0.3 * Math.sin(0.9 * t + f),
    ),
  );
  return {tokens, vectors: Float64Array.from(vectors)};
}

const encoder: Encoder = {
  name: 'waves',
  layer: 3,
  specialTokens: [0, 1],
  encode: (all) => all.map(encodeOne),
};

const translated: Translated[] = (
  [
    ['the cat sat on the mat', ['a cat sat on the mat']],
    ['a dog ran', ['the dog ran quickly', 'a dog ran']],
    ['the table', ['under the mat a cat sat quickly', 'on a table']],
    ['', ['a dog']],
    ['a dog ran under the table quickly', ['the cat ran']],
  ] as const
).map(([hypothesis, references]) => ({hypothesis, references}));

const rows = (scores: readonly Matching[]): number[] =>
  scores.flatMap(({precision, recall, f1}) => [precision, recall, f1]);

// What the functions of bert_score 0.3.12 give for this encoder, in float32 with torch 1.13.1.
const published = {
  plain: [
    0.999048, 0.936939, 0.966997, 1, 1, 1, 0.835953, 0.577217, 0.64283, 0, 0, 0, 0.610628, 0.873777, 0.718877,
  ],
  rescaled: [
    0.998413, 0.902983, 0.94677, 1, 1, 1, 0.726588, 0.349565, 0.423919, -0.666667, -0.538462, -0.612903,
    0.351046, 0.805811, 0.546577,
  ],
  idf: [
    0.999413, 0.975224, 0.98717, 1, 1, 1, 0.775336, 0.617275, 0.653498, 0, 0, 0, 0.53318, 0.859291, 0.658049,
  ],
};

for (const [title, options] of [
  ['plain', {}],
  ['rescaled', {baseline: {precision: 0.4, recall: 0.35, f1: 0.38}}],
  ['idf', {idf: true}],
] as const)
  test(`BERTScore is that of bert_score, ${title}`, async (t) => {
    const {sentences: found} = await bertScore(encoder, translated, options);
    closeTo(t, rows(found), published[title], 1e-6);
  });

/** Equations of section 3, by loops. */
function reference({idf = false, baseline}: BertScoreOptions): number[] {
  const all = translated.flatMap(({references}) => references.map((each) => encodeOne(each)));
  const rarity = (id: number): number => {
    const having = all.filter(({tokens}) => Array.from(tokens).includes(id)).length;
    return Math.log((all.length + 1) / (having + 1));
  };
  const weight = (id: number): number => (idf ? rarity(id) : id < 2 ? 0 : 1);
  const vector = ({vectors}: EncodedTokens, t: number): number[] => {
    const row = Array.from(vectors.subarray(t * features, (t + 1) * features));
    return row.map((value) => value / Math.hypot(...row));
  };
  const mean = (from: EncodedTokens, to: EncodedTokens): number => {
    let [above, below] = [0, 0];
    for (let i = 0; i < from.tokens.length; i++) {
      const cosines = Array.from(to.tokens, (_, j) =>
        vector(from, i).reduce((sum, value, f) => sum + value * vector(to, j)[f]!, 0),
      );
      above += weight(from.tokens[i]!) * Math.max(...cosines);
      below += weight(from.tokens[i]!);
    }
    return above / below;
  };
  const scale = (values: number[]): number[] => {
    const base = baseline ? [baseline.precision, baseline.recall, baseline.f1] : [0, 0, 0];
    return values.map((value, i) => (value - base[i]!) / (1 - base[i]!));
  };
  return translated.flatMap(({hypothesis, references}) => {
    const values = references.map((each) => {
      if (hypothesis === '') return [0, 0, 0];
      const [x, y] = [encodeOne(hypothesis), encodeOne(each)];
      const [p, r] = [mean(x, y), mean(y, x)];
      return [p, r, (2 * p * r) / (p + r)];
    });
    return scale([0, 1, 2].map((at) => Math.max(...values.map((each) => each[at]!))));
  });
}

for (const [title, options] of [
  ['plain', {}],
  ['with idf', {idf: true}],
  ['rescaled', {baseline: {precision: 0.4, recall: 0.35, f1: 0.38}}],
  ['with idf, rescaled', {idf: true, baseline: {precision: -0.1, recall: 0, f1: 0.2}}],
] as const)
  test(`BERTScore is the paper's, ${title}, however many sentences are encoded at once`, async (t) => {
    for (const sentencesAtOnce of [1, 3, 64]) {
      const {sentences: each, ...all} = await bertScore(encoder, translated, {...options, sentencesAtOnce});
      closeTo(t, rows(each), reference(options), 1e-12);
      const mean = (at: number): number =>
        rows(each).reduce((sum, value, i) => sum + (i % 3 === at ? value : 0), 0) / translated.length;
      closeTo(t, [all.precision, all.recall, all.f1], [mean(0), mean(1), mean(2)], 1e-12);
    }
  });

test('the hash names encoder, layer, idf, version and rescaling', async (t) => {
  const hashOf = async (options: BertScoreOptions): Promise<string> =>
    (await bertScore(encoder, translated, options)).hash;
  t.regex(await hashOf({}), /^waves_L3_no-idf_version=crossmap-\d+\.\d+$/);
  const baseline = {precision: 0.288327, recall: 0.28834, f1: 0.2841};
  t.regex(
    await hashOf({idf: true, baseline}),
    /^waves_L3_idf_version=crossmap-\d+\.\d+-custom-rescaled\(0\.2883,0\.2883,0\.2841\)$/,
  );
});

test('a sentence against itself has 1, one without a token that counts 0', async (t) => {
  const same = {hypothesis: 'the cat sat', references: ['the cat sat']};
  const silent = {hypothesis: 'the cat', references: ['']};
  const {sentences: found} = await bertScore(encoder, [same, silent]);
  closeTo(t, rows(found), [1, 1, 1, 0, 0, 0], 1e-12);
  // Every token is in every reference: none is rare.
  const {f1} = await bertScore(encoder, [same], {idf: true});
  t.is(f1, 0);
});

test('each sentence is encoded once of those that are matched together', async (t) => {
  const asked: string[] = [];
  const counting: Encoder = {...encoder, encode: (all) => (asked.push(...all), all.map(encodeOne))};
  await bertScore(counting, [...translated, ...translated]);
  t.is(asked.length, new Set(asked).size);
});

test('an encoder that gives what it should not is told', async (t) => {
  const one = {hypothesis: 'a cat', references: ['a dog']};
  const giving = (encode: (all: readonly string[]) => unknown): Encoder => ({
    ...encoder,
    encode: encode as Encoder['encode'],
  });
  const row = (values: number[], tokens = [2, 3]): EncodedTokens => ({
    tokens,
    vectors: Float32Array.from(values),
  });
  for (const [broken, message] of [
    [
      giving(() => 3),
      /^encoder waves must give a list with one entry for each of 2 sentences; it gave number$/,
    ],
    [giving(() => [row([1, 2])]), /one entry for each of 2 sentences; it gave one of 1$/],
    [
      giving(() => [row([1, 2]), undefined]),
      /^encoder waves: tokens must be the ids \[tokens\], of the sentence "a dog"$/,
    ],
    [
      giving(() => [row([1, 2]), {tokens: [1], vectors: [1]}]),
      /vectors must be a Float32Array or a Float64Array \[tokens, features\], of the sentence "a dog"$/,
    ],
    [
      giving(() => [row([1, 2, 3]), row([1, 2])]),
      /vectors must be \[2, features\] to match its tokens; got 3 values/,
    ],
    [
      giving(() => [row([]), row([1, 2])]),
      /vectors must be \[2, features\] to match its tokens; got 0 values/,
    ],
    [
      giving(() => [row([1, 2, 3, 4]), row([1, 2])]),
      /vectors must be \[2, 2\] to match its tokens and the vectors before it; got 2 values/,
    ],
    [giving(() => [row([1, 2]), row([1, NaN])]), /vectors must be finite; token 1 has NaN at feature 0/],
    [
      giving(() => {
        throw new Error('no such model');
      }),
      /^encoder waves failed: no such model$/,
    ],
    [giving(() => Promise.reject(new Error('gone'))), /^encoder waves failed: gone$/],
  ] satisfies [Encoder, RegExp][])
    await t.throwsAsync(bertScore(broken, [one]), {code: 'ERR_ARGUMENT', message});
});

test('options that make no score are refused, and a signal stops it', async (t) => {
  const argument = {code: 'ERR_ARGUMENT'};
  await t.throwsAsync(bertScore(encoder, []), {...argument, message: /at least one sentence/});
  await t.throwsAsync(bertScore(encoder, [{hypothesis: 'a', references: []}]), {
    ...argument,
    message: /sentence 0 has no reference/,
  });
  await t.throwsAsync(bertScore(encoder, translated, {sentencesAtOnce: 0}), {
    ...argument,
    message: 'bertScore: sentencesAtOnce must be a whole number of at least 1; got 0',
  });
  const baseline = {precision: 1, recall: 0, f1: 0};
  await t.throwsAsync(bertScore(encoder, translated, {baseline}), {
    ...argument,
    message: 'bertScore: a baseline must be below 1; got 1',
  });
  await t.throwsAsync(bertScore(encoder, translated, {signal: AbortSignal.abort()}), {code: 'ERR_ABORTED'});
});

test('an encoder comes from a module, as an object or from a function', async (t) => {
  const folder = await folderWith(t, {
    'object.mjs':
      'export const encoder = {name: "n", layer: 2, size: 2, encode(all) { return all.map(() => ({tokens: [1], vectors: new Float32Array(this.size).fill(1)})); }};',
    'function.mjs': 'export const encoder = async () => ({name: "f", layer: 0, encode: () => []});',
    'throws.mjs': 'export const encoder = () => { throw new Error("no weights"); };',
    'syntax.mjs': 'export const encoder = ;',
    'other.mjs': 'export default 1;',
    'incomplete.mjs': 'export const encoder = {name: "n", layer: -1};',
  });
  const load = (name: string): Promise<Encoder> => loadEncoder(join(folder, name));
  const {f1, hash} = await bertScore(await load('object.mjs'), [{hypothesis: 'a', references: ['b']}]);
  t.true(Math.abs(f1 - 1) < 1e-12);
  t.true(hash.startsWith('n_L2_no-idf'));
  t.like(await load('function.mjs'), {name: 'f', layer: 0});
  for (const [name, message] of [
    ['none.mjs', /encoder .*none\.mjs: Cannot find module/],
    ['throws.mjs', /throws\.mjs: no weights$/],
    ['syntax.mjs', /syntax\.mjs: Unexpected token/],
    ['other.mjs', /other\.mjs: it must export `encoder`/],
    ['incomplete.mjs', /incomplete\.mjs: [^]*layer[^]*encode/],
  ] as const)
    await t.throwsAsync(load(name), {code: 'ERR_DATA', message});
});

onEachDevice(
  ['float32'],
  'a decoder gives the vectors that its pooled sentences are made of',
  async (t, on) => {
    using decoder = shaken(on);
    const texts = sentences(7, 3);
    const options = {language: 'cs', tokensPerBatch: 32, prefix: false};
    const own = await decoderEncoder(decoder, tokenizer, options);
    t.is(own.layer, 1); // of two layers the first
    t.regex(own.name, /^crossmap-[0-9a-f]{8}$/);
    const encoded = await own.encode([...texts, '']);
    t.deepEqual(
      encoded.map(({tokens}) => tokens.length),
      [...texts.map(({length}) => length), 0],
    );
    const {layers} = await encodeSentences(decoder, tokenizer, {language: 'cs', texts}, options);
    const d = decoder.shape.features;
    for (const [i, {tokens, vectors}] of encoded.slice(0, texts.length).entries()) {
      const total = (tokens.length * (tokens.length + 1)) / 2;
      const pooled = Array.from({length: d}, (_, f) =>
        Array.from(tokens, (_id, at) => ((at + 1) / total) * vectors[at * d + f]!).reduce((a, b) => a + b, 0),
      );
      closeTo(t, pooled, layers[1]!.subarray(i * d, (i + 1) * d), 1e-5);
    }
    const beyond = await decoderEncoder(decoder, tokenizer, {...options, layer: 9});
    await t.throwsAsync(async () => beyond.encode(texts), {code: 'ERR_ARGUMENT'});
    using other = shaken(on, {vocabSize: decoder.shape.vocabSize + 1});
    t.not((await decoderEncoder(other, tokenizer, options)).name, own.name);
  },
);
