/** Cases of the contrastive loss: rows, every option, and its gradients beside those of the definition. */
import type {ExecutionContext} from 'ava';
import {backward, gradient, requireGradient} from '../../lib/autograd/index.js';
import {contrastive, type ContrastiveOptions} from '../../lib/ops/index.js';
import {tensor, type Tensor} from '../../lib/tensor/index.js';
import {normalNumbers, wholeNumbers} from '../support/numbers.js';
import {gradientsMatch, representable, type Input, type On} from '../support/ops.js';
import {contrastiveLoss, rowsOf, type ReferenceOptions} from './contrastive-reference.js';

/** Options as plain numbers, from which those of the op and of the reference are made. */
export type Options = ReferenceOptions & {readonly negatives?: readonly number[]};

export interface Rows {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly z?: readonly number[] | undefined;
}

/** Pairs that resemble each other as those of a half-trained model do, so that no softmax is all but certain. */
export function pairsOf(
  pairs: number,
  features: number,
  seed: number,
): {readonly x: number[]; readonly y: number[]} {
  const x = normalNumbers(pairs * features, seed);
  const noise = normalNumbers(pairs * features, seed + 1, 0.8);
  return {x, y: x.map((value, index) => value + noise[index]!)};
}

export function sidesOf({x, y, z = []}: Rows, features: number): Parameters<typeof contrastiveLoss>[0] {
  return {x: rowsOf(x, features), y: rowsOf(y, features), negatives: rowsOf(z, features)};
}

export function opOptions(
  {groups, weights, negatives, ...rest}: Options,
  features: number,
  {device, dtype}: On,
): ContrastiveOptions {
  return {
    ...rest,
    ...(groups && {groups: tensor([...groups], {device, dtype: 'int32'})}),
    ...(weights && {weights: tensor([...weights], {device})}),
    ...(negatives && {
      negatives: tensor([...negatives], {shape: [negatives.length / features, features], device, dtype}),
    }),
  };
}

export const optionsOf = (pairs: number, features: number): Readonly<Record<string, Options>> => ({
  plain: {temperature: 0.05},
  margin: {temperature: 0.05, margin: 0.3},
  weights: {temperature: 0.1, weights: wholeNumbers(pairs, 4, 5).map((each, b) => (b === 0 ? 1 : each / 2))},
  mask: {temperature: 0.1, groups: wholeNumbers(pairs, Math.ceil(pairs / 2), 6), groupMode: 'mask'},
  positives: {
    temperature: 0.1,
    groups: wholeNumbers(pairs, Math.ceil(pairs / 3), 6),
    groupMode: 'positives',
    margin: 0.1,
  },
  'groups that are ignored': {temperature: 0.1, groups: wholeNumbers(pairs, 2, 6), groupMode: 'none'},
  both: {temperature: 0.1, scope: 'both', groups: wholeNumbers(pairs, pairs, 7)},
  threshold: {temperature: 0.1, threshold: 0.05, scope: 'both'},
  negatives: {temperature: 0.1, negatives: normalNumbers(37 * features, 8), threshold: 0.1},
  'one direction': {temperature: 0.1, oneDirectional: true, scope: 'both'},
  // Logits that may be beyond ±40: on the CPU a softmax of them takes a maximum off first.
  cold: {temperature: 0.04, margin: 0.7, scope: 'both'},
  'cold positives': {
    temperature: 0.02,
    groups: wholeNumbers(pairs, Math.ceil(pairs / 3), 6),
    groupMode: 'positives',
    threshold: 0.1,
  },
});

interface GradientsOf extends Rows {
  readonly features: number;
  readonly options: Options;
}

/** Gradients of x, y, theta and, where there are any, extra negatives. */
export async function matchesFiniteDifferences(
  t: ExecutionContext,
  on: On,
  {x, y, features, options: {negatives, ...options}}: GradientsOf,
): Promise<void> {
  const input = (values: readonly number[]): Input => ({shape: [values.length / features, features], values});
  const held = (values: readonly number[] = []): number[] => representable(values, on.dtype);
  const decided = sidesOf({x: held(x), y: held(y), z: held(negatives)}, features);
  await gradientsMatch(t, on, {
    // The gradient of theta is a sum of terms with both signs, which may cancel to a tenth: three bits more than the default.
    ...(on.dtype === 'float32' && {tolerance: 2 ** -12}),
    inputs: {
      x: input(x),
      y: input(y),
      theta: {shape: [], values: [Math.log(1 / options.temperature)], dtype: 'float32'},
      ...(negatives && {z: input(negatives)}),
    },
    op: (rows, columns, theta, z) =>
      contrastive(rows, columns, {
        ...opOptions(options, features, on),
        temperature: theta,
        ...(z && {negatives: z}),
      }),
    reference: (rows, columns, theta, z) => [
      contrastiveLoss(
        sidesOf({x: rows, y: columns, z}, features),
        {...options, temperature: Math.exp(-theta[0]!)},
        {decided},
      ),
    ],
  });
}

/** A leaf of normal numbers. */
export function leaf(shape: readonly number[], on: Partial<On>, seed = 1, scale = 1): Tensor {
  const size = shape.reduce((product, each) => product * each, 1);
  return requireGradient(tensor(normalNumbers(size, seed, scale), {shape, ...on}));
}

/** The loss, and its gradients of the leaves. */
export async function lossAndGradients(
  loss: Tensor,
  leaves: readonly Tensor[],
): Promise<readonly [number, ...Float32Array[]]> {
  backward(loss);
  return [await loss.item(), ...(await Promise.all(leaves.map((each) => gradient(each)!.floats())))];
}

export const zerosOf = (length: number): number[] => Array<number>(length).fill(0);
