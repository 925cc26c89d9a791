import test from 'ava';
import {weightsOf} from '../nn/reference.js';
import {shaken, tiny} from '../nn/shapes.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {batchOf, configOf} from './batches.js';
import {largest, measure, pairs, parts, sameGradients, texts, whole, type Measured} from './measure.js';
import {alignmentLoss, tokenLoss} from './reference.js';

onEachDevice(['float32'], 'each loss is that of the method, and their sum is weighted', async (t, on) => {
  using decoder = shaken(on);
  const config = configOf(
    'next: {weight: 1.5}, mapping: {weight: 0.5}, contrastive: {weight: 0.25, layer: 1}',
  );
  const {loss, losses} = await measure(decoder, config, whole);
  const model = {shape: tiny, weights: await weightsOf(decoder)};
  const next = tokenLoss(model, whole, 'text');
  const mapping = tokenLoss(model, whole, 'mapping');
  const contrastive = alignmentLoss(model, whole, {layer: 1, temperature: 0.05});
  closeTo(t, [losses.next!, losses.mapping!], [next, mapping], 1e-4);
  closeTo(t, [losses.contrastive!], [contrastive], 1e-3);
  closeTo(t, [loss], [1.5 * next + 0.5 * mapping + 0.25 * contrastive], 1e-3);
});

for (const objectives of [
  'recipe: paper',
  'recipe: paper, next: {labelSmoothing: 0.1, zLoss: 0.01}, mapping: {weight: 0.5}',
  'contrastive: {weight: 1, negatives: step}',
  'contrastive: {weight: 1, negatives: step, layer: [1, 2], scope: both, learnableTemperature: true}',
])
  onEachDevice(
    ['float32'],
    `one micro-batch and many give the same losses and gradients: ${objectives}`,
    async (t, on) => {
      using decoder = shaken(on);
      const one = await measure(decoder, configOf(objectives), whole);
      const many = await measure(decoder, configOf(objectives), parts);
      closeTo(t, [many.loss], [one.loss], 1e-5 * one.loss);
      for (const name of ['next', 'mapping'] as const)
        closeTo(t, [many.losses[name]!], [one.losses[name]!], 1e-5 * one.losses[name]!);
      sameGradients(t, many, one);
    },
  );

onEachDevice(['float32'], 'gradients of the weighted sum are those of its parts, weighted', async (t, on) => {
  using decoder = shaken(on);
  const zero = {next: 0, mapping: 0, contrastive: 0};
  const gradientFor = async (weights: Partial<typeof zero>): Promise<Float32Array> => {
    const all = Object.entries({...zero, ...weights}).map(([name, weight]) => `${name}: {weight: ${weight}}`);
    const {gradients} = await measure(decoder, configOf(all.join(', ')), whole);
    return gradients.get('model.layers.0.self_attn.q_proj.weight')!;
  };
  const next = await gradientFor({next: 1});
  const mapping = await gradientFor({mapping: 1});
  const contrastive = await gradientFor({contrastive: 1});
  const sum = await gradientFor({next: 1.5, mapping: 0.5, contrastive: 0.25});
  const wanted = next.map((value, i) => 1.5 * value + 0.5 * mapping[i]! + 0.25 * contrastive[i]!);
  closeTo(t, sum, wanted, 1e-5 * largest(wanted));
});

onEachDevice(['float32'], 'smoothing and z-loss change the next-token objective alone', async (t, on) => {
  using decoder = shaken(on);
  const smoothing = 'labelSmoothing: 0.2, zLoss: 0.1';
  const plain = await measure(decoder, configOf('recipe: paper'), whole);
  const smooth = await measure(decoder, configOf(`recipe: paper, next: {${smoothing}}`), whole);
  closeTo(t, [smooth.losses.mapping!], [plain.losses.mapping!], 1e-5);
  t.true(smooth.losses.next! > plain.losses.next! + 0.1);
  const mapping = await measure(decoder, configOf(`recipe: paper, next: {weight: 0, ${smoothing}}`), whole);
  closeTo(t, [mapping.loss], [plain.losses.mapping!], 1e-5);
});

const recipes = {
  full: ['next', 'mapping', 'contrastive'],
  paper: ['next', 'mapping'],
  mono: ['next'],
} as const;

for (const [recipe, names] of Object.entries(recipes))
  onEachDevice(['float32'], `recipe ${recipe} trains ${names.join(', ')}`, async (t, on) => {
    using decoder = shaken(on);
    const {losses, result} = await measure(decoder, configOf(`recipe: ${recipe}`), whole);
    const trained = Object.entries(losses).flatMap(([name, loss]) => (loss === undefined ? [] : name));
    t.deepEqual(trained, [...names]);
    t.is(result.pairs, recipe === 'full' ? 4 : 0);
  });

onEachDevice(['float32'], 'checkpointing of activations changes no gradient', async (t, on) => {
  using decoder = shaken(on);
  const run = (recipe: string, checkpointing: boolean): Promise<Measured> =>
    measure(
      decoder,
      configOf(recipe, `steps: 100, tokensPerBatch: 64, activationCheckpointing: ${checkpointing}`),
      parts,
    );
  sameGradients(t, await run('recipe: paper', true), await run('recipe: paper', false), 0);
  // At the layer that is aligned the gradients of the block above are added up before that of the alignment, not after it.
  sameGradients(t, await run('recipe: full', true), await run('recipe: full', false));
});

onEachDevice(['float32'], 'a step says how many tokens and targets it had', async (t, on) => {
  using decoder = shaken(on);
  const {result} = await measure(decoder, configOf('recipe: full'), parts);
  const tokens = parts.reduce((sum, batch) => sum + batch.tokens.length, 0);
  // Each text has its words and <eos> as targets; each pair both its sentences, and <eos> twice.
  const next = texts.reduce((sum, words) => sum + words.length + 1, 0);
  const mapping = pairs.reduce((sum, [x, y]) => sum + x.length + y.length + 2, 0);
  t.is(result.tokens, tokens);
  t.deepEqual(result.targetShares, {next: next / tokens, mapping: mapping / tokens});
});

onEachDevice(['float32'], 'a step with nothing to train has loss 0 and no gradient', async (t, on) => {
  using decoder = shaken(on);
  const measured: Measured = await measure(decoder, configOf('recipe: mono'), [batchOf([], pairs)]);
  t.is(measured.loss, 0);
  t.deepEqual(measured.losses, {next: undefined, mapping: undefined, contrastive: undefined});
  // Where shapes are fixed, gradients are computed all the same.
  for (const each of measured.gradients.values()) t.true(each?.every((value) => value === 0) ?? true);
});

test('a decoder of bfloat16 gets a gradient for every parameter', async (t) => {
  using decoder = shaken({device: 'cpu', dtype: 'bfloat16'});
  const {loss, gradients} = await measure(decoder, configOf('contrastive: {negatives: step}'), parts);
  t.true(Number.isFinite(loss));
  for (const [name, values] of gradients) t.true(values?.some((value) => value !== 0) === true, name);
});
