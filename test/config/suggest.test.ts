import fc from 'fast-check';
import test from 'ava';
import {editDistance, nearest} from '../../lib/config/suggest.js';

test('editDistance counts insertions, deletions, substitutions and swaps', (t) => {
  t.is(editDistance('wieght', 'weight'), 1);
  t.is(editDistance('', 'abc'), 3);
  t.is(editDistance('kitten', 'sitting'), 3);
});

test('editDistance is 0 only for equal words, symmetric, and at most the longer length', (t) => {
  const word = fc.string({maxLength: 8});
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      return (
        (distance === 0) === (a === b) &&
        distance === editDistance(b, a) &&
        distance <= Math.max(a.length, b.length)
      );
    }),
    {seed: 1},
  );
  t.pass();
});

test('nearest is blind to case and word gaps, and silent where nothing is near', (t) => {
  t.is(nearest('learning-rate', ['steps', 'learningRate']), 'learningRate');
  t.is(nearest('zebra', ['steps', 'learningRate']), undefined);
  t.is(nearest('xy', ['ab']), undefined);
});
