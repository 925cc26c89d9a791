/** What llama.cpp makes of our files: the same tokens, the same probabilities, the same continuations. */
import {mkdtempSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {loadConfig} from '../../../lib/config/index.js';
import {cleanText, loadTokenizer, textPrompt, type Tokenizer} from '../../../lib/data/index.js';
import {createDecoder, generateAll, type Decoder, type DecoderShape} from '../../../lib/nn/index.js';
import {scope, tensor} from '../../../lib/tensor/index.js';
import {collect} from '../../train/tiny-run.js';
import {loadModel, type LoadedModel} from '../../../lib/train/index.js';
import {openLlamaModel, whyNoLlamaCpp} from '../../peers/llama-cpp.js';
import {normalNumbers} from '../../support/numbers.js';
import {temporaryFolder} from '../folder.js';
import {
  bundledSentences,
  bundledTokenizer,
  changedTokenizer,
  exported,
  languages,
  logProbabilities,
} from './models.js';

if (whyNoLlamaCpp !== undefined) test(`no comparison with llama.cpp: ${whyNoLlamaCpp}`, (t) => t.pass());
const compare = whyNoLlamaCpp === undefined ? test : test.skip;

/** One tokenizer for all tests but that of a trained model, which has its own. */
let tokenizer: Tokenizer;
const shared = mkdtempSync(join(tmpdir(), 'crossmap-gguf-'));
if (whyNoLlamaCpp === undefined)
  test.before(async () => {
    tokenizer = await bundledTokenizer(shared, 1500);
  });
test.after.always(() => rm(shared, {recursive: true, force: true}));

/** Grouped heads, a head dimension that is not features / heads; a short rotary period, so that positions matter. */
const small = {
  layers: 2,
  features: 24,
  heads: 4,
  kvHeads: 2,
  headDim: 10,
  hiddenFeatures: 40,
  context: 96,
  ropeTheta: 100,
  tiedHead: true,
  normEps: 1e-5,
} as const;

/** A decoder whose weights all matter, norms among them. */
function shaken(shape: DecoderShape): Decoder {
  const decoder = createDecoder(shape, {seed: 1});
  for (const [index, {tensor: weight, decays}] of decoder.parameters.entries()) {
    const numbers = normalNumbers(weight.size, 5 + index, 0.4);
    scope(() => weight.copyFrom(tensor(decays ? numbers : numbers.map((value) => 1 + value), weight)));
  }
  return decoder;
}

/** The largest difference of what two models say, where one of them gives the token more than one in a million. */
function largestDifference(ours: readonly Float64Array[], theirs: readonly Float64Array[]): number {
  const differences = ours.flatMap((row, t) =>
    Array.from(row, (value, id) => (value > Math.log(1e-6) ? Math.abs(value - (theirs[t]?.[id] ?? NaN)) : 0)),
  );
  return differences.reduce((a, b) => (b > a || Number.isNaN(b) ? b : a), 0);
}

/** Text that rules for words treat in different ways. */
const oddTexts = [
  "it's WE'LL O'Neill d'accord м'яч 'tis don''t",
  '12 1234567 ١٢٣ ३४ ½ Ⅷ 3.14 (2024) v1.2.3',
  'a  b   c\n\nd\r\n e \t f\n   g ',
  '   ',
  '\n',
  '"quoted" (brackets) [x] {y} «ü» …—–, ¿qué? @user #tag a_b',
  'है। नमस्ते, தமிழ்! العَرَبِيَّة؟ 你好，世界。한국어',
  '😀👩‍👩‍👧 a\u200bb \u00a0c\u3000d',
  'camelCase HTMLParser ǅ ﬁ',
  '<eos> <bos><cs> is text',
];

compare('every bundled sentence, and odd text, becomes the same tokens', async (t) => {
  const folder = await temporaryFolder(t);
  const shape = {...small, vocabSize: tokenizer.vocabSize};
  using decoder = createDecoder(shape, {seed: 1});
  const path = await exported(join(folder, 'model.gguf'), decoder, {tokenizer, dtype: 'float16'});
  const model = await openLlamaModel(path, {context: 96, vocabOnly: true});
  const texts = [...(await Promise.all(languages.map(bundledSentences))).flat(), ...oddTexts];
  const ours = await tokenizer.encodeAll(texts);
  const tokens = ours.reduce((sum, ids) => sum + ids.length, 0);
  t.deepEqual(
    texts.filter((text, i) => model.tokenize(text).join() !== ours[i]?.join()),
    [],
  );
  t.log(`${texts.length} texts, ${tokens} tokens`);
  t.true(texts.length > 23_000);
  await model.dispose();
});

const byteLevel = {type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false};
const splitBy = (pattern: string): object => ({
  type: 'Sequence',
  pretokenizers: [{type: 'Split', pattern: {Regex: pattern}, behavior: 'Isolated', invert: false}, byteLevel],
});
const tail = '[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?";
/** Pre-tokenizers as models of others have them. */
const preTokenizers: Readonly<Record<string, {readonly steps: object; readonly looksUp?: boolean}>> = {
  'Llama 3': {
    steps: splitBy(`${contractions}\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+${tail}`),
    looksUp: true,
  },
  'Llama 3 without looking words up': {
    steps: splitBy(`${contractions}\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+${tail}`),
  },
  'Qwen 2': {steps: splitBy(`${contractions}\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+${tail}`)},
  'Qwen 3.5': {steps: splitBy(`${contractions}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+${tail}`)},
  'GPT-2': {steps: {...byteLevel, use_regex: true}},
  SmolLM: {
    steps: {
      type: 'Sequence',
      pretokenizers: [
        {type: 'Digits', individual_digits: true},
        {...byteLevel, use_regex: true},
      ],
    },
  },
};
for (const [name, {steps, looksUp = false}] of Object.entries(preTokenizers))
  compare(`words as ${name} has them become the same tokens`, async (t) => {
    const folder = await temporaryFolder(t);
    const file = await changedTokenizer(tokenizer, join(folder, 'changed.json'), ({model}) => ({
      pre_tokenizer: steps,
      normalizer: null,
      model: {...model, ignore_merges: looksUp},
    }));
    const changed = await loadTokenizer(file);
    using decoder = createDecoder({...small, vocabSize: changed.vocabSize}, {seed: 1});
    const options = {tokenizer: changed, dtype: 'float16'} as const;
    const path = await exported(join(folder, 'model.gguf'), decoder, options);
    const model = await openLlamaModel(path, {context: 96, vocabOnly: true});
    const sentences = await Promise.all(languages.map(bundledSentences));
    const texts = [...sentences.flatMap((all) => all.slice(0, 400)), ...oddTexts];
    const ours = await changed.encodeAll(texts);
    t.deepEqual(
      texts.filter((text, i) => model.tokenize(text).join() !== ours[i]?.join()),
      [],
    );
    await model.dispose();
  });

const llama3 = {
  type: 'llama3',
  factor: 8,
  originalContext: 16,
  lowFrequencyFactor: 1,
  highFrequencyFactor: 4,
} as const;
const yarn = {type: 'yarn', factor: 4, originalContext: 16} as const;
const variants: Readonly<Record<string, Partial<DecoderShape>>> = {
  'with grouped heads and a tied head': {},
  'with a head of its own': {tiedHead: false},
  'with one key head': {kvHeads: 1},
  'with as many key as query heads': {kvHeads: 4},
  'with a window as long as the context': {slidingWindow: {size: 96, layers: [1, 2]}},
  'with linear scaling': {ropeScaling: {type: 'linear', factor: 4}},
  'with the scaling of Llama 3': {ropeScaling: llama3},
  'with YaRN': {ropeScaling: {...yarn, betaFast: 32, betaSlow: 1}},
  'with YaRN and other bounds': {ropeScaling: {...yarn, betaFast: 2, betaSlow: 0.1}},
};
for (const [name, variant] of Object.entries(variants))
  compare(`a decoder ${name} gives the same probabilities`, async (t) => {
    const folder = await temporaryFolder(t);
    using decoder = shaken({...small, ...variant, vocabSize: tokenizer.vocabSize});
    const path = await exported(join(folder, 'model.gguf'), decoder, {tokenizer, dtype: 'float32'});
    const model = await openLlamaModel(path, {context: 96});
    const [sentence = ''] = await bundledSentences('cs');
    const prompt = (await textPrompt(tokenizer, 'cs', sentence.repeat(4))).subarray(0, 64);
    t.is(prompt.length, 64);
    const theirs = await model.logProbabilities([...prompt]);
    const difference = largestDifference(await logProbabilities(decoder, prompt), theirs);
    t.log(`largest difference of log-probabilities: ${difference}`);
    // Both sum in float32, in another order: 5e-5 is seen, with logits up to 30; a row or a frequency in a wrong place makes it 10.
    t.true(difference < 1e-3, String(difference));
    await model.dispose();
  });

/**
 * The largest difference of log-probabilities by dtype, some five times what is seen: weights round, and llama.cpp rounds what they are
 * multiplied with to that dtype as well, by 2^-12 or 2^-9 of each, while sums stay float32.
 */
const allowed = {float32: 1e-4, float16: 0.01, bfloat16: 0.08} as const;
const promptsPerLanguage = 6;
const newTokens = 24;

compare('a model trained on the bundled text continues real prompts alike, in each dtype', async (t) => {
  const folder = await temporaryFolder(t);
  using loaded = await trainedModel(join(folder, 'run'));
  const {decoder, tokenizer: own} = loaded;
  const sentences = (await Promise.all(languages.map(bundledSentences))).flatMap((all, index) =>
    all
      .slice(-promptsPerLanguage)
      .map((text) => ({language: languages[index] ?? '', text: cleanText(text.slice(0, 30))})),
  );
  const prompts = await Promise.all(sentences.map(({language, text}) => textPrompt(own, language, text)));
  const continued = await generateAll(decoder, prompts, {maxNewTokens: newTokens, stopTokens: [own.eos]});
  for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
    const path = await exported(join(folder, `${dtype}.gguf`), decoder, {tokenizer: own, dtype});
    const model = await openLlamaModel(path, {context: 128});
    const seen = {worst: 0, same: 0, steps: 0};
    for (const [index, {language, text}] of sentences.entries()) {
      const prompt = prompts[index] ?? new Int32Array();
      t.deepEqual(model.tokenize(`<bos><${language}>${text}`, true), [...prompt]);
      const whole = Int32Array.from([...prompt, ...(continued[index] ?? [])]);
      const ours = await logProbabilities(decoder, whole);
      const theirs = await model.logProbabilities([...whole]);
      seen.worst = Math.max(seen.worst, largestDifference(ours, theirs));
      // The continuation is theirs as well where, after each of its beginnings, its next token is their most probable one.
      const steps = [...ours.keys()].slice(prompt.length - 1);
      const sameSteps = steps.filter((step) => mostProbable(ours[step]) === mostProbable(theirs[step]));
      seen.steps += steps.length - sameSteps.length;
      if (sameSteps.length === steps.length) seen.same++;
    }
    t.log(
      `${dtype}: ${seen.same} of ${sentences.length} continuations equal, ${seen.steps} steps differ, log-probabilities within ${seen.worst}`,
    );
    t.true(seen.worst < allowed[dtype], `${dtype}: ${seen.worst}`);
    // float32 gives the same; rounded, two tokens that are as good as equal may change places.
    t.true(seen.steps <= (dtype === 'float32' ? 0 : sentences.length / 4), `${dtype}: ${seen.steps}`);
    if (dtype === 'float32')
      for (let index = 0; index < prompts.length; index += promptsPerLanguage)
        t.deepEqual(await model.continuation([...(prompts[index] ?? [])], newTokens), [
          ...(continued[index] ?? []),
        ]);
    await model.dispose();
  }
});

function mostProbable(logProbabilitiesOfNext: Float64Array | undefined): number {
  return (
    logProbabilitiesOfNext?.reduce((best, value, id, all) => (value > (all[best] ?? NaN) ? id : best), 0) ??
    NaN
  );
}

/** A model of the demonstration's data, smaller and after fewer steps: enough to prefer some words to others. */
async function trainedModel(output: string): Promise<LoadedModel> {
  const demo = fileURLToPath(new URL('../../../../data/demo.yaml', import.meta.url));
  const set = [
    `output=${output}`,
    'device=cpu',
    'tokenizer.vocabSize=1000',
    'model={layers: 2, features: 64, heads: 4, kvHeads: 2, hiddenFeatures: 128, context: 128}',
    'training={steps: 60, tokensPerBatch: 1024, learningRate: 5.0e-3, warmupSteps: 5, checkpointEvery: 60}',
    'evaluation={every: 1000, atStart: false, pairs: 0, samples: 0, textTokens: 64}',
  ];
  await collect(await loadConfig(demo, {set}));
  return loadModel(output, {device: 'cpu'});
}
