/**
 * A decoder of 13.8 million parameters: one training step of all objectives over a packed batch, and generation through the cache.
 *
 * Flops of a step are 6 for each parameter and token, those of generation 2: attention is not counted, nor is what checkpointing
 * computes again, so their shares of the machine's limit are lower bounds.
 */
import {clearGradients, gradient} from '../../lib/autograd/index.js';
import {parseConfig} from '../../lib/config/index.js';
import type {Tokenizer} from '../../lib/data/index.js';
import {createPacker} from '../../lib/data/sampling/packer.js';
import {createDecoder, generateAll} from '../../lib/nn/index.js';
import {createObjectives, type Objectives} from '../../lib/objectives/index.js';
import type {Tensor} from '../../lib/tensor/index.js';
import {runBench} from '../support/bench.js';
import {checkClose} from '../support/check.js';
import {sized} from '../support/quick.js';

const languages = ['cs', 'uk'];
const vocabSize = 8192;
const tokensPerBatch = sized(2048, 256);
const firstText = 3 + languages.length;

/** Only ids are needed. */
const tokenizer: Tokenizer = {
  vocabSize,
  bos: 0,
  eos: 1,
  map: 2,
  languages,
  file: '',
  language: (code) => 3 + languages.indexOf(code),
  isControl: (id) => id < firstText,
  encode: () => Promise.resolve(new Int32Array()),
  encodeAll: () => Promise.resolve([]),
  decode: () => Promise.resolve(''),
};

const config = (activationCheckpointing: boolean) =>
  parseConfig(
    `data:
  monolingual: [{language: cs, files: [a]}, {language: uk, files: [b]}]
  parallel: [{source: cs, target: uk, files: [c, d]}]
model: {layers: ${sized(6, 1)}, features: ${sized(384, 64)}, heads: ${sized(6, 1)}, context: 512}
training: {activationCheckpointing: ${activationCheckpointing}}`,
  );

const words = (count: number, seed: number): Int32Array =>
  Int32Array.from(
    {length: count},
    (_, t) => firstText + ((seed * 7919 + t * 104729) % (vocabSize - firstText)),
  );

/** Three quarters text, one quarter sentence pairs, as the configuration's defaults mix them. */
function packBatch() {
  const packer = createPacker({tokenizer, tokensPerBatch, prefix: false, sourceWeight: 0});
  for (let text = 0; text < 3; text++) packer.addText({language: 'cs', tokens: words(sized(505, 50), text)});
  for (let pair = 0; packer.room() >= 90; pair++)
    packer.addMapping(
      {language: 'cs', tokens: words(20, 100 + pair), textId: 2 * pair},
      {language: 'uk', tokens: words(20, 200 + pair), textId: 2 * pair + 1},
    );
  return packer.finish();
}

const {model} = config(false);
const decoder = createDecoder({...model, vocabSize}, {seed: 1});
const leaves = decoder.parameters.map(({tensor}) => tensor);
const batch = packBatch();
const kept = createObjectives(config(false), decoder);
const recomputed = createObjectives(config(true), decoder);

/** The last step of training: the contrast has its whole weight. */
const step = (objectives: Objectives, {keepGradients = false} = {}): void => {
  objectives.step([batch], 999);
  if (!keepGradients) clearGradients(leaves);
};

/** Equal but for the order of float32 sums at the layer that is aligned. */
async function sameGradients(): Promise<void> {
  step(kept, {keepGradients: true});
  const wanted = await Promise.all(leaves.map((leaf) => gradientOf(leaf).floats()));
  clearGradients(leaves);
  step(recomputed, {keepGradients: true});
  for (const [index, leaf] of leaves.entries()) await checkClose(gradientOf(leaf), wanted[index] ?? [], 1e-5);
  clearGradients(leaves);
}

function gradientOf(leaf: Tensor): Tensor {
  const found = gradient(leaf);
  if (found === undefined) throw new Error('a parameter has no gradient');
  return found;
}

const prompts = Array.from({length: sized(16, 2)}, (_, sequence) => words(20, 300 + sequence));
const newTokens = sized(64, 4);

await runBench({
  name: 'nn/decoder',
  cases: [
    {
      title: `training step of ${batch.tokens.length} tokens, ${batch.pairs.groups.length} pairs`,
      ours: () => step(kept),
      peer: {name: 'with activation checkpointing', run: () => step(recomputed)},
      flops: 6 * decoder.parameterCount * batch.tokens.length,
      check: sameGradients,
    },
    {
      title: `the same with activation checkpointing`,
      ours: () => step(recomputed),
      flops: 6 * decoder.parameterCount * batch.tokens.length,
    },
    {
      title: `generation of ${prompts.length} x ${newTokens} tokens`,
      ours: () => generateAll(decoder, prompts, {maxNewTokens: newTokens}),
      flops: 2 * decoder.parameterCount * prompts.length * newTokens,
    },
  ],
});
