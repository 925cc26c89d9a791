/** The weighted sum of the objectives over one step, METHOD section 1. */
import type {Config} from '../config/index.js';
import type {Batch} from '../data/batch.js';
import type {Decoder, Parameter} from '../nn/index.js';
import type {Tensor} from '../tensor/index.js';

/** What of a configuration the objectives depend on. */
export type ObjectivesConfig = Pick<Config, 'objectives' | 'training'>;

/** float32 [] per objective, on the device; absent where the step held nothing for it, or its weight is 0. */
export interface ObjectiveTensors {
  /** Nats per target token. */
  readonly next?: Tensor;
  readonly mapping?: Tensor;
  /** Nats per pair. */
  readonly contrastive?: Tensor;
}

/** One step, run but not waited for. The innermost scope frees the tensors. */
export interface StepResult {
  /** float32 [] the weighted sum, whose gradients were added to the parameters'. */
  readonly loss: Tensor;
  readonly losses: ObjectiveTensors;
  /** Weight of each objective in this step, warm-up included. */
  readonly weights: {readonly next: number; readonly mapping: number; readonly contrastive: number};
  /** Tokens of the batches. */
  readonly tokens: number;
  /** Share of those tokens that are targets of each objective. */
  readonly targetShares: {readonly next: number; readonly mapping: number};
  /** Sentence pairs that were aligned. */
  readonly pairs: number;
  /** Most pairs that were compared with each other at once: the batch that the contrastive objective in effect has. */
  readonly comparedPairs: number;
}

/** The objectives of a run. */
export interface Objectives {
  /** What is trained beside the decoder: `contrastive.theta`, float32 [], where the temperature is learnable. */
  readonly parameters: readonly Parameter[];
  /**
   * Forward and backward pass of all micro-batches of a step. Gradients are added to those of the parameters (`gradient`); a parameter
   * that the step does not reach gets none. Every loss is divided once, by the sum of its weights over the whole step, so it makes no
   * difference how the step is cut into micro-batches. Returns as soon as the work is enqueued.
   *
   * @param batches all micro-batches of the step
   * @param stepIndex steps done before this one
   * @throws what the ops throw; gradients are then incomplete
   */
  step(batches: readonly Batch[], stepIndex: number): StepResult;
  dispose(): void;
  [Symbol.dispose](): void;
}

/** The objectives that a configuration asks for, over a decoder. */
export declare function createObjectives(config: ObjectivesConfig, decoder: Decoder): Objectives;
