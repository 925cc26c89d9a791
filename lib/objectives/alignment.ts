/** Contrastive alignment of the source spans of pairs, METHOD section 1.3. */
import {backward, clearGradients, gradient, noGrad, requireGradient} from '../autograd/index.js';
import type {Config} from '../config/index.js';
import type {Decoder} from '../nn/index.js';
import {cumulative} from '../nn/cumulative.js';
import {add, contrastive, multiply, pool, scale, sum} from '../ops/index.js';
import {scope, zeros, type Tensor} from '../tensor/index.js';
import type {BatchInput, PairTensors, StepInput} from './prepared-step.js';

/** How sentences are aligned. */
export interface AlignmentOptions {
  readonly config: Config['objectives']['contrastive'];
  /** Fixed, or theta = log(1 / tau), float32 []. */
  readonly temperature: number | Tensor;
}

/** Pooled sentences of pairs at one layer, both float32 [pairs, features]. */
interface PooledPairs {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** The spans of a batch's pairs, pooled. @param hidden [tokens, features] */
export function poolPairs(
  hidden: Tensor,
  {xStarts, xEnds, yStarts, yEnds}: PairTensors,
  {config: {pooling}}: AlignmentOptions,
): PooledPairs {
  return {x: pool(hidden, xStarts, xEnds, {pooling}), y: pool(hidden, yStarts, yEnds, {pooling})};
}

/** float32 [] mean over the layers of the loss of the given pairs, in nats per pair. @param groups int32 [pairs] */
function alignmentLoss(
  layers: readonly PooledPairs[],
  groups: Tensor,
  {config, temperature}: AlignmentOptions,
): Tensor {
  const {margin, threshold, scope: rivals, groups: groupMode} = config;
  const losses = layers.map(({x, y}) =>
    contrastive(x, y, {
      temperature,
      margin,
      groups,
      groupMode,
      scope: rivals,
      ...(threshold !== 'off' && {threshold}),
    }),
  );
  return scale(losses.reduce(add), 1 / losses.length);
}

/** float32 [] what the pairs of a micro-batch add to the mean over the pairs of the step, each compared with those of its own batch. */
export function batchAlignmentLoss(
  layers: readonly PooledPairs[],
  {groups, share}: PairTensors,
  options: AlignmentOptions,
): Tensor {
  return multiply(alignmentLoss(layers, groups, options), share);
}

/** The loss of the pairs of a whole step, and what its micro-batches have to do for its gradient. */
export interface StepAlignment {
  /** float32 [] nats per pair, without the objective's weight. */
  readonly loss: Tensor;
  /**
   * float32 [] a term of a micro-batch, recorded, whose gradient is that of the step's loss, weight included: its pooled sentences
   * times their gradients.
   *
   * @param index which micro-batch
   * @param layers its pooled sentences at each layer, recorded
   */
  term(index: number, layers: readonly PooledPairs[]): Tensor;
  dispose(): void;
}

/** What a step is aligned with. */
interface StepAlignmentContext {
  readonly decoder: Decoder;
  readonly options: AlignmentOptions;
}

/**
 * Aligns all pairs of a step at once, in the memory of one micro-batch: embeds each without recording, then takes the gradients of
 * the loss with respect to the embeddings and to theta.
 *
 * @see Gao et al. 2021 (GradCache), arXiv:2101.06983
 */
export function alignStep(
  {batches, groups, weights}: StepInput & {readonly groups: Tensor},
  context: StepAlignmentContext,
): StepAlignment {
  const {options} = context;
  const starts = cumulative(batches.map(({pairs}) => pairs?.groups.size ?? 0));
  const embedded = noGrad(() => embedStep(batches, starts, context));
  const leaves = embedded.flatMap(({x, y}) => [requireGradient(x), requireGradient(y)]);
  const loss = alignmentLoss(embedded, groups, options);
  backward(multiply(loss, weights.contrastive));
  return {
    loss,
    term(index, layers) {
      const [start = 0, end = 0] = starts.slice(index, index + 2);
      const terms = layers
        .flatMap(({x, y}) => [x, y])
        .flatMap((pooled, side) => {
          const leaf = leaves[side];
          const found = leaf && gradient(leaf);
          return found ? [sum(multiply(pooled, found.rows(start, end)))] : [];
        });
      return terms.reduce(add);
    },
    dispose: () => clearGradients(leaves),
  };
}

/** The pooled sentences of all micro-batches at each layer, one batch below the other. */
function embedStep(
  batches: readonly BatchInput[],
  starts: readonly number[],
  {decoder, options}: StepAlignmentContext,
): PooledPairs[] {
  const {shape, device} = decoder;
  const {layer: layers} = options.config;
  const room = (): Tensor => zeros([starts.at(-1) ?? 0, shape.features], {device});
  const whole = layers.map(() => ({x: room(), y: room()}));
  for (const [index, {input, pairs}] of batches.entries()) {
    if (pairs === undefined) continue;
    const [start = 0, end = 0] = starts.slice(index, index + 2);
    scope(() => {
      const hidden = decoder.hiddenStates(input, {hiddenStates: layers});
      for (const [at, states] of hidden.entries()) {
        const pooled = poolPairs(states, pairs, options);
        whole[at]?.x.rows(start, end).copyFrom(pooled.x);
        whole[at]?.y.rows(start, end).copyFrom(pooled.y);
      }
    });
  }
  return whole;
}
