/** contrastive on rows of more than 2^31 elements: the last pairs. */
import {native} from '../../lib/native.js';
import {scope, Tensor} from '../../lib/tensor/index.js';
import {beyondInt32, known, made, orElseNothing, type Place} from '../support/beyond-int32.js';
import {normalNumbers} from '../support/numbers.js';

const features = 2 ** 10;

/** Blocks of a pass over 128 rows that have all of their features. */
const blocks = features / 128;

// Cosines of the known rows are about 0.9, and logits 45: beside them the zeros of all other rows add nothing to a softmax.
const temperature = 0.02;

/** The known rows lie close together. */
function rows(at: Place, seed: number): Tensor {
  const centre = normalNumbers(features, 1);
  const apart = normalNumbers(known * features, seed, 0.3);
  const values = apart.map((value, index) => value + centre[index % features]!);
  return at.tensor([features], values, 'bfloat16');
}

/** Only the known pairs count. */
function weights(at: Place): Tensor {
  return at.ending(at.rows(features), [], [1, 2, 3], 'float32');
}

/**
 * Runs a pass twice beyond 2^31 elements: without executing anything, which tells how many launches it has; then its first and its last
 * ones. Between those it goes over thousands of panels of the matrix of scores.
 */
function endsOf<T>(at: Place, {first, last}: {first: number; last: number}, pass: () => T): T {
  if (at.pick(false, true)) return pass();
  native.simtLeaveOutLaunches(0, Number.MAX_SAFE_INTEGER);
  scope(() => void pass());
  const launches = native.simtLeaveOutLaunches(0, 0);
  native.simtLeaveOutLaunches(first, launches - last);
  const result = pass();
  native.simtLeaveOutLaunches(0, 0);
  return result;
}

beyondInt32(
  'contrastive and its gradients',
  (at) => {
    const [x, y] = [rows(at, 2).native, rows(at, 3).native];
    const options = {
      temperature,
      margin: 0,
      weights: weights(at).native,
      groupMode: 'none',
      scope: 'cross',
      oneDirectional: false,
    } as const;
    // First: norms, scaled rows, scalars, the first panel. Last: the last panel, losses and their sum.
    const [loss, statistics, inverseNorms] = endsOf(at, {first: 6, last: 5}, () => {
      const results = native.contrastive(x, y, options);
      return [results.loss, results.statistics, results.inverseNorms].map(Tensor.fromNative);
    });
    // First: scaled rows, scalars. Last: the last panel and what becomes of its sums.
    const gradients = endsOf(at, {first: 2, last: 3}, () => {
      const dLoss = made([1], [], 'float32').native;
      const kept = [statistics!.native, inverseNorms!.native] as const;
      const wanted = {x: true, y: true, theta: false, negatives: false};
      const {dx, dy} = native.contrastiveBackward(dLoss, x, y, ...kept, options, wanted);
      return [dx!, dy!].map(Tensor.fromNative);
    });
    return [loss!, ...gradients];
  },
  {blocks},
);

orElseNothing();
