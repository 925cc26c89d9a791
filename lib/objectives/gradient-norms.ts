/** How much each objective pulls at the states that are aligned, METHOD section 1. */
import {backward, clearGradients, detach, gradient, noGrad, requireGradient} from '../autograd/index.js';
import type {Parameter} from '../nn/index.js';
import {globalNorm, multiply} from '../ops/index.js';
import {scope, type Tensor} from '../tensor/index.js';
import {alignStep, batchAlignmentLoss, poolPairs, type StepAlignment} from './alignment.js';
import type {BatchInput, StepInput} from './prepared-step.js';
import type {Run} from './run.js';
import {objectiveNames, type ObjectiveName} from './step-plan.js';
import {tokenLoss} from './token-losses.js';

/** float32 [] per objective: norm of the gradient of its weighted loss with respect to the states of the lowest aligned layer. */
export type GradientNorms = Partial<Readonly<Record<ObjectiveName, Tensor>>>;

/** @param beside what is trained beside the decoder: like its parameters it has no gradients before, and none after */
export function gradientNorms(run: Run, step: StepInput, beside: readonly Parameter[]): GradientNorms {
  const {decoder, alignment} = run;
  const {groups} = step;
  const leaves = [...decoder.parameters, ...beside].map(({tensor}) => tensor);
  const norms: Record<ObjectiveName, Tensor[]> = {next: [], mapping: [], contrastive: []};
  let whole: StepAlignment | undefined;
  try {
    if (alignment.config.negatives === 'step' && groups !== undefined)
      whole = alignStep({...step, groups}, {decoder, options: alignment});
    for (const [index, batch] of step.batches.entries())
      for (const [name, norm] of scope(() => batchNorms(run, batch, {step, whole, index})))
        norms[name].push(norm);
  } finally {
    whole?.dispose();
    clearGradients(leaves);
  }
  const present = objectiveNames.filter((name) => norms[name].length > 0);
  // A norm of norms: that of all micro-batches together.
  return Object.fromEntries(present.map((name) => [name, globalNorm(norms[name])]));
}

interface Place {
  readonly step: StepInput;
  readonly whole: StepAlignment | undefined;
  readonly index: number;
}

/** The blocks up to the layer run once, those above it once for each objective. */
function batchNorms(run: Run, batch: BatchInput, place: Place): [ObjectiveName, Tensor][] {
  const {decoder, alignment} = run;
  const layer = Math.min(...alignment.config.layer);
  const [states] = noGrad(() => decoder.hiddenStates(batch.input, {hiddenStates: [layer]}));
  if (states === undefined) return [];
  return objectiveNames.flatMap((name) => {
    const norm = scope(() => {
      const leaf = requireGradient(detach(states));
      const loss = weightedLoss(run, batch, {...place, name, from: {layer, states: leaf}});
      if (loss === undefined) return [];
      backward(loss);
      const found = gradient(leaf);
      const norms = found === undefined ? [] : [globalNorm([found])];
      clearGradients([leaf]);
      return norms;
    });
    return norm.map((each): [ObjectiveName, Tensor] => [name, each]);
  });
}

interface LossPlace extends Place {
  readonly name: ObjectiveName;
  /** The states that its gradient is asked of. */
  readonly from: {readonly layer: number; readonly states: Tensor};
}

/** What a micro-batch adds to the weighted loss of an objective; undefined where it has nothing for it. */
function weightedLoss(
  {config, decoder, alignment}: Run,
  batch: BatchInput,
  {step, whole, index, name, from}: LossPlace,
): Tensor | undefined {
  const {input, parts, pairs} = batch;
  const checkpointing = config.training.activationCheckpointing;
  if (name !== 'contrastive') {
    const part = parts.find(({objective}) => objective === name);
    if (part === undefined) return undefined;
    const {hidden} = decoder.forward(input, {from, checkpointing});
    return multiply(tokenLoss(batch, part, {hidden, decoder, config}), step.weights[name]);
  }
  if (pairs === undefined) return undefined;
  const states = decoder.hiddenStates(input, {from, hiddenStates: alignment.config.layer, checkpointing});
  const pooled = states.map((each) => poolPairs(each, pairs, alignment));
  if (whole) return whole.term(index, pooled);
  return multiply(batchAlignmentLoss(pooled, pairs, alignment), step.weights.contrastive);
}
