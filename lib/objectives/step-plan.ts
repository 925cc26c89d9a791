/** What one step trains: weights, targets and pairs, counted over all its micro-batches before any of them runs. */
import type {Config} from '../config/index.js';
import type {Batch, SegmentKind} from '../data/batch.js';

/** What a model is trained for. */
export type ObjectiveName = 'next' | 'mapping' | 'contrastive';

/** The objectives, in the order in which they are told. */
export const objectiveNames: readonly ObjectiveName[] = ['next', 'mapping', 'contrastive'];

/** The two objectives that predict tokens. */
export type TokenObjective = Exclude<ObjectiveName, 'contrastive'>;

/** The objective that each kind of segment is trained for. */
const objectiveOf: {readonly [K in SegmentKind]: TokenObjective} = {text: 'next', mapping: 'mapping'};

/** What of a configuration the objectives depend on. */
export type ObjectivesConfig = Pick<Config, 'objectives' | 'training'>;

/** What there is to one step, and its weights and normalizers. */
export interface StepPlan {
  /** Weight of each objective, warm-up included. */
  readonly weights: Readonly<Record<ObjectiveName, number>>;
  /** Objectives that are not left out and have something in this step: those whose losses mean something. */
  readonly trained: readonly ObjectiveName[];
  /** Sum of the loss weights of each objective's targets over the step. */
  readonly targetWeights: Readonly<Record<TokenObjective, number>>;
  /** Tokens of the batches. */
  readonly tokens: number;
  /** Share of those tokens that are targets of each objective. */
  readonly targetShares: Readonly<Record<TokenObjective, number>>;
  /** Sentence pairs that are aligned: 0 where the configuration leaves the contrastive objective out. */
  readonly pairs: number;
  /** Most pairs that are compared with each other at once: the batch that the contrastive objective in effect has. */
  readonly comparedPairs: number;
}

/** @param stepIndex steps done before this one */
export function planStep(config: ObjectivesConfig, batches: readonly Batch[], stepIndex: number): StepPlan {
  const {next, mapping, contrastive} = config.objectives;
  const [ofNext, ofMapping] = [countTargets(batches, 'next'), countTargets(batches, 'mapping')];
  const tokens = batches.reduce((sum, batch) => sum + batch.tokens.length, 0);
  const shareOf = (count: number): number => (tokens === 0 ? 0 : count / tokens);
  const pairCounts = batches.map(({pairs}) => (contrastive.weight > 0 ? pairs.groups.length : 0));
  const pairs = pairCounts.reduce((sum, count) => sum + count, 0);
  const counts = {next: ofNext.count, mapping: ofMapping.count, contrastive: pairs};
  return {
    weights: {
      next: next.weight,
      mapping: mapping.weight,
      contrastive: contrastive.weight * warmup(stepIndex, contrastive.warmupShare * config.training.steps),
    },
    targetWeights: {next: ofNext.weight, mapping: ofMapping.weight},
    trained: objectiveNames.filter((name) => config.objectives[name].weight > 0 && counts[name] > 0),
    tokens,
    targetShares: {next: shareOf(ofNext.count), mapping: shareOf(ofMapping.count)},
    pairs,
    comparedPairs: contrastive.negatives === 'step' ? pairs : Math.max(0, ...pairCounts),
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
