import test from 'ava';
import {lossChange, lossCurve, meanChange, readHistory, trackChange} from '../../lib/report/history.js';
import {lacTracks, meanTrack, pairHistories} from '../../lib/report/pairs.js';
import type {TrainEvent} from '../../lib/train/events.js';
import {syntheticRun} from './synthetic.js';

test('what a continuation rolled back is left out, and its time still counts', (t) => {
  const run = syntheticRun({steps: 100, evaluateEvery: 20});
  const cut = run
    .filter((event) => !('step' in event) || event.step <= 70)
    .filter(({type}) => type !== 'end');
  const [start] = run;
  const again = run
    .filter((event) => 'step' in event && event.step > 50 && event.type !== 'warning')
    .map((event) =>
      'seconds' in event && event.type === 'step' ? {...event, seconds: event.step - 50} : event,
    );
  const history = readHistory([...cut, {...start, resumedFrom: 50} as TrainEvent, ...again]);
  t.deepEqual(
    history.steps.map(({step}) => step),
    Array.from({length: 100}, (_, i) => i + 1),
  );
  t.deepEqual(
    history.evaluations.map(({step}) => step),
    [0, 20, 40, 60, 80, 100],
  );
  t.is(history.continuations, 1);
  t.is(history.tokens, 100 * 4096);
  t.true(Math.abs(history.seconds - (70 * 0.37 + 50)) < 1e-9);
  t.is(history.end?.reason, 'finished');
});

test('a run that was aborted and continued is no longer aborted', (t) => {
  const start = syntheticRun({steps: 10, evaluateEvery: 0})[0]!;
  const end = {type: 'end', reason: 'aborted', step: 5, seconds: 3, peakBytes: 1} as const;
  const history = readHistory([start, end, {...start, resumedFrom: 5} as TrainEvent]);
  t.is(history.end, undefined);
  t.is(history.seconds, 3);
});

test('a loss starts at its first step and is now the mean of the latest', (t) => {
  const points = Array.from({length: 400}, (_, i) => ({x: i + 1, y: 400 - i}));
  t.deepEqual(lossChange(points), {first: 400, now: 10.5});
  t.deepEqual(lossChange(points.slice(0, 50)), {first: 400, now: 353});
  t.deepEqual(lossChange(points.slice(0, 1)), {first: undefined, now: 400});
  t.is(lossChange([]), undefined);
});

test('an objective that some steps leave out has a curve of the others', (t) => {
  const events = syntheticRun({steps: 6, evaluateEvery: 0}).map((event): TrainEvent =>
    event.type === 'step' && event.step % 2 === 0 ? {...event, losses: {next: 1}} : event,
  );
  const history = readHistory(events);
  t.deepEqual(
    lossCurve(history, 'mapping').map(({x}) => x),
    [1, 3, 5],
  );
  t.is(lossCurve(history, 'next').length, 6);
});

test('pairs are followed through the evaluations, and their mean goes over those present', (t) => {
  const history = readHistory(syntheticRun({steps: 40, evaluateEvery: 20, pairs: 2}));
  const [first, second] = lacTracks(history);
  t.deepEqual(
    first!.points.map(({x}) => x),
    [0, 20, 40],
  );
  t.is(pairHistories(history.evaluations)[1]!.last.target, 'uk');
  const mean = meanTrack([first!, {...second!, points: second!.points.slice(1)}]);
  t.is(mean[0]!.y, first!.points[0]!.y);
  t.is(mean[2]!.y, (first!.points[2]!.y + second!.points[2]!.y) / 2);
});

test('a mean change has a start only if every part has one', (t) => {
  t.deepEqual(
    meanChange([
      {first: 1, now: 3},
      {first: 3, now: 5},
    ]),
    {first: 2, now: 4},
  );
  t.deepEqual(
    meanChange([
      {first: undefined, now: 3},
      {first: 3, now: 5},
    ]),
    {first: undefined, now: 4},
  );
  t.is(meanChange([]), undefined);
  t.true(Number.isNaN(trackChange(undefined).now));
});
