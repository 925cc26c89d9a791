/** Products of matrices of more than 2^31 elements: the last rows and columns. */
import {requireGradient} from '../../lib/autograd/index.js';
import {linearCrossEntropy, matmul} from '../../lib/ops/index.js';
import {tensor, type Tensor} from '../../lib/tensor/index.js';
import {
  beyondInt32,
  device,
  known,
  multiprocessors,
  orElseNothing,
  small,
  withGradients,
  type Place,
} from '../support/beyond-int32.js';
import {normalNumbers} from '../support/numbers.js';

/** Rows and columns of a tile at the least. */
const tile = 64;

// ---- matmul

for (const transposeB of [false, true])
  beyondInt32(
    `matmul by rows of a and of the result, ${transposeB ? 'b as [n, k]' : 'b as [k, n]'},`,
    (at) => {
      const a = at.leaf([tile], 1);
      return withGradients(matmul(a, small([tile, tile], 2), {transposeB}), at.normal([tile], 3), [a]);
    },
  );

beyondInt32('matmul by rows of b as [n, k]', (at) =>
  // Elements of the result that belong to the known rows of b are the last of its last row.
  [matmul(small([1, tile], 1), at.normal([tile], 2), {transposeB: true})],
);

// The depth counts rows there: of the last one the last elements are known.
const depths = (at: Place): number => at.pick(2 ** 31 / 2 ** 25 + 1, 1);
const lastOfDepths = (at: Place, seed: number): Tensor =>
  at
    .ending(at.pick(depths(at) * 2 ** 25, known), [], normalNumbers(known, seed), 'bfloat16')
    .view([depths(at), at.pick(2 ** 25, known)]);

for (const transposeB of [false, true])
  beyondInt32(`matmul by depths of a as [k, m], ${transposeB ? 'b as [n, k]' : 'b as [k, n]'},`, (at) => {
    const last = lastIsOne(depths(at));
    const b = transposeB
      ? at.ending(1, [depths(at)], last, 'bfloat16')
      : at.ending(depths(at), [8], normalNumbers(8, 2), 'bfloat16');
    return [matmul(lastOfDepths(at, 1), b, {transposeA: true, transposeB})];
  });

beyondInt32('matmul by depths of b as [k, n]', (at) => [
  matmul(at.ending(1, [depths(at)], lastIsOne(depths(at)), 'bfloat16'), lastOfDepths(at, 1)),
]);

// A gradient of a weight: 16 parts of the depth, which is the number of tokens.
beyondInt32(
  'matmul by many depths of a as [k, m], b as [k, n],',
  (at) => {
    const features = 2 ** 17;
    const dy = at.ending(at.rows(features), [8], normalNumbers(8 * known, 1), 'bfloat16');
    return [matmul(dy, at.normal([features], 2), {transposeA: true})];
  },
  {blocks: 1, compared: tile},
);

function lastIsOne(length: number): number[] {
  return Array.from({length}, (_, index) => (index === length - 1 ? 1 : 0));
}

// ---- linearCrossEntropy

// One block of threads has a tile of 128 tokens and 128 entries of the vocabulary; the last tile has the known ones alone. Of tiles that
// are left out nothing reaches the loss, as if the vocabulary had no more than the known entries.
const lossTile = 128;

/** Probability of the target of the last tokens, and the gradients of the leaves. */
function losses(
  hidden: Tensor,
  weight: Tensor,
  targets: Tensor,
  leaves: readonly Tensor[],
): readonly Tensor[] {
  const {loss, logProbabilities} = linearCrossEntropy(hidden, weight, targets, {
    normalizer: 1,
    logProbabilities: true,
  });
  const [, ...gradients] = withGradients(loss, tensor([1], {shape: [], device}), leaves);
  return [logProbabilities, ...gradients];
}

beyondInt32(
  'linearCrossEntropy by tokens and the gradient of hidden',
  (at) => {
    const features = 2 ** 13;
    const tokens = at.pick(2 ** 31 / features + 1, 1);
    const hidden = requireGradient(at.ending(tokens, [features], normalNumbers(features, 1), 'bfloat16'));
    return losses(hidden, small([100, features], 2), at.ending(tokens, [], [99], 'int32'), [hidden]);
  },
  {blocks: 1, compared: lossTile},
);

/** The last token's target is the last of the vocabulary. */
function lastTarget(at: Place, tokens: number, vocab: number): Tensor {
  return at.ending(tokens, [], [at.pick(vocab - 1, known - 1)], 'int32');
}

beyondInt32(
  'linearCrossEntropy by entries of the vocabulary and its gradients',
  (at) => {
    const features = 2 ** 15;
    const weight = at.leaf([features], 1);
    const tokens = at.pick(lossTile + 1, 1);
    const hidden = requireGradient(at.ending(tokens, [features], normalNumbers(features, 2), 'bfloat16'));
    return losses(hidden, weight, lastTarget(at, tokens, at.rows(features)), [hidden, weight]);
  },
  {blocks: 1, compared: lossTile},
);

// Logits are computed again, instead of being stored, where those of so many tokens exceed 2 MiB for each multiprocessor.
function tokensThatStoreNothing(vocab: number): number {
  return Math.floor((multiprocessors * 2 ** 21) / (6 * vocab)) + 1;
}

beyondInt32(
  'linearCrossEntropy by entries of the vocabulary and the gradient of the weight, logits computed again,',
  (at) => {
    const features = 2 ** 11;
    const weight = at.leaf([features], 1);
    const tokens = at.pick(tokensThatStoreNothing(at.rows(features)), 1);
    const hidden = at.ending(tokens, [features], normalNumbers(features, 2), 'bfloat16');
    return losses(hidden, weight, lastTarget(at, tokens, at.rows(features)), [weight]);
  },
  {blocks: 1, compared: lossTile},
);

beyondInt32(
  'linearCrossEntropy by tokens and the gradient of hidden, logits computed again,',
  (at) => {
    const features = 2 ** 12;
    const vocab = at.pick(400 * lossTile + known, known);
    const tokens = at.pick(2 ** 31 / features + 1, 1);
    const hidden = requireGradient(at.ending(tokens, [features], normalNumbers(features, 1), 'bfloat16'));
    const weight = at.ending(vocab, [features], normalNumbers(known * features, 2), 'bfloat16');
    return losses(hidden, weight, lastTarget(at, tokens, vocab), [hidden]);
  },
  {blocks: 1, compared: lossTile},
);

orElseNothing();
