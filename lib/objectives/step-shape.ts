/** The sizes of a step's tensors. On a device that records ops they are the same in nearly all steps of a run. */
import type {Batch} from '../data/batch.js';
import type {ObjectivesConfig} from './step-plan.js';

/** Sizes of a micro-batch. */
export interface BatchSizes {
  readonly tokens: number;
  readonly segments: number;
  readonly pairs: number;
}

/** The sizes that a batch has by itself. */
export function ownSizes({tokens, kinds, pairs}: Batch): BatchSizes {
  return {tokens: tokens.length, segments: kinds.length, pairs: pairs.groups.length};
}

/**
 * Sizes for all micro-batches of a step: as many tokens as a batch may have, and the next power of two of segments and of pairs. They
 * depend on the step alone, so that a run that is continued computes what an uninterrupted one does.
 */
export function commonSizes({training}: ObjectivesConfig, batches: readonly Batch[]): BatchSizes {
  const own = batches.map(ownSizes);
  const most = (size: keyof BatchSizes): number => Math.max(...own.map((sizes) => sizes[size]));
  return {
    tokens: Math.max(training.tokensPerBatch, most('tokens')),
    segments: roundUp(most('segments') + 1), // one more holds the tokens that fill up
    pairs: roundUp(most('pairs')),
  };
}

/** Fewer than these cost a kernel nothing. */
const fewest = 16;

function roundUp(count: number): number {
  return Math.max(fewest, 2 ** Math.ceil(Math.log2(count)));
}

/** The values, then `filler` up to the length. */
export function filledUp(values: Int32Array, length: number, filler: number): Int32Array;
export function filledUp(values: Float32Array, length: number, filler: number): Float32Array;
export function filledUp(
  values: Int32Array | Float32Array,
  length: number,
  filler: number,
): Int32Array | Float32Array {
  const filled = values instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  filled.fill(filler, values.length);
  filled.set(values);
  return filled;
}
