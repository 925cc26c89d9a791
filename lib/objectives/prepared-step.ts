/** A step before it runs: its plan, and its batches on the device. */
import type {Batch} from '../data/batch.js';
import {canCapture, type Device, type Tensor} from '../tensor/index.js';
import {createPacking, tensorAt, type StepData, type Values} from './step-data.js';
import {groupsOfStep} from './step-groups.js';
import {
  normalizedWeights,
  planStep,
  type ObjectiveName,
  type ObjectivesConfig,
  type StepPlan,
  type TokenObjective,
} from './step-plan.js';
import {commonSizes, filledUp, ownSizes, type BatchSizes} from './step-shape.js';

/** The targets that one objective has in a micro-batch. */
interface TokenPartOf<T> {
  readonly objective: TokenObjective;
  /** float32 [tokens] loss weight of each target; over the micro-batches of a step they sum to 1. */
  readonly weights: T;
}

/** The spans that the contrastive objective aligns, int32 [pairs] each. Absent pairs fill up: their spans are empty. */
interface PairsOf<T> {
  readonly xStarts: T;
  readonly xEnds: T;
  readonly yStarts: T;
  readonly yEnds: T;
  /** Pairs with the same id share a text; in the numbers of the micro-batch. -1 for absent pairs. */
  readonly groups: T;
  /** float32 [] share of the micro-batch in the pairs of the step. */
  readonly share: T;
}

/** What is read of a micro-batch. */
interface BatchOf<T> {
  /** int32: tokens and positions [tokens], segmentStarts [segments + 1], prefixLengths [segments]. */
  readonly input: {
    readonly tokens: T;
    readonly positions: T;
    readonly segmentStarts: T;
    readonly prefixLengths?: T;
  };
  /** int32 [tokens] */
  readonly targets: T;
  /** Of the objectives that have a weight and, where shapes are not fixed, targets in this micro-batch. */
  readonly parts: readonly TokenPartOf<T>[];
  /** Absent where the objective is left out or, where shapes are not fixed, the micro-batch has none. */
  readonly pairs?: PairsOf<T>;
}

/** What is read of a step. */
interface StepOf<T> {
  readonly batches: readonly BatchOf<T>[];
  /** int32 [pairs] of the whole step, its micro-batches one after the other; absent where it aligns none. */
  readonly groups?: T;
  /** float32 [] of each objective, warm-up included. */
  readonly weights: Readonly<Record<ObjectiveName, T>>;
}

export type TokenPart = TokenPartOf<Tensor>;
export type PairTensors = PairsOf<Tensor>;
export type BatchInput = BatchOf<Tensor>;
export type StepInput = StepOf<Tensor>;

/** A step on the device. It holds memory there until it is disposed of. */
export interface PreparedStep {
  /** What the step trains, counted over its micro-batches. */
  readonly plan: StepPlan;
  /** Steps with the same signature are computed by the same ops on the same shapes: only the numbers in their data differ. */
  readonly signature: string;
  /** What the step reads, on the device. */
  readonly data: StepData;
  /** What the step reads, in its data, or in other data that is filled from it. The innermost scope frees them. @internal */
  input(data: StepData): StepInput;
  /** Frees the data. */
  dispose(): void;
}

/**
 * Plans a step and copies its batches to the device, beside what the device is computing. On a device that records ops the batches are
 * filled up to common shapes: with tokens that no target reads and segments and pairs that are absent. What these add to losses and
 * gradients is 0.
 *
 * @param stepIndex steps done before this one
 */
export function prepareStep(
  config: ObjectivesConfig,
  batches: readonly Batch[],
  {stepIndex, device}: {readonly stepIndex: number; readonly device: Device},
): PreparedStep {
  const plan = planStep(config, batches, stepIndex);
  const common = canCapture(device) ? commonSizes(config, batches) : undefined;
  const packing = createPacking();
  const places = mapStep(stepValues(config, batches, {plan, common}), (values) => packing.add(values));
  const data = packing.upload(device);
  return {
    plan,
    signature: JSON.stringify(places),
    data,
    input: (from) => mapStep(places, (place) => tensorAt(from, place)),
    dispose() {
      data.int32.dispose();
      data.float32.dispose();
    },
  };
}

interface Preparation {
  readonly plan: StepPlan;
  /** Absent where each batch keeps its own. */
  readonly common: BatchSizes | undefined;
}

