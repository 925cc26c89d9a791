import fc from 'fast-check';
import test from 'ava';
import {learningRateAt, type LearningRateOptions} from '../../lib/train/schedule.js';
import {closeTo} from '../support/ops.js';

const options: LearningRateOptions = {
  steps: 100,
  warmupSteps: 10,
  schedule: 'cosine',
  learningRate: 2,
  minLearningRateRatio: 0.1,
  decayShare: 0.2,
};

const rates = (at: readonly number[], changed: Partial<LearningRateOptions> = {}): number[] =>
  at.map((step) => learningRateAt(step, {...options, ...changed}));

test('the warm-up rises linearly and reaches the highest rate at its last step', (t) => {
  closeTo(t, rates([1, 5, 10]), [0.2, 1, 2], 1e-12);
});

test('without warm-up the first step has the full rate, but for what the cosine has fallen', (t) => {
  closeTo(t, rates([1], {warmupSteps: 0, schedule: 'constant'}), [2], 0);
  closeTo(t, rates([1], {warmupSteps: 0}), [0.2 + 0.9 * (1 + Math.cos(Math.PI / 100))], 1e-12);
});

test('cosine is half way down in the middle and lowest at the last step', (t) => {
  closeTo(t, rates([11, 55, 100]), [0.2 + 0.9 * (1 + Math.cos(Math.PI / 90)), 1.1, 0.2], 1e-12);
});

test('wsd stays, then falls linearly to the lowest rate at the last step', (t) => {
  closeTo(t, rates([11, 80, 90, 100], {schedule: 'wsd'}), [2, 2, 1.1, 0.2], 1e-12);
});

test('wsd without a decay stays to the end', (t) => {
  closeTo(t, rates([99, 100], {schedule: 'wsd', decayShare: 0}), [2, 2], 1e-12);
});

test('constant stays after the warm-up', (t) => {
  closeTo(t, rates([9, 11, 100], {schedule: 'constant'}), [1.8, 2, 2], 1e-12);
});

test('steps beyond the last have the rate of the last', (t) => {
  for (const schedule of ['cosine', 'wsd', 'constant'] as const)
    closeTo(t, rates([101, 1000], {schedule}), rates([100, 100], {schedule}), 0);
});

test('the rate is never above the highest, never below the lowest after the warm-up, and never rises there', (t) => {
  const cases = fc.record({
    steps: fc.integer({min: 1, max: 500}),
    warmupShare: fc.double({min: 0, max: 0.7, noNaN: true}),
    schedule: fc.constantFrom('cosine', 'wsd', 'constant'),
    minLearningRateRatio: fc.double({min: 0, max: 1, noNaN: true}),
    decayShare: fc.double({min: 0, max: 0.3, noNaN: true}),
  });
  fc.assert(
    fc.property(cases, ({warmupShare, ...given}) => {
      const all = {...options, ...given, warmupSteps: Math.floor(warmupShare * given.steps)};
      const after = Array.from({length: all.steps - all.warmupSteps}, (_, index) =>
        learningRateAt(all.warmupSteps + 1 + index, all),
      );
      const slack = 1e-12;
      for (const [index, rate] of after.entries()) {
        if (rate > 2 + slack || rate < 2 * all.minLearningRateRatio - slack) return false;
        if (index > 0 && rate > after[index - 1]! + slack) return false;
      }
      return true;
    }),
    {seed: 3},
  );
  t.pass();
});
