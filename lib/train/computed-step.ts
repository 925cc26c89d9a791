/** A step from its batches to its gradients, op by op. */
import {clearGradients, gradient} from '../autograd/index.js';
import {freeingTape} from '../autograd/tape.js';
import type {Parameter} from '../nn/index.js';
import type {GradientNorms, Objectives, PreparedStep, StepData, StepLosses} from '../objectives/index.js';
import {scope, type Tensor} from '../tensor/index.js';
import type {Gradients, Optimizer} from './optimizer.js';

/** What computes a step. */
export interface StepParts {
  readonly objectives: Objectives;
  readonly optimizer: Optimizer;
  /** Of the decoder, and what the objectives train beside it. */
  readonly parameters: readonly Parameter[];
}

/** What a step computes before it is applied. */
export interface StepOutput extends StepLosses {
  readonly gradients: Gradients;
  /** float32 [] norm of all gradients together, before clipping. */
  readonly norm: Tensor;
}

/** A step that is enqueued, and holds until it is disposed of or the next one runs. */
export interface ComputedStep extends StepOutput {
  dispose(): void;
}

/** Runs a step. The parameters hold its gradients until it is disposed of. @throws what the ops throw; nothing of the step is left then */
export function computeStep(parts: StepParts, prepared: PreparedStep): ComputedStep {
  const leaves = parts.parameters.map(({tensor}) => tensor);
  let computed: StepOutput;
  try {
    computed = freeingTape(() => scope(() => enqueueStep(parts, prepared)));
  } catch (error) {
    clearGradients(leaves);
    throw error;
  }
  return {
    ...computed,
    dispose() {
      const {loss, losses, norm} = computed;
      for (const tensor of [loss, norm, ...Object.values(losses)]) tensor.dispose();
      clearGradients(leaves);
    },
  };
}

/**
 * How much each objective pulls at the states that are aligned; to be called before the step runs. The caller frees the norms.
 *
 * @throws what the ops throw; nothing of it is left then
 */
export function measureGradientNorms({objectives}: StepParts, prepared: PreparedStep): GradientNorms {
  return freeingTape(() => objectives.gradientNorms(prepared));
}

/** @param data what the step reads; default its own */
export function enqueueStep(
  {objectives, optimizer, parameters}: StepParts,
  prepared: PreparedStep,
  data?: StepData,
): StepOutput {
  const {loss, losses} = objectives.run(prepared, data);
  const gradients = parameters.map(({tensor}) => gradient(tensor));
  return {loss, losses, gradients, norm: optimizer.gradientNorm(gradients)};
}