function stepValues(
  config: ObjectivesConfig,
  batches: readonly Batch[],
  preparation: Preparation,
): StepOf<Values> {
  const {plan, common} = preparation;
  const hasPairs = config.objectives.contrastive.weight > 0 && (common !== undefined || plan.pairs > 0);
  return {
    batches: batches.map((batch) => batchValues(config, batch, preparation)),
    ...(hasPairs && {groups: stepGroups(batches, common)}),
    weights: plan.weights,
  };
}

function batchValues(config: ObjectivesConfig, batch: Batch, {plan, common}: Preparation): BatchOf<Values> {
  const sizes = common ?? ownSizes(batch);
  const {tokens, segments} = sizes;
  const isFixed = common !== undefined;
  const {mapping, contrastive} = config.objectives;
  const hasPrefix = (isFixed && mapping.prefix) || batch.prefixLengths.some((length) => length > 0);
  const hasPairs = contrastive.weight > 0 && sizes.pairs > 0;
  return {
    input: {
      tokens: filledUp(batch.tokens, tokens, 0),
      positions: filledUp(batch.positions, tokens, 0),
      // The first segment after the batch's own has the tokens that fill up, those that follow have none.
      segmentStarts: filledUp(batch.segmentStarts, segments + 1, tokens),
      ...(hasPrefix && {prefixLengths: filledUp(batch.prefixLengths, segments, 0)}),
    },
    targets: filledUp(batch.targets, tokens, -1),
    parts: (['next', 'mapping'] as const).flatMap((objective) => {
      if (config.objectives[objective].weight === 0) return [];
      const weights = normalizedWeights(batch, objective, plan.targetWeights[objective]);
      const isRead = isFixed || weights.some((weight) => weight > 0);
      return isRead ? [{objective, weights: filledUp(weights, tokens, 0)}] : [];
    }),
    ...(hasPairs && {pairs: pairValues(batch, sizes.pairs, plan)}),
  };
}

function pairValues({pairs}: Batch, size: number, plan: StepPlan): PairsOf<Values> {
  const {xStarts, xEnds, yStarts, yEnds, groups} = pairs;
  return {
    xStarts: filledUp(xStarts, size, 0),
    xEnds: filledUp(xEnds, size, 0),
    yStarts: filledUp(yStarts, size, 0),
    yEnds: filledUp(yEnds, size, 0),
    groups: filledUp(groups, size, -1),
    share: plan.pairs === 0 ? 0 : groups.length / plan.pairs,
  };
}

/** Of each micro-batch as many as it has pairs, absent ones included. */
function stepGroups(batches: readonly Batch[], common: BatchSizes | undefined): Int32Array {
  const groups = groupsOfStep(batches);
  let end = 0;
  const filled = batches.map(({pairs}) => {
    const own = groups.subarray(end, (end += pairs.groups.length));
    return filledUp(own, common?.pairs ?? own.length, -1);
  });
  return Int32Array.from(filled.flatMap((each) => [...each]));
}

/** The same structure with other contents, visited in a fixed order. */
function mapStep<From, To>(step: StepOf<From>, change: (from: From) => To): StepOf<To> {
  const {batches, groups, weights} = step;
  return {
    batches: batches.map((batch) => mapBatch(batch, change)),
    ...(groups !== undefined && {groups: change(groups)}),
    weights: {
      next: change(weights.next),
      mapping: change(weights.mapping),
      contrastive: change(weights.contrastive),
    },
  };
}

function mapBatch<From, To>(batch: BatchOf<From>, change: (from: From) => To): BatchOf<To> {
  const {input, targets, parts, pairs} = batch;
  return {
    input: {
      tokens: change(input.tokens),
      positions: change(input.positions),
      segmentStarts: change(input.segmentStarts),
      ...(input.prefixLengths !== undefined && {prefixLengths: change(input.prefixLengths)}),
    },
    targets: change(targets),
    parts: parts.map(({objective, weights}) => ({objective, weights: change(weights)})),
    ...(pairs !== undefined && {
      pairs: {
        xStarts: change(pairs.xStarts),
        xEnds: change(pairs.xEnds),
        yStarts: change(pairs.yStarts),
        yEnds: change(pairs.yEnds),
        groups: change(pairs.groups),
        share: change(pairs.share),
      },
    }),
  };
}
