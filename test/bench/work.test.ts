/** The least work of ops, beside sums over the elements that they are defined by. */
import test from 'ava';
import {attentionWork, causalPairs, contrastiveWork, linearCrossEntropyWork} from '../../lib/bench/work.js';

/** Pairs, one by one: query `i` of a segment stands at position `keys - queries + i`. */
function countedPairs(queries: readonly number[], keys: readonly number[]): number {
  let pairs = 0;
  for (const [s, count] of queries.entries())
    for (let i = 0; i < count; i++) for (let j = 0; j < keys[s]!; j++) if (j <= keys[s]! - count + i) pairs++;
  return pairs;
}

for (const [queries, keys] of [
  [[1], [1]],
  [[7], [7]],
  [
    [1, 3],
    [9, 5],
  ],
  [
    [0, 4, 2],
    [0, 4, 6],
  ],
] as const)
  test(`causal pairs of ${queries.join(', ')} queries and ${keys.join(', ')} keys`, (t) => {
    t.is(causalPairs(queries, keys), countedPairs(queries, keys));
  });

test('attention: two products of each pair forward, five backward, and each tensor once', (t) => {
  const {forward, backward} = attentionWork({
    queries: [3, 2],
    heads: 4,
    kvHeads: 2,
    headDim: 8,
    dtype: 'bfloat16',
  });
  const pairs = countedPairs([3, 2], [3, 2]);
  t.is(forward.flops, 2 * 2 * pairs * 4 * 8);
  t.is(backward.flops, 5 * 2 * pairs * 4 * 8);
  const [q, k, lse] = [5 * 4 * 8 * 2, 5 * 2 * 8 * 2, 5 * 4 * 4];
  t.is(forward.bytes, q + k + k + q + lse);
  t.is(backward.bytes, q + k + k + q + q + lse + q + k + k);
});

test('contrastive: four products of all pairs in both passes', (t) => {
  const {forward, backward} = contrastiveWork({pairs: 6, features: 10, dtype: 'float32'});
  t.is(forward.flops + backward.flops, 4 * 2 * 6 * 6 * 10);
  t.is(forward.bytes, 2 * 6 * 10 * 4);
});

test('linear cross-entropy: the gradients are two products more, that of the weight in float32', (t) => {
  const {loss, withGradients} = linearCrossEntropyWork({
    tokens: 5,
    features: 4,
    vocab: 7,
    dtype: 'bfloat16',
  });
  t.is(loss.flops, 2 * 5 * 4 * 7);
  t.is(withGradients.flops, 3 * loss.flops);
  t.is(withGradients.bytes - loss.bytes, 5 * 4 * 2 + 7 * 4 * 4);
});
