/** The model of a training step as the peers in Node get it: what llama.py makes for PyTorch. */
import {randomValues} from '../../lib/bench/random-values.js';
import {comparedSteps, recipe, tokenIds} from '../duels/training-recipe.js';
import type {CaseOf} from '../duels/work-case.js';

/** The start of one weight. */
export interface Weight {
  /** Matrices are [out, in]. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  /** Per step, of the learning rate; 0 for norms. */
  readonly decay: number;
}

/** Numbers for `seed` and `std` by the place in the list of our decoder; norms are 1. */
export function startWeights(work: CaseOf<'trainingStep'>): readonly Weight[] {
  return shapesOf(work).map((shape, index) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return shape.length > 1
      ? {
          shape,
          values: randomValues(count, {seed: index + 1, std: recipe.weightStd}),
          decay: recipe.weightDecay,
        }
      : {shape, values: new Float32Array(count).fill(1), decay: 0};
  });
}

function shapesOf({
  layers,
  features,
  hiddenFeatures,
  vocab,
}: CaseOf<'trainingStep'>): readonly (readonly number[])[] {
  const square = [features, features];
  const [widen, narrow] = [
    [hiddenFeatures, features],
    [features, hiddenFeatures],
  ];
  const block = [square, square, square, square, widen, widen, narrow, [features], [features]];
  return [
    [vocab, features],
    ...Array.from({length: layers}, () => block).flat(),
    [features],
    [vocab, features],
  ];
}

const blockNames = ['q', 'k', 'v', 'o', 'gate', 'up', 'down', 'inputNorm', 'postAttentionNorm'] as const;

/** What stands in the places of the weights, by name. */
export interface Named<Each> {
  readonly embedding: Each;
  readonly blocks: readonly Readonly<Record<(typeof blockNames)[number], Each>>[];
  readonly norm: Each;
  readonly head: Each;
}

/** @param listed one for each of `startWeights`, in its order */
export function named<Each>(listed: readonly Each[]): Named<Each> {
  const inBlocks = listed.slice(1, -2);
  const at = (index: number): Each => {
    const found = listed.at(index);
    if (found === undefined) throw new Error(`there is no weight ${index}`);
    return found;
  };
  const block = (first: number): Named<Each>['blocks'][number] =>
    Object.fromEntries(
      blockNames.map((name, i) => [name, inBlocks[first + i]]),
    ) as Named<Each>['blocks'][number];
  return {
    embedding: at(0),
    blocks: Array.from({length: inBlocks.length / blockNames.length}, (_, layer) =>
      block(layer * blockNames.length),
    ),
    norm: at(-2),
    head: at(-1),
  };
}

/** [tokens] what is read and what is to follow, segment after segment. */
export function batchOf({tokens, vocab}: CaseOf<'trainingStep'>): {ids: Int32Array; targets: Int32Array} {
  return {ids: tokenIds(tokens, vocab), targets: tokenIds(tokens, vocab, 1)};
}

/** Losses of the steps that are compared, by name. @param lossOf makes one step */
export async function comparedLosses(
  lossOf: () => Promise<Float32Array>,
): Promise<Readonly<Record<string, Float32Array>>> {
  const losses: Record<string, Float32Array> = {};
  for (let index = 1; index <= comparedSteps; index++) losses[`loss of step ${index}`] = await lossOf();
  return losses;
}

/** [segment, headDim / 2] the angles by which features turn. */
export function rotaryTables({segment, features, heads}: CaseOf<'trainingStep'>): {
  cosines: Float32Array;
  sines: Float32Array;
} {
  const half = features / heads / 2;
  const angles = Array.from(
    {length: segment * half},
    (_, i) => Math.floor(i / half) * recipe.ropeTheta ** (-(i % half) / half),
  );
  return {
    cosines: Float32Array.from(angles, (angle) => Math.cos(angle)),
    sines: Float32Array.from(angles, (angle) => Math.sin(angle)),
  };
}
