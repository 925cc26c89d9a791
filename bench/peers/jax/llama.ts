/** A step of training the Llama-style decoder in jax-js: llama.py with other names. */
import {adam, recipe} from '../../duels/training-recipe.js';
import type {CaseOf} from '../../duels/work-case.js';
import {batchOf, named, rotaryTables, startWeights, type Named} from '../llama.js';
import type {Jax, JaxArray} from './library.js';

/** What does not change from step to step. */
interface Constants {
  readonly segments: number;
  readonly segment: number;
  readonly heads: number;
  readonly headDim: number;
  readonly vocab: number;
  /** [segments, segment] */
  readonly ids: JaxArray;
  /** [segments, segment] */
  readonly targets: JaxArray;
  readonly cosines: JaxArray;
  readonly sines: JaxArray;
  /** [segment, segment] true where a key is not later. */
  readonly mask: JaxArray;
}

/** What changes from step to step. */
interface State {
  readonly weights: readonly JaxArray[];
  readonly firsts: readonly JaxArray[];
  readonly seconds: readonly JaxArray[];
}

/** `step` makes a step and waits for it: loss, gradients, clipping, AdamW. It resolves to the loss. */
export function createStep(
  jax: Jax,
  work: CaseOf<'trainingStep'>,
): {step: () => Promise<JaxArray>; dispose: () => void} {
  const {numpy: np, tree} = jax;
  const start = startWeights(work);
  const constants = constantsOf(jax, work);
  const update = createAdamW(
    jax,
    start.map(({decay}) => decay),
  );
  const compiled = jax.jit(
    (
      weights: readonly JaxArray[],
      firsts: readonly JaxArray[],
      seconds: readonly JaxArray[],
      count: JaxArray,
    ) => {
      const loss = (each: readonly JaxArray[]): JaxArray => lossOf(jax, named(each), constants);
      const [value, gradients] = jax.valueAndGrad(loss)(weights.map((each) => each.ref));
      const next = update({weights, firsts, seconds}, gradients, count);
      return [value, next.weights, next.firsts, next.seconds] as const;
    },
  );
  const zeros = (): readonly JaxArray[] => start.map(({shape}) => np.zeros(shape));
  let state: State = {
    weights: start.map(({shape, values}) => np.array(values).reshape(shape)),
    firsts: zeros(),
    seconds: zeros(),
  };
  let steps = 0;
  return {
    async step() {
      const count = np.array(Float32Array.of(++steps)).reshape([]);
      const [value, weights, firsts, seconds] = compiled(state.weights, state.firsts, state.seconds, count);
      state = {weights, firsts, seconds};
      await jax.blockUntilReady([value, weights, firsts, seconds]);
      return value;
    },
    dispose() {
      compiled.dispose();
      tree.dispose([state.weights, state.firsts, state.seconds]);
      const {ids, targets, cosines, sines, mask} = constants;
      tree.dispose([ids, targets, cosines, sines, mask]);
    },
  };
}

function constantsOf({numpy: np}: Jax, work: CaseOf<'trainingStep'>): Constants {
  const {tokens, segment, heads, features, vocab} = work;
  const headDim = features / heads;
  const segments = tokens / segment;
  const {ids, targets} = batchOf(work);
  const {cosines, sines} = rotaryTables(work);
  return {
    segments,
    segment,
    heads,
    headDim,
    vocab,
    ids: np.array(ids).reshape([segments, segment]),
    targets: np.array(targets).reshape([segments, segment]),
    cosines: np.array(cosines).reshape([segment, 1, headDim / 2]),
    sines: np.array(sines).reshape([segment, 1, headDim / 2]),
    mask: np.tri(segment, segment, 0, {dtype: np.bool}),
  };
}

function lossOf(jax: Jax, weights: Named<JaxArray>, constants: Constants): JaxArray {
  const {numpy: np, nn} = jax;
  let x = np.take(weights.embedding, constants.ids.ref, 0);
  for (const block of weights.blocks) {
    const attended = attend(jax, rmsNorm(jax, x.ref, block.inputNorm), block, constants);
    x = x.add(linear(jax, attended, block.o));
    const y = rmsNorm(jax, x.ref, block.postAttentionNorm);
    const gate = nn.silu(linear(jax, y.ref, block.gate));
    x = x.add(linear(jax, gate.mul(linear(jax, y, block.up)), block.down));
  }
  const logits = linear(jax, rmsNorm(jax, x, weights.norm), weights.head);
  // By one-hot targets: the gradient of takeAlongAxis is a scatter, which jit refuses behind other work.
  const chosen = logits.ref.mul(nn.oneHot(constants.targets.ref, constants.vocab)).sum(-1);
  return nn.logsumexp(logits, -1).sub(chosen).mean();
}

