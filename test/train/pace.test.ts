import test from 'ava';
import {createPace} from '../../lib/train/pace.js';

test('the time left is that of the steps and evaluations to come', (t) => {
  const pace = createPace({steps: 100, evaluateEvery: 30});
  t.true(Number.isNaN(pace.etaSeconds()));
  pace.noteEvaluation(5);
  pace.noteStep(1, 2);
  t.is(pace.etaSeconds(), 99 * 2 + 4 * 5); // at 30, 60, 90 and the end
  pace.noteStep(90, 2);
  t.is(pace.etaSeconds(), 10 * 2 + 2 * 5); // that of step 90 has not been made yet
  pace.noteStep(100, 2);
  t.is(pace.etaSeconds(), 5);
});

test('a run that ends with a due evaluation has it once', (t) => {
  const pace = createPace({steps: 10, evaluateEvery: 5});
  pace.noteEvaluation(1);
  pace.noteStep(6, 1);
  t.is(pace.etaSeconds(), 4 + 1);
});

test('one slow step moves the estimate by a tenth', (t) => {
  const pace = createPace({steps: 11, evaluateEvery: 100});
  pace.noteStep(9, 1);
  pace.noteStep(10, 11);
  t.is(pace.etaSeconds(), 2);
});
