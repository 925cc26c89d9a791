import test from 'ava';
import {createSchedule, type ScheduleOptions} from '../../lib/data/sampling/schedule.js';

const options: ScheduleOptions = {schedule: 'constant', share: 0.25, steps: 100};

/** Share of the tokens of a stretch of training that pairs take. */
function rate(schedule: ScheduleOptions['schedule'], from: number, until: number): number {
  const due = createSchedule({...options, schedule});
  return ((due(until) - due(from)) / (until - from)) * options.share;
}

const close = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9;

test('constant spreads pairs evenly', (t) => {
  for (const from of [0, 0.3, 0.9]) t.true(close(rate('constant', from, from + 0.1), 0.25));
});

test('late has pairs alone in the last part, and none before', (t) => {
  t.is(rate('late', 0, 0.75), 0);
  t.true(close(rate('late', 0.75, 1), 1));
});

test('a list has its shares, scaled to the share of pairs, and none before its first step', (t) => {
  const list: [number, number][] = [
    [20, 0.2],
    [60, 0.6],
  ];
  // The mean is 0.4 * 0.2 + 0.4 * 0.6 = 0.32.
  t.is(rate(list, 0, 0.2), 0);
  t.true(close(rate(list, 0.3, 0.5), (0.2 * 0.25) / 0.32));
  t.true(close(rate(list, 0.7, 0.9), (0.6 * 0.25) / 0.32));
});

for (const schedule of [
  'constant',
  'late',
  [
    [0, 0.1],
    [50, 0.3],
  ],
] as ScheduleOptions['schedule'][])
  test(`all work of ${JSON.stringify(schedule)} is due at the end, and never less than before`, (t) => {
    const due = createSchedule({...options, schedule});
    t.true(close(due(1), 1));
    let last = 0;
    for (let progress = 0; progress <= 1; progress += 0.01) {
      t.true(due(progress) >= last);
      last = due(progress);
    }
  });

test('without pairs there is no work', (t) => {
  t.is(createSchedule({...options, share: 0})(0.5), 1);
});

test('a list whose scaled share exceeds 1 is refused', (t) => {
  t.throws(
    () =>
      createSchedule({
        ...options,
        schedule: [
          [0, 0],
          [90, 0.5],
        ],
      }),
    {
      code: 'ERR_CONFIG',
      message:
        'data.mappingSchedule has a mean share of 0.0500, which is scaled to data.mappingShare (0.25); the highest share would become 2.50, and must not exceed 1',
    },
  );
});

test('a list of zeros is refused', (t) => {
  t.throws(() => createSchedule({...options, schedule: [[0, 0]]}), {
    code: 'ERR_CONFIG',
    message: /one share at least must be above 0$/,
  });
});