/** Without nn.dotProductAttention: its einsum calls a method of iterators that Node 20 lacks. */
function attend(
  jax: Jax,
  y: JaxArray,
  {q, k, v}: Named<JaxArray>['blocks'][number],
  constants: Constants,
): JaxArray {
  const {numpy: np, nn} = jax;
  const {segments, segment, heads, headDim, mask} = constants;
  const inHeads = (weight: JaxArray): JaxArray =>
    linear(jax, y.ref, weight).reshape([segments, segment, heads, headDim]);
  const [queries, keys, values] = [
    rotate(jax, inHeads(q), constants),
    rotate(jax, inHeads(k), constants),
    inHeads(v),
  ];
  y.dispose();
  const scores = np
    .matmul(queries.transpose([0, 2, 1, 3]), keys.transpose([0, 2, 3, 1]))
    .mul(headDim ** -0.5);
  const shares = nn.softmax(np.where(mask.ref, scores, -Infinity), -1);
  const out = np.matmul(shares, values.transpose([0, 2, 1, 3]));
  return out.transpose([0, 2, 1, 3]).reshape([segments, segment, heads * headDim]);
}

function rotate({numpy: np}: Jax, x: JaxArray, {cosines, sines}: Constants): JaxArray {
  const [low, high] = np.split(x, 2, -1);
  if (low === undefined || high === undefined) throw new Error('nothing to turn');
  const newLow = low.ref.mul(cosines.ref).sub(high.ref.mul(sines.ref));
  return np.concatenate([newLow, high.mul(cosines.ref).add(low.mul(sines.ref))], -1);
}

function rmsNorm({numpy: np}: Jax, x: JaxArray, weight: JaxArray): JaxArray {
  const meanSquare = np.square(x.ref).mean(-1, {keepdims: true});
  return x.div(np.sqrt(meanSquare.add(recipe.normEps))).mul(weight);
}

function linear({numpy: np}: Jax, x: JaxArray, weight: JaxArray): JaxArray {
  return np.matmul(x, weight.transpose());
}

function createAdamW(
  {numpy: np}: Jax,
  decays: readonly number[],
): (state: State, gradients: readonly JaxArray[], count: JaxArray) => State {
  const {beta1, beta2, eps} = adam;
  const rate = recipe.learningRate;
  return (state, gradients, count) => {
    const norm = np.sqrt(
      gradients.map((each) => np.square(each.ref).sum()).reduce((sum, each) => sum.add(each)),
    );
    const scale = np.minimum(1, np.trueDivide(recipe.clipNorm, norm));
    const corrections = [beta1, beta2].map((beta) => np.subtract(1, np.power(beta, count.ref)));
    const [firstCorrection, secondCorrection] = corrections;
    if (firstCorrection === undefined || secondCorrection === undefined) throw new Error('no corrections');
    const next = gradients.map((each, i) => {
      const [weight, oldFirst, oldSecond] = [state.weights[i], state.firsts[i], state.seconds[i]];
      if (weight === undefined || oldFirst === undefined || oldSecond === undefined)
        throw new Error(`there is no weight ${i}`);
      const gradient = each.mul(scale.ref);
      const first = oldFirst.mul(beta1).add(gradient.ref.mul(1 - beta1));
      const second = oldSecond.mul(beta2).add(np.square(gradient).mul(1 - beta2));
      const root = np.sqrt(second.ref.div(secondCorrection.ref)).add(eps);
      const change = first.ref.div(firstCorrection.ref).div(root);
      const decayed = weight.mul(1 - rate * (decays[i] ?? 0));
      return {weight: decayed.sub(change.mul(rate)), first, second};
    });
    for (const each of [scale, count, firstCorrection, secondCorrection]) each.dispose();
    return {
      weights: next.map(({weight}) => weight),
      firsts: next.map(({first}) => first),
      seconds: next.map(({second}) => second),
    };
  };
}
