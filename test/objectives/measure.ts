/** One step of objectives, read back. */
import type {ExecutionContext} from 'ava';
import {clearGradients, gradient} from '../../lib/autograd/index.js';
import type {Batch} from '../../lib/data/batch.js';
import type {Decoder, Parameter} from '../../lib/nn/index.js';
import {createObjectives, type ObjectivesConfig, type StepResult} from '../../lib/objectives/index.js';
import type {Tensor} from '../../lib/tensor/index.js';
import {closeTo} from '../support/ops.js';
import {batchOf, type PairTexts} from './batches.js';

export const texts = [[5, 6, 7, 8], [9, 10], [11], [12, 13, 14, 15, 16, 17], [18, 5, 9]];
export const pairs: readonly PairTexts[] = [
  [
    [5, 9, 7],
    [13, 14],
  ],
  [[6], [15, 16, 17, 18]],
  [[10, 11], [19]],
  [
    [8, 12, 6, 7],
    [20, 21, 13],
  ],
];

/** All texts and pairs as one micro-batch. */
export const whole: readonly Batch[] = [batchOf(texts, pairs)];

/** The same as micro-batches of very different length; one pair is alone in its own. */
export const parts: readonly Batch[] = [
  batchOf(texts.slice(0, 1), pairs.slice(0, 1)),
  batchOf(texts.slice(1, 4)),
  batchOf(texts.slice(4), pairs.slice(1)),
];

export interface Measured {
  readonly result: StepResult;
  readonly loss: number;
  readonly losses: Readonly<Record<'next' | 'mapping' | 'contrastive', number | undefined>>;
  /** By name; undefined where the step does not reach. */
  readonly gradients: ReadonlyMap<string, Float32Array | undefined>;
}

/** One step at the end of the warm-up, unless `stepIndex` says otherwise; gradients are then cleared. */
export async function measure(
  decoder: Decoder,
  config: ObjectivesConfig,
  batches: readonly Batch[],
  stepIndex = 100,
): Promise<Measured> {
  using objectives = createObjectives(config, decoder);
  const parameters: Parameter[] = [...decoder.parameters, ...objectives.parameters];
  const result = objectives.step(batches, stepIndex);
  const read = async (loss: Tensor | undefined): Promise<number | undefined> => loss?.item();
  const {next, mapping, contrastive} = result.losses;
  const gradients = parameters.map(
    async ({name, tensor}) => [name, await gradient(tensor)?.floats()] as const,
  );
  const measured = {
    result,
    loss: await result.loss.item(),
    losses: {next: await read(next), mapping: await read(mapping), contrastive: await read(contrastive)},
    gradients: new Map(await Promise.all(gradients)),
  };
  clearGradients(parameters.map(({tensor}) => tensor));
  return measured;
}

/** Passes if all gradients agree, relative to the largest element of each; 1e-5 is the order of float32 sums. */
export function sameGradients(t: ExecutionContext, got: Measured, wanted: Measured, tolerance = 1e-5): void {
  t.deepEqual([...got.gradients.keys()], [...wanted.gradients.keys()]);
  for (const [name, values] of wanted.gradients) {
    const found = got.gradients.get(name);
    t.is(found === undefined, values === undefined, name);
    if (found !== undefined && values !== undefined) closeTo(t, found, values, tolerance * largest(values));
  }
}

export function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
