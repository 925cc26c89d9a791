/** What one step trains: weights, targets and pairs, counted over all its micro-batches before any of them runs. */
import type {Config} from '../config/index.js';
import type {Batch, SegmentKind} from '../data/batch.js';

/** The two objectives that predict tokens. */
export type TokenObjective = 'next' | 'mapping';

/** The objective that each kind of segment is trained for. */
const objectiveOf: {readonly [K in SegmentKind]: TokenObjective} = {text: 'next', mapping: 'mapping'};

/** What of a configuration the objectives depend on. */
export type ObjectivesConfig = Pick<Config, 'objectives' | 'training'>;

/** Weights and normalizers of one step. */
export interface StepPlan {
  /** Weight of each objective, warm-up included. */
  readonly weights: {readonly next: number; readonly mapping: number; readonly contrastive: number};
  /** Sum of the loss weights of each objective's targets over the step. */
  readonly targetWeights: Readonly<Record<TokenObjective, number>>;
  /** Targets with a weight above 0. */
  readonly targets: Readonly<Record<TokenObjective, number>>;
  readonly tokens: number;
  /** Pairs that are aligned: 0 where the configuration leaves the contrastive objective out. */
  readonly pairs: number;
}

/** @param stepIndex steps done before this one */
export function planStep(config: ObjectivesConfig, batches: readonly Batch[], stepIndex: number): StepPlan {
  const {next, mapping, contrastive} = config.objectives;
  const [ofNext, ofMapping] = [countTargets(batches, 'next'), countTargets(batches, 'mapping')];
  const pairs = batches.reduce((sum, batch) => sum + batch.pairs.groups.length, 0);
  return {
    weights: {
      next: next.weight,
      mapping: mapping.weight,
      contrastive: contrastive.weight * warmup(stepIndex, contrastive.warmupShare * config.training.steps),
    },
    targetWeights: {next: ofNext.weight, mapping: ofMapping.weight},
    targets: {next: ofNext.count, mapping: ofMapping.count},
    tokens: batches.reduce((sum, {tokens}) => sum + tokens.length, 0),
    pairs: contrastive.weight > 0 ? pairs : 0,
  };
}

/**
 * [tokens] loss weight of each target of an objective, divided by their sum over the step; 0 for all other targets.
 */
export function normalizedWeights(
  batch: Batch,
  objective: TokenObjective,
  total: number,
): Float32Array<ArrayBuffer> {
  const weights = new Float32Array(batch.tokens.length);
  forEachTarget(batch, objective, (weight, t) => (weights[t] = weight / total));
  return weights;
}

function warmup(stepIndex: number, steps: number): number {
  return steps > 0 ? Math.min(1, stepIndex / steps) : 1;
}

function countTargets(batches: readonly Batch[], objective: TokenObjective): {weight: number; count: number} {
  const sum = {weight: 0, count: 0};
  for (const batch of batches)
    forEachTarget(batch, objective, (weight) => {
      sum.weight += weight;
      sum.count++;
    });
  return sum;
}

function forEachTarget(
  {weights, segmentStarts, kinds}: Batch,
  objective: TokenObjective,
  visit: (weight: number, t: number) => void,
): void {
  for (const [segment, kind] of kinds.entries()) {
    if (objectiveOf[kind] !== objective) continue;
    const end = segmentStarts[segment + 1] ?? 0;
    for (let t = segmentStarts[segment] ?? 0; t < end; t++) {
      const weight = weights[t] ?? 0;
      if (weight > 0) visit(weight, t);
    }
  }
}
