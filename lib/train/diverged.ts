/** A step that must not be applied: what is wrong with it, and where it comes from. */
import {clearGradients, gradient, noGrad} from '../autograd/index.js';
import type {Batch} from '../data/index.js';
import {CrossmapError} from '../errors.js';
import type {Parameter} from '../nn/index.js';
import type {Objectives} from '../objectives/index.js';
import {globalNorm} from '../ops/index.js';
import {scope, type Tensor} from '../tensor/index.js';
import type {Gradients} from './optimizer.js';

/** What a step has computed, before it is applied. */
interface ComputedStep {
  readonly loss: number;
  /** Global norm of the gradients before clipping. */
  readonly norm: number;
}

/** What is wrong with a step, or undefined where it may be applied. */
export function faultOf({loss, norm}: ComputedStep, explodingNorm: number): string | undefined {
  if (!Number.isFinite(loss)) return `the loss is ${loss}`;
  if (!Number.isFinite(norm)) return `the gradient norm is ${norm}`;
  if (norm > explodingNorm)
    return `the gradient norm ${norm.toPrecision(4)} exceeds training.explodingNorm (${explodingNorm})`;
  return undefined;
}

/** A step that went wrong. The weights are those before it. */
interface FaultyStep {
  /** The step, from 1. */
  readonly step: number;
  readonly fault: string;
  readonly batches: readonly Batch[];
  readonly parameters: readonly Parameter[];
  readonly gradients: Gradients;
  /** Frees the gradients, and what else leaves less room to compute again. */
  readonly release: () => void;
  readonly objectives: Objectives;
  /** Path of the newest checkpoint, if there is one. */
  readonly checkpoint: string | undefined;
}

/**
 * The error that names the step, the micro-batch and the tensor. Each micro-batch is computed again alone to find the one to blame; all
 * gradients are cleared.
 */
export async function divergence(faulty: FaultyStep): Promise<CrossmapError> {
  const {step, fault, batches, parameters, gradients, release, checkpoint} = faulty;
  const tensor = worst(await gradientNorms(gradients));
  release();
  const batch = worst(await microBatchNorms(faulty));
  const languages = [...new Set(batches[batch?.index ?? 0]?.languages)].sort().join(', ');
  const parts = [
    `training diverged at step ${step}: ${fault}`,
    tensor && `${parameters[tensor.index]?.name ?? ''} has ${inWords(tensor)}`,
    batch && `micro-batch ${batch.index} (${languages}), computed alone, has ${inWords(batch)}`,
    `the step was not applied; ${checkpoint === undefined ? 'there is no checkpoint yet' : `the last checkpoint is ${checkpoint}`}`,
    'try a lower training.learningRate or a longer training.warmupSteps',
  ];
  return new CrossmapError('ERR_DIVERGED', parts.filter((part) => part !== undefined).join('; '));
}

interface Measured {
  readonly index: number;
  readonly norm: number;
}

/** The first whose norm is not finite, or the largest. */
function worst(norms: readonly (number | undefined)[]): Measured | undefined {
  let found: Measured | undefined;
  for (const [index, norm] of norms.entries()) {
    if (norm === undefined) continue;
    if (!Number.isFinite(norm)) return {index, norm};
    if (norm > (found?.norm ?? -1)) found = {index, norm};
  }
  return found;
}

function inWords({norm}: Measured): string {
  return Number.isFinite(norm)
    ? `the largest gradient norm, ${norm.toPrecision(4)}`
    : 'the first gradient norm that is not finite';
}

/** [parameters] norm of each gradient; undefined where there is none. */
async function gradientNorms(gradients: Gradients): Promise<(number | undefined)[]> {
  const norms: (number | undefined)[] = [];
  for (const found of gradients) norms.push(found && (await takeItem(noGrad(() => globalNorm([found])))));
  return norms;
}

/** [micro-batches] norm of the gradients of each alone; that of a loss which is not finite is NaN. */
async function microBatchNorms({step, batches, parameters, objectives}: FaultyStep): Promise<number[]> {
  const leaves = parameters.map(({tensor}) => tensor);
  const norms: number[] = [];
  for (const batch of batches) {
    clearGradients(leaves);
    const loss = await takeItem(scope(() => objectives.step([batch], step - 1).loss));
    const found = leaves.flatMap((leaf) => gradient(leaf) ?? []);
    const norm = await takeItem(noGrad(() => globalNorm(found)));
    norms.push(Number.isFinite(loss) ? norm : NaN);
  }
  clearGradients(leaves);
  return norms;
}

async function takeItem(tensor: Tensor): Promise<number> {
  try {
    return await tensor.item();
  } finally {
    tensor.dispose();
  }
}
