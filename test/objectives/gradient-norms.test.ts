import test from 'ava';
import {gradient, noGrad} from '../../lib/autograd/index.js';
import type {Batch} from '../../lib/data/batch.js';
import type {Decoder} from '../../lib/nn/index.js';
import {createObjectives, type ObjectivesConfig} from '../../lib/objectives/index.js';
import {contrastive, linearCrossEntropy, pool} from '../../lib/ops/index.js';
import {scope, tensor, type Tensor} from '../../lib/tensor/index.js';
import {shaken, tiny} from '../nn/shapes.js';
import {closeTo, onEachDevice} from '../support/ops.js';
import {batchOf, configOf} from './batches.js';
import {pairs, parts, texts, whole} from './measure.js';

type Norms = Partial<Record<'next' | 'mapping' | 'contrastive', number>>;

async function normsOf(
  decoder: Decoder,
  config: ObjectivesConfig,
  batches: readonly Batch[],
  stepIndex = 100,
): Promise<Norms> {
  using objectives = createObjectives(config, decoder);
  const prepared = objectives.prepare(batches, stepIndex);
  const norms = objectives.gradientNorms(prepared);
  prepared.dispose();
  const read: Norms = {};
  for (const name of ['next', 'mapping', 'contrastive'] as const) {
    const norm = norms[name];
    if (norm !== undefined) read[name] = await norm.item();
    norm?.dispose();
  }
  return read;
}

const layer = 1;
const settings = `contrastive: {weight: 0.5, layer: ${layer}, temperature: 0.2}`;

test('they are those of finite differences', async (t) => {
  using decoder = shaken({device: 'cpu', dtype: 'float32'});
  const batch = batchOf(texts.slice(0, 2), pairs.slice(0, 2));
  const norms = await normsOf(decoder, configOf(settings), [batch]);
  const ids = (values: Int32Array): Tensor => tensor(Int32Array.from(values), {dtype: 'int32'});
  const input = {
    tokens: ids(batch.tokens),
    positions: ids(batch.positions),
    segmentStarts: ids(batch.segmentStarts),
  };
  const targetsOf = (kind: string): Float32Array<ArrayBuffer> => {
    const weights = batch.weights.map((weight, token) => {
      const segment = batch.segmentStarts.findLastIndex((start) => start <= token);
      return batch.kinds[segment] === kind ? weight : 0;
    });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return Float32Array.from(weights, (weight) => weight / total);
  };
  const predicted = (kind: string) => {
    const weights = tensor(targetsOf(kind));
    return (states: Tensor): Tensor => {
      const {hidden} = decoder.forward(input, {from: {layer, states}});
      return linearCrossEntropy(hidden, decoder.head, ids(batch.targets), {weights, normalizer: 1}).loss;
    };
  };
  const aligned = (states: Tensor): Tensor => {
    const {xStarts, xEnds, yStarts, yEnds} = batch.pairs;
    const [x, y] = [pool(states, ids(xStarts), ids(xEnds)), pool(states, ids(yStarts), ids(yEnds))];
    return contrastive(x, y, {temperature: 0.2});
  };
  const [states] = noGrad(() => decoder.hiddenStates(input, {hiddenStates: [layer]}));
  const values = await states!.floats();
  const eps = 0.02;
  const numeric = async (loss: (states: Tensor) => Tensor): Promise<number> => {
    const at = (index: number, change: number): Promise<number> => {
      const moved = values.slice();
      moved[index]! += change;
      return scope(() => noGrad(() => loss(tensor(moved, {shape: states!.shape})))).item();
    };
    let squares = 0;
    for (const index of values.keys())
      squares += (((await at(index, eps)) - (await at(index, -eps))) / (2 * eps)) ** 2;
    return Math.sqrt(squares);
  };
  closeTo(t, [norms.next!], [await numeric(predicted('text'))], 0.02);
  closeTo(t, [norms.mapping!], [await numeric(predicted('mapping'))], 0.02);
  closeTo(t, [norms.contrastive!], [0.5 * (await numeric(aligned))], 0.02);
});

onEachDevice(
  ['float32'],
  'micro-batches change nothing, weights scale them, nothing is left',
  async (t, on) => {
    using decoder = shaken(on);
    const stepwise = `contrastive: {weight: 0.5, layer: ${layer}, temperature: 0.2, negatives: step}`;
    const one = await normsOf(decoder, configOf(stepwise), whole);
    const many = await normsOf(decoder, configOf(stepwise), parts);
    closeTo(
      t,
      [many.next!, many.mapping!, many.contrastive!],
      [one.next!, one.mapping!, one.contrastive!],
      1e-4,
    );
    const plain = await normsOf(decoder, configOf(settings), whole);
    closeTo(t, [one.contrastive!], [plain.contrastive!], 1e-4);
    const doubled = await normsOf(decoder, configOf(`mapping: {weight: 2}, ${settings}`), whole);
    closeTo(t, [doubled.mapping!, doubled.next!], [2 * plain.mapping!, plain.next!], 1e-5);
    for (const {tensor: parameter} of decoder.parameters) t.is(gradient(parameter), undefined);
  },
);

test('before its warm-up the contrast pulls at nothing, and what is left out has no norm', async (t) => {
  using decoder = shaken({device: 'cpu', dtype: 'float32'});
  t.is((await normsOf(decoder, configOf(settings), whole, 0)).contrastive, 0);
  t.deepEqual(Object.keys(await normsOf(decoder, configOf('recipe: paper'), whole)), ['next', 'mapping']);
  // The states of the last block: nothing runs above them but the norm and the head.
  const last = await normsOf(decoder, configOf(`contrastive: {weight: 0.5, layer: ${tiny.layers}}`), whole);
  t.true(last.next! > 0 && last.mapping! > 0 && last.contrastive! > 0);
});
