/** A step before it runs: its plan, and its batches on the device. */
import type {Batch} from '../data/batch.js';
import {decoderInput, type DecoderInput} from '../nn/index.js';
import {indices} from '../nn/input.js';
import {tensor, type Device, type Tensor} from '../tensor/index.js';
import {groupsOfStep} from './step-groups.js';
import {
  normalizedWeights,
  planStep,
  type ObjectivesConfig,
  type StepPlan,
  type TokenObjective,
} from './step-plan.js';

/** The targets that one objective has in a micro-batch. */
export interface TokenPart {
  readonly objective: TokenObjective;
  /** float32 [tokens] loss weight of each target; over the micro-batches of a step they sum to 1. */
  readonly weights: Tensor;
}

/** The spans that the contrastive objective aligns, int32 [pairs] each. */
export interface PairTensors {
  readonly xStarts: Tensor;
  readonly xEnds: Tensor;
  readonly yStarts: Tensor;
  readonly yEnds: Tensor;
  /** Pairs with the same id share a text; in the numbers of the micro-batch. */
  readonly groups: Tensor;
}

/** A micro-batch on the device. */
export interface PreparedBatch {
  readonly input: DecoderInput;
  /** int32 [tokens] */
  readonly targets: Tensor;
  /** Of the objectives that have a weight and, in this micro-batch, targets. */
  readonly parts: readonly TokenPart[];
  /** Pairs that are aligned: 0 where the step aligns none. */
  readonly pairCount: number;
  /** Absent where there are none. */
  readonly pairs?: PairTensors;
}

/** A step on the device. It holds memory there until it is disposed of. */
export interface PreparedStep {
  readonly plan: StepPlan;
  readonly batches: readonly PreparedBatch[];
  /** int32 [pairs] of the whole step; absent where it aligns none. */
  readonly groups?: Tensor;
  dispose(): void;
}

/**
 * Plans a step and copies its batches to the device, beside what the device is computing.
 *
 * @param stepIndex steps done before this one
 */
export function prepareStep(
  config: ObjectivesConfig,
  batches: readonly Batch[],
  {stepIndex, device}: {readonly stepIndex: number; readonly device: Device},
): PreparedStep {
  const plan = planStep(config, batches, stepIndex);
  const prepared = batches.map((batch) => prepareBatch(batch, plan, device));
  const groups = plan.pairs > 0 ? indices(groupsOfStep(batches), device) : undefined;
  return {
    plan,
    batches: prepared,
    ...(groups && {groups}),
    dispose() {
      for (const batch of prepared) for (const each of tensorsOf(batch)) each.dispose();
      groups?.dispose();
    },
  };
}

function prepareBatch(batch: Batch, plan: StepPlan, device: Device): PreparedBatch {
  const pairCount = plan.pairs > 0 ? batch.pairs.groups.length : 0;
  return {
    input: decoderInput(batch, device),
    targets: indices(batch.targets, device),
    parts: tokenParts(batch, plan, device),
    pairCount,
    ...(pairCount > 0 && {pairs: pairTensors(batch, device)}),
  };
}

function tokenParts(batch: Batch, plan: StepPlan, device: Device): TokenPart[] {
  return (['next', 'mapping'] as const).flatMap((objective) => {
    if (plan.weights[objective] === 0) return [];
    const weights = normalizedWeights(batch, objective, plan.targetWeights[objective]);
    return weights.some((weight) => weight > 0) ? [{objective, weights: tensor(weights, {device})}] : [];
  });
}

function pairTensors({pairs: {xStarts, xEnds, yStarts, yEnds, groups}}: Batch, device: Device): PairTensors {
  return {
    xStarts: indices(xStarts, device),
    xEnds: indices(xEnds, device),
    yStarts: indices(yStarts, device),
    yEnds: indices(yEnds, device),
    groups: indices(groups, device),
  };
}

function tensorsOf({input, targets, parts, pairs}: PreparedBatch): Tensor[] {
  return [
    ...Object.values(input),
    targets,
    ...parts.map(({weights}) => weights),
    ...(pairs ? Object.values(pairs) : []),
  ];
}
