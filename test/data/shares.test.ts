import test from 'ava';
import fc from 'fast-check';
import {mixShares, type MixedCorpus} from '../../lib/data/sampling/shares.js';

/**
 * The shares by bisection: each is the smaller of its cap and `level` times its weight, and `level` is where they sum to 1. Stands
 * beside the sorting that the library does.
 */
function reference(
  corpora: readonly MixedCorpus[],
  alpha: number,
  maxEpochs: number,
  budget: number,
): number[] {
  const at = (level: number): number[] =>
    corpora.map(({bytes, tokens}) => Math.min((maxEpochs * tokens) / budget, level * bytes ** alpha));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  let [low, high] = [0, 1e12];
  if (sum(at(high)) < 1) return at(high).map((share) => share / sum(at(high)));
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (sum(at(middle)) < 1) low = middle;
    else high = middle;
  }
  return at(high);
}

const corpus = (tokens: number, bytes = 4 * tokens): MixedCorpus => ({tokens, bytes});

test('alpha 0 gives equal shares, whatever the sizes', (t) => {
  const {shares} = mixShares([corpus(1e6), corpus(5e6)], {alpha: 0, maxEpochs: 4, budget: 1e6});
  t.deepEqual(shares, [0.5, 0.5]);
});

test('alpha 1 gives shares in proportion to bytes, not tokens', (t) => {
  const {shares} = mixShares([corpus(1e6, 3e6), corpus(1e6, 1e6)], {alpha: 1, maxEpochs: 4, budget: 1e6});
  t.deepEqual(shares, [0.75, 0.25]);
});

test('a small corpus is gone through maxEpochs times, and the others share what it leaves', (t) => {
  const {shares, exhausted} = mixShares([corpus(1000), corpus(1e6), corpus(1e6)], {
    alpha: 0,
    maxEpochs: 4,
    budget: 40_000,
  });
  t.deepEqual(shares, [0.1, 0.45, 0.45]);
  t.false(exhausted);
});

test('when every corpus is exhausted, all keep the shares of the cap and that is told', (t) => {
  const mix = mixShares([corpus(1000), corpus(3000)], {alpha: 0, maxEpochs: 2, budget: 100_000});
  t.deepEqual(mix, {shares: [0.25, 0.75], exhausted: true});
});

test('a corpus without tokens has no share', (t) => {
  const {shares} = mixShares([corpus(0), corpus(10)], {alpha: 0.3, maxEpochs: 4, budget: 10});
  t.deepEqual(shares, [0, 1]);
});

test('without a budget nothing has a share', (t) => {
  const mix = mixShares([corpus(10)], {alpha: 0, maxEpochs: 4, budget: 0});
  t.deepEqual(mix, {shares: [0], exhausted: false});
});

test('shares are those of the reference, sum to 1 and keep to the cap', (t) => {
  const corpora = fc.array(
    fc.record({tokens: fc.integer({min: 1, max: 1e7}), bytes: fc.integer({min: 1, max: 1e8})}),
    {minLength: 1, maxLength: 12},
  );
  const options = fc.record({
    alpha: fc.double({min: 0, max: 1, noNaN: true}),
    maxEpochs: fc.double({min: 0.5, max: 10, noNaN: true}),
    budget: fc.integer({min: 1, max: 1e9}),
  });
  fc.assert(
    fc.property(corpora, options, (mixed, {alpha, maxEpochs, budget}) => {
      const {shares, exhausted} = mixShares(mixed, {alpha, maxEpochs, budget});
      const expected = reference(mixed, alpha, maxEpochs, budget);
      // Bisection stops at the spacing of its level, 1e12 / 2^53 at worst.
      shares.forEach((share, i) => t.true(Math.abs(share - expected[i]!) < 1e-6));
      t.true(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-9);
      if (!exhausted)
        mixed.forEach(({tokens}, i) => t.true(shares[i]! * budget <= maxEpochs * tokens * (1 + 1e-9)));
    }),
    {seed: 3, numRuns: 300},
  );
});
