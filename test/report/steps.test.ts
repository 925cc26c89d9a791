import test from 'ava';
import fc from 'fast-check';
import {createHistory, readHistory} from '../../lib/report/history.js';
import {createStepKeeper} from '../../lib/report/steps.js';
import type {StepEvent, TrainEvent} from '../../lib/train/events.js';
import {syntheticRun} from './synthetic.js';

const isStep = (event: TrainEvent): event is StepEvent => event.type === 'step';
const long = syntheticRun({steps: 20_000, evaluateEvery: 0}).filter(isStep);

function kept(steps: readonly StepEvent[]) {
  const keeper = createStepKeeper();
  for (const step of steps) keeper.note(step);
  return keeper.kept();
}

test('a run of up to 1024 steps is kept as it is', (t) => {
  const steps = long.slice(0, 1024);
  const {steps: means, drawn, stepsEach, tokens} = kept(steps);
  t.deepEqual([means, drawn, stepsEach, tokens], [steps, steps, 1, 1024 * 4096]);
});

test('of a long run means, the latest steps and what sticks out are kept, in their order', (t) => {
  const spike = {...long[12_345]!, gradientNorm: 1e6};
  const {steps, drawn, stepsEach, tokens} = kept(long.with(12_345, spike));
  t.true(steps.length <= 1024 + 64 + stepsEach);
  t.true(steps.length > 512);
  t.is(stepsEach, 32);
  t.is(tokens, 20_000 * 4096);
  t.deepEqual(steps.slice(-64), long.slice(-64));
  t.true(drawn.includes(spike));
  for (const list of [steps, drawn])
    t.deepEqual(
      list.map(({step}) => step),
      list.map(({step}) => step).toSorted((a, b) => a - b),
    );
});

test('the means of a long run have the mean of its steps', (t) => {
  const {steps} = kept(long);
  const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const stretch = steps[10]!; // of 32 steps, the eleventh of them
  const of = long.slice(320, 352);
  t.is(stretch.step, Math.round(mean(of.map(({step}) => step))));
  for (const read of [
    (step: StepEvent) => step.losses.next!,
    (step: StepEvent) => step.gradientNorm,
    (step: StepEvent) => step.learningRate,
  ])
    t.true(Math.abs(read(stretch) / mean(of.map(read)) - 1) < 1e-9);
});

test('a value that is not finite leaves the mean of the others', (t) => {
  const broken = long.map((step) =>
    step.step % 2 === 0 ? {...step, gradientNorm: NaN} : {...step, gradientNorm: 3},
  );
  t.true(
    kept(broken)
      .steps.slice(0, 500)
      .every(({gradientNorm}) => gradientNorm === 3),
  );
});

test('a continuation rolls a long run back to its step, tokens included, wherever that lies', (t) => {
  fc.assert(
    fc.property(fc.integer({min: 1, max: 19_999}), (toStep) => {
      const keeper = createStepKeeper();
      for (const step of long) keeper.note(step);
      keeper.rollBack(toStep);
      t.is(keeper.kept().tokens, toStep * 4096);
      t.true(keeper.kept().steps.every(({step}) => step <= toStep));
      t.true(keeper.kept().drawn.every(({step}) => step <= toStep));
      for (const step of long.slice(toStep)) keeper.note(step);
      t.is(keeper.kept().tokens, 20_000 * 4096);
    }),
    {seed: 7, numRuns: 12},
  );
});

test('a new start forgets what was before it', (t) => {
  const run = syntheticRun({steps: 30, evaluateEvery: 10});
  const history = readHistory([...run, ...run.slice(0, 5)]);
  t.deepEqual(history, readHistory(run.slice(0, 5)));
});

test('very many evaluations and warnings leave a bounded number, the first and the last evaluation among them', (t) => {
  const builder = createHistory();
  const [start, ...rest] = syntheticRun({steps: 1000, evaluateEvery: 1, pairs: 1, languages: ['en', 'cs']});
  builder.note(start!);
  for (const event of rest) {
    builder.note(event);
    if (event.type === 'step') builder.note({type: 'warning', step: event.step, message: `at ${event.step}`});
  }
  const {evaluations, warnings, warningCount} = builder.history();
  t.true(evaluations.length <= 400 && evaluations.length > 200);
  t.deepEqual([evaluations[0]!.step, evaluations.at(-1)!.step], [0, 1000]);
  t.is(warnings.length, 100);
  t.is(warningCount, 1001); // and the one of the made-up run
});
