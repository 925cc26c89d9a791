import {createObjectives} from '../../lib/objectives/index.js';
import {weightsOf} from '../nn/reference.js';
import {shaken, tiny} from '../nn/shapes.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {batchOf, configOf, type PairTexts} from './batches.js';
import {measure, pairs, parts, sameGradients, whole} from './measure.js';
import {alignmentLoss} from './reference.js';

onEachDevice(['float32'], 'GradCache over one micro-batch is the plain backward pass', async (t, on) => {
  using decoder = shaken(on);
  const options = 'weight: 1, layer: [1, 2], margin: 0.1, temperature: 0.2, learnableTemperature: true';
  const plain = await measure(decoder, configOf(`contrastive: {${options}}`), whole);
  const cached = await measure(decoder, configOf(`contrastive: {${options}, negatives: step}`), whole);
  closeTo(t, [cached.losses.contrastive!], [plain.losses.contrastive!], 1e-6);
  t.truthy(cached.gradients.get('contrastive.theta'));
  sameGradients(t, cached, plain);
});

onEachDevice(
  ['float32'],
  'rivals from micro-batches: the loss is the mean over the pairs of the step',
  async (t, on) => {
    using decoder = shaken(on);
    const {losses, result} = await measure(decoder, configOf('contrastive: {weight: 1, layer: 1}'), parts);
    const model = {shape: tiny, weights: await weightsOf(decoder)};
    const three = alignmentLoss(model, parts.slice(2), {layer: 1, temperature: 0.05});
    // The pair that is alone in its micro-batch has no rivals and adds 0.
    closeTo(t, [losses.contrastive!], [(3 * three) / 4], 1e-3);
    t.is(result.pairs, 4);
    t.is(result.comparedPairs, 3);
  },
);

onEachDevice(
  ['float32'],
  'rivals from the step: a sentence of two micro-batches is not its own rival',
  async (t, on) => {
    using decoder = shaken(on);
    const config = configOf('contrastive: {weight: 1, negatives: step}');
    const shared: PairTexts = [pairs[0]![0], [22, 21]];
    const one = await measure(decoder, config, [batchOf([], [pairs[0]!, pairs[1]!, shared])]);
    const many = await measure(decoder, config, [batchOf([], [pairs[0]!, pairs[1]!]), batchOf([], [shared])]);
    closeTo(t, [many.losses.contrastive!], [one.losses.contrastive!], 1e-6);
    t.is(many.result.comparedPairs, 3);
  },
);

onEachDevice(['float32'], 'several layers give the mean of their losses', async (t, on) => {
  using decoder = shaken(on);
  const at = async (layer: string): Promise<number> => {
    const {losses} = await measure(decoder, configOf(`contrastive: {weight: 1, layer: ${layer}}`), whole);
    return losses.contrastive!;
  };
  const [first, second] = [await at('1'), await at('2')];
  t.true(Math.abs(first - second) > 1e-3, 'the layers differ');
  closeTo(t, [await at('[1, 2]')], [(first + second) / 2], 1e-5);
});

onEachDevice(['float32'], 'contrast alone does not reach what lies above its layer', async (t, on) => {
  using decoder = shaken(on);
  const config = configOf('next: {weight: 0}, mapping: {weight: 0}, contrastive: {weight: 1, layer: 1}');
  const {gradients, losses, loss} = await measure(decoder, config, whole);
  t.truthy(gradients.get('model.embed_tokens.weight'));
  t.truthy(gradients.get('model.layers.0.mlp.down_proj.weight'));
  t.is(gradients.get('model.layers.1.mlp.down_proj.weight'), undefined);
  t.is(gradients.get('model.norm.weight'), undefined);
  t.deepEqual([losses.next, losses.mapping], [undefined, undefined]);
  t.is(loss, losses.contrastive!);
});

onEachDevice(
  ['float32'],
  'the weight of the contrast rises from 0 over its share of the steps',
  async (t, on) => {
    using decoder = shaken(on);
    const rising = configOf('contrastive: {weight: 0.4, warmupShare: 0.2}');
    const constant = configOf('contrastive: {weight: 0.4, warmupShare: 0}');
    const weightAt = async (stepIndex: number, config = rising): Promise<number> =>
      (await measure(decoder, config, whole, stepIndex)).result.weights.contrastive;
    closeTo(t, [await weightAt(0), await weightAt(5), await weightAt(20)], [0, 0.1, 0.4], 1e-12);
    closeTo(t, [await weightAt(99), await weightAt(0, constant)], [0.4, 0.4], 1e-12);
  },
);

for (const negatives of ['microBatch', 'step'])
  onEachDevice(
    ['float32'],
    `while its weight is 0 the contrast is measured and changes nothing: ${negatives}`,
    async (t, on) => {
      using decoder = shaken(on);
      const start = await measure(decoder, configOf(`contrastive: {negatives: ${negatives}}`), whole, 0);
      const paper = await measure(decoder, configOf('recipe: paper'), whole);
      t.true(start.losses.contrastive! > 0);
      closeTo(t, [start.loss], [paper.loss], 1e-6);
      sameGradients(t, start, paper);
    },
  );

onEachDevice(['float32'], 'the temperature is a parameter only where it is learnable', async (t, on) => {
  using decoder = shaken(on);
  using fixed = createObjectives(configOf('recipe: full'), decoder);
  t.deepEqual(fixed.parameters, []);
  const config = configOf('contrastive: {temperature: 0.2, learnableTemperature: true}');
  using learnable = createObjectives(config, decoder);
  const [theta, ...others] = learnable.parameters;
  t.deepEqual(others, []);
  t.like(theta, {name: 'contrastive.theta', decays: false});
  t.deepEqual(theta!.tensor.shape, []);
  closeTo(t, await theta!.tensor.floats(), [Math.log(1 / 0.2)], 1e-6);
});

onEachDevice(['float32'], 'the gradient of the temperature is that of finite differences', async (t, on) => {
  using decoder = shaken(on);
  const contrastive = 'contrastive: {weight: 2, temperature: 0.2, learnableTemperature: true, layer: 1}';
  const config = configOf(`next: {weight: 0}, mapping: {weight: 0}, ${contrastive}`);
  const {gradients} = await measure(decoder, config, whole);
  const model = {shape: tiny, weights: await weightsOf(decoder)};
  const at = (theta: number): number =>
    2 * alignmentLoss(model, whole, {layer: 1, temperature: Math.exp(-theta)});
  const theta = Math.log(1 / 0.2);
  const wanted = (at(theta + 1e-4) - at(theta - 1e-4)) / 2e-4;
  closeTo(t, gradients.get('contrastive.theta')!, [wanted], 1e-4 * Math.abs(wanted) + 1e-5);
});
