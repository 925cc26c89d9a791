import test from 'ava';
import fc from 'fast-check';
import {createPerplexity} from '../../lib/eval/index.js';
import {createExactSum} from '../../lib/eval/exact-sum.js';

test('perplexity, nats per token and bits per byte follow from the sums', (t) => {
  const perplexity = createPerplexity();
  perplexity.add({language: 'cs', nll: [Math.log(2), Math.log(8)], bytes: 8});
  const [result] = perplexity.results();
  t.is(result!.natsPerToken, (Math.log(2) + Math.log(8)) / 2);
  t.true(Math.abs(result!.perplexity - 4) < 1e-14);
  t.true(Math.abs(result!.bitsPerByte - 0.5) < 1e-15); // 4 bits over 8 bytes
  t.deepEqual([result!.tokens, result!.bytes], [2, 8]);
});

test('tokens of weight 0 are left out, whatever their likelihood', (t) => {
  const perplexity = createPerplexity();
  perplexity.add({language: 'uk', nll: [1, NaN, 3], weights: [1, 0, 0.5], bytes: 4});
  t.deepEqual(
    perplexity.results().map(({natsPerToken, tokens}) => [natsPerToken, tokens]),
    [[2, 2]],
  );
});

test('languages are kept apart, in order of appearance, and those without tokens are left out', (t) => {
  const perplexity = createPerplexity();
  perplexity.add({language: 'zh', nll: [1], bytes: 3});
  perplexity.add({language: 'ar', nll: [], bytes: 0});
  perplexity.add({language: 'en', nll: [2], bytes: 1});
  perplexity.add({language: 'zh', nll: [3], bytes: 3});
  t.deepEqual(
    perplexity.results().map(({language, natsPerToken}) => [language, natsPerToken]),
    [
      ['zh', 2],
      ['en', 2],
    ],
  );
});

test('neither the order nor the batches of the texts change a digit', (t) => {
  const nll = fc.array(fc.float({min: 0, max: 30, noNaN: true}), {minLength: 1, maxLength: 50});
  fc.assert(
    fc.property(nll, fc.nat(50), (values, cut) => {
      const whole = createPerplexity();
      whole.add({language: 'a', nll: values, bytes: values.length});
      const parts = createPerplexity();
      for (const part of [values.slice(cut).reverse(), values.slice(0, cut)])
        parts.add({language: 'a', nll: part, bytes: part.length});
      t.deepEqual(parts.results(), whole.results());
    }),
    {seed: 1, numRuns: 100},
  );
});

test('an exact sum loses nothing to large terms that cancel', (t) => {
  const sum = createExactSum();
  for (const value of [1e100, 1, -1e100, 1e-30, 2 ** 60, -(2 ** 60)]) sum.add(value);
  t.is(sum.value(), 1 + 1e-30);
  t.is(createExactSum().value(), 0);
});

test('what cannot be counted is refused and nothing of it is added', (t) => {
  const perplexity = createPerplexity();
  perplexity.add({language: 'en', nll: [1], bytes: 1});
  const before = perplexity.results();
  const cases = [
    [{nll: [1, Infinity], bytes: 2}, 'nll of en must be finite; token 1 has Infinity'],
    [{nll: [1], weights: [1, 1], bytes: 2}, 'weights must be [1] to match nll of en; got [2]'],
    [{nll: [1], bytes: 0}, 'bytes of en must be the whole number of UTF-8 bytes of 1 counted tokens; got 0'],
    [
      {nll: [], bytes: 0.5},
      'bytes of en must be the whole number of UTF-8 bytes of 0 counted tokens; got 0.5',
    ],
  ] as const;
  for (const [text, message] of cases)
    t.throws(() => perplexity.add({language: 'en', ...text}), {
      code: 'ERR_ARGUMENT',
      message: `perplexity: ${message}`,
    });
  t.deepEqual(perplexity.results(), before);
});
