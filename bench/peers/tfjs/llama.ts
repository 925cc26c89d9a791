/** A step of training the Llama-style decoder in TensorFlow.js: llama.py with other names. */
import {adam, recipe} from '../../duels/training-recipe.js';
import type {CaseOf} from '../../duels/work-case.js';
import {batchOf, named, rotaryTables, startWeights, type Named} from '../llama.js';
import type {Tf, TfTensor, TfVariable} from './library.js';

interface Sizes {
  readonly segments: number;
  readonly segment: number;
  readonly heads: number;
  readonly headDim: number;
}

/** What does not change from step to step. */
interface Constants extends Sizes {
  readonly cosines: TfTensor;
  readonly sines: TfTensor;
  /** [segment, segment] added to scores: -infinity for those that are later. */
  readonly mask: TfTensor;
}

/** Loss, gradients, clipping, AdamW. Returns the loss. */
export function createStep(
  tf: Tf,
  work: CaseOf<'trainingStep'>,
  {oneHotEmbedding}: {readonly oneHotEmbedding: boolean},
): () => TfTensor {
  const start = startWeights(work);
  const weights = start.map(({shape, values}) => tf.variable(tf.tensor(values, shape)));
  const constants = constantsOf(tf, work);
  const {ids, targets} = batchOf(work);
  const idTensor = tf.tensor(ids, [work.tokens], 'int32');
  const oneHotIds = oneHotEmbedding ? tf.oneHot(idTensor, work.vocab).toFloat() : undefined;
  const embed = (table: TfTensor): TfTensor =>
    oneHotIds === undefined ? tf.gather(table, idTensor) : tf.matMul(oneHotIds, table);
  const labels = tf.oneHot(tf.tensor(targets, [work.tokens], 'int32'), work.vocab).toFloat();
  const loss = (): TfTensor => lossOf(tf, named(weights), {embed, labels, constants});
  const update = createAdamW(
    tf,
    weights,
    start.map(({decay}) => decay),
  );
  return () =>
    tf.tidy(() => {
      const {value, grads} = tf.variableGrads(loss, weights);
      update(weights.map(({name}) => gradientOf(name, grads)));
      return value;
    });
}

function gradientOf(name: string, gradients: Readonly<Record<string, TfTensor>>): TfTensor {
  const found = gradients[name];
  if (found === undefined) throw new Error(`there is no gradient of ${name}`);
  return found;
}

function constantsOf(tf: Tf, work: CaseOf<'trainingStep'>): Constants {
  const {tokens, segment, heads, features} = work;
  const headDim = features / heads;
  const {cosines, sines} = rotaryTables(work);
  const later = Float32Array.from({length: segment ** 2}, (_, i) =>
    i % segment > Math.floor(i / segment) ? -Infinity : 0,
  );
  return {
    segments: tokens / segment,
    segment,
    heads,
    headDim,
    cosines: tf.tensor(cosines, [segment, headDim / 2]),
    sines: tf.tensor(sines, [segment, headDim / 2]),
    mask: tf.tensor(later, [segment, segment]),
  };
}

interface LossInputs {
  readonly embed: (table: TfTensor) => TfTensor;
  /** [tokens, vocab] one-hot. */
  readonly labels: TfTensor;
  readonly constants: Constants;
}

function lossOf(tf: Tf, weights: Named<TfTensor>, {embed, labels, constants}: LossInputs): TfTensor {
  let x = embed(weights.embedding);
  for (const block of weights.blocks) {
    x = x.add(linear(tf, attend(tf, rmsNorm(x, block.inputNorm), block, constants), block.o));
    const y = rmsNorm(x, block.postAttentionNorm);
    const gate = linear(tf, y, block.gate);
    x = x.add(linear(tf, gate.mul(gate.sigmoid()).mul(linear(tf, y, block.up)), block.down));
  }
  return tf.losses.softmaxCrossEntropy(labels, linear(tf, rmsNorm(x, weights.norm), weights.head));
}

function attend(
  tf: Tf,
  y: TfTensor,
  {q, k, v}: Named<TfTensor>['blocks'][number],
  constants: Constants,
): TfTensor {
  const {segments, segment, heads, headDim, mask} = constants;
  const inHeads = (weight: TfTensor): TfTensor =>
    linear(tf, y, weight).reshape([segments, segment, heads, headDim]).transpose([0, 2, 1, 3]);
  const turned = (weight: TfTensor): TfTensor => rotate(tf, inHeads(weight), constants);
  const scores = tf.matMul(turned(q), turned(k), false, true).mul(headDim ** -0.5);
  const out = tf.matMul(tf.softmax(scores.add(mask)), inHeads(v));
  return out.transpose([0, 2, 1, 3]).reshape([segments * segment, heads * headDim]);
}

function rotate(tf: Tf, x: TfTensor, {cosines, sines}: Constants): TfTensor {
  const [low, high] = tf.split(x, 2, -1);
  if (low === undefined || high === undefined) throw new Error('nothing to turn');
  return tf.concat([low.mul(cosines).sub(high.mul(sines)), high.mul(cosines).add(low.mul(sines))], -1);
}

function rmsNorm(x: TfTensor, weight: TfTensor): TfTensor {
  return x.mul(x.square().mean(-1, true).add(recipe.normEps).rsqrt()).mul(weight);
}

function linear(tf: Tf, x: TfTensor, weight: TfTensor): TfTensor {
  return tf.matMul(x, weight, false, true);
}

/** tf.train.adam knows no decay of weights, and no norm. */
function createAdamW(
  tf: Tf,
  weights: readonly TfVariable[],
  decays: readonly number[],
): (gradients: readonly TfTensor[]) => void {
  const {beta1, beta2, eps} = adam;
  const rate = recipe.learningRate;
  const zeros = (weight: TfVariable): TfVariable =>
    tf.variable(
      tf.tidy(() => weight.mul(0)),
      false,
    );
  const slots = weights.map((weight, i) => ({
    weight,
    decay: decays[i] ?? 0,
    first: zeros(weight),
    second: zeros(weight),
  }));
  let step = 0;
  return (gradients) => {
    step++;
    const norm = tf.addN(gradients.map((each) => each.square().sum())).sqrt();
    const scale = tf.minimum(1, tf.div(recipe.clipNorm, norm));
    for (const [i, each] of gradients.entries()) {
      const slot = slots[i];
      if (slot === undefined) throw new Error(`there is no weight ${i}`);
      const {weight, decay, first, second} = slot;
      const gradient = each.mul(scale);
      first.assign(first.mul(beta1).add(gradient.mul(1 - beta1)));
      second.assign(second.mul(beta2).add(gradient.square().mul(1 - beta2)));
      const root = second
        .div(1 - beta2 ** step)
        .sqrt()
        .add(eps);
      const change = first.div(1 - beta1 ** step).div(root);
      weight.assign(weight.mul(1 - rate * decay).sub(change.mul(rate)));
    }
  };
}
