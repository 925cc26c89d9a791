import test from 'ava';
import fc from 'fast-check';
import {lowestFirst} from '../../lib/data/held-out/lowest-first.js';

test('texts come by rank, those of one rank by their tie, whatever is sorted at once', (t) => {
  const text = fc.record({rank: fc.integer({min: 0, max: 9}), counts: fc.boolean()});
  fc.assert(
    fc.property(fc.array(text), fc.integer({min: 1, max: 5}), (texts, atOnce) => {
      const order = [...texts.keys()].filter((i) => texts[i]!.counts);
      order.sort((a, b) => texts[a]!.rank - texts[b]!.rank || b - a);
      const given = lowestFirst({
        ranks: Float64Array.from(texts, ({rank}) => rank),
        tieOf: (index) => -index,
        counts: (index) => texts[index]!.counts,
        atOnce,
      });
      t.deepEqual([...given], order);
    }),
    {seed: 1},
  );
});

test('a text that was given need not count any more', (t) => {
  const ranks = Float64Array.of(2, 1, 1, 0);
  const left = new Set([0, 1, 2, 3]);
  const order = [];
  for (const index of lowestFirst({ranks, tieOf: (at) => at, counts: (at) => left.has(at), atOnce: 1})) {
    order.push(index);
    left.delete(index);
  }
  t.deepEqual(order, [3, 1, 2, 0]);
});
