import {PassThrough} from 'node:stream';
import {stripVTControlCharacters} from 'node:util';
import test from 'ava';
import {createDataProgress} from '../../lib/cli/data-progress.js';
import {createPaint, hasColor} from '../../lib/cli/paint.js';
import {createProgress} from '../../lib/cli/progress.js';
import {summarizeRun} from '../../lib/cli/summary.js';
import type {TrainEvent} from '../../lib/train/events.js';
import {evaluation, others, start, step} from './events.js';

/** All that is written for the events. */
function shown(events: readonly TrainEvent[], terminal: {isTTY: boolean; color?: boolean}): string {
  const stream = Object.assign(new PassThrough(), {isTTY: terminal.isTTY, columns: 120});
  const progress = createProgress(stream, {color: terminal.color ?? false});
  for (const event of events) progress.show(event);
  progress.stop();
  return String(stream.read() ?? '');
}

test('outside a terminal each event is plain lines', (t) => {
  t.deepEqual(shown([start, step(4), evaluation(4, 3, 0.25), ...others], {isTTY: false}).split('\n'), [
    'tiny: 9.81 M parameters, cpu, float32, cs en',
    '400 steps into runs/tiny',
    'step 4  loss 4.2500  next 2.2500  mapping 2.0000  12.3 k tokens/s  ETA 6 min 36 s',
    'evaluation at step 4 in 12 s',
    '  perplexity: cs 148.4, en 149.4',
    '  bits per byte: cs 3.000, en 4.000',
    '  LAC (crossmap definition): en-cs 0.250 (0.200 to 0.300)',
    '  retrieval P@1, mean over layers: en-cs 0.250 and 0.125',
    '  en to cs: "A house." gives "Dů [31mm"',
    `  cs to en: "Strom." gives "${'x'.repeat(79)}…"`,
    'checkpoint at step 4 in 1 s: runs/tiny/checkpoints/step-4',
    'warning at step 5: cs is repeated 4 times',
    'finished at step 400 after 2 min 05 s, peak memory 1.50 GiB',
    '',
  ]);
});

test('of the steps the first, the last and every hundredth part are told', (t) => {
  const run = [{...start, resumedFrom: 10}, ...Array.from({length: 390}, (_, index) => step(11 + index))];
  const told = shown(run, {isTTY: false}).matchAll(/^step (\d+)/gm);
  const expected = [11, ...Array.from({length: 98}, (_, index) => 12 + 4 * index)];
  t.deepEqual(
    [...told].map(([, number]) => Number(number)),
    expected,
  );
});

test('a continued run and a stopped run say so', (t) => {
  const text = shown(
    [
      {...start, resumedFrom: 10},
      {type: 'end', reason: 'aborted', step: 12, seconds: 1, peakBytes: 10},
    ],
    {
      isTTY: false,
    },
  );
  t.true(text.includes('continuing from step 10 to 400 in runs/tiny\n'));
  t.true(text.endsWith('stopped, state saved, at step 12 after 1 s, peak memory 10 bytes\n'));
});

test('in a terminal steps move a bar, other events stand above it, and the cursor comes back', (t) => {
  const text = shown([start, step(4), evaluation(4, 3, 0.25), step(200), ...others.slice(0, 2)], {
    isTTY: true,
  });
  const order = [
    'tiny: 9.81 M',
    '0/400  starting',
    '4/400  loss 4.2500',
    'evaluation at step 4',
    '200/400  loss 0.0850',
    'checkpoint at',
    'warning at',
  ];
  const found = order.map((part) => text.indexOf(part));
  t.false(found.includes(-1), text);
  t.deepEqual(
    found,
    found.toSorted((a, b) => a - b),
  );
  t.is(text.lastIndexOf('\u001b[?25h') > text.lastIndexOf('\u001b[?25l'), true);
  t.false(text.includes('step 4  loss'));
});

test('a line of its own stands among the events, above the bar', (t) => {
  for (const isTTY of [false, true]) {
    const stream = Object.assign(new PassThrough(), {isTTY, columns: 120});
    const progress = createProgress(stream, {color: false});
    progress.show(start);
    progress.say('saving');
    progress.stop();
    const text = String(stream.read());
    t.true(text.includes('saving\n'));
    const [first, said, last] = ['0/400', 'saving\n', '0/400'].map((part, index) =>
      index === 2 ? text.lastIndexOf(part) : text.indexOf(part),
    );
    t.deepEqual(
      [first, last].map((at) => Math.sign(at! - said!)),
      isTTY ? [-1, 1] : [-1, -1],
    ); // -1 is also: not there
  }
});

test('stopping twice, or before the start, does nothing', (t) => {
  const stream = Object.assign(new PassThrough(), {isTTY: true, columns: 80});
  const progress = createProgress(stream, {color: false});
  progress.stop();
  progress.stop();
  t.is(stream.read(), null);
});

test('colours come only where they are asked for', (t) => {
  const events = [start, ...others];
  const plain = shown(events, {isTTY: false});
  const colored = shown(events, {isTTY: false, color: true});
  t.false(plain.includes('\u001b'));
  t.is(stripVTControlCharacters(colored), plain);
  t.not(colored, plain);
  t.is(createPaint(true).red('x'), '\u001b[31mx\u001b[39m');
});

test.serial('a stream has colours when it is a terminal and NO_COLOR is not set', (t) => {
  const before = {...process.env};
  t.teardown(() => {
    process.env = before;
  });
  process.env = {TERM: 'xterm'};
  t.true(hasColor({isTTY: true}));
  t.false(hasColor({isTTY: false}));
  t.false(hasColor({}));
  process.env = {TERM: 'xterm', NO_COLOR: '1'};
  t.false(hasColor({isTTY: true}));
  process.env = {TERM: 'dumb'};
  t.false(hasColor({isTTY: true}));
});

test('a run with one evaluation has no change of scores to tell', (t) => {
  const summary = summarizeRun();
  for (const event of [step(1, {next: 9}), evaluation(2, 5, 0.1)]) summary.note(event);
  t.deepEqual(summary.lines(), ['            start     end', 'loss next  9.0000  9.0000']);
});

test('the summary sets each score at the end against its start', (t) => {
  const summary = summarizeRun();
  t.deepEqual(summary.lines(), []);
  const events = [
    start,
    evaluation(0, 8, 0),
    step(1, {next: 9}),
    evaluation(2, 5, 0.1),
    evaluation(40, 3, 0.5),
  ];
  for (const event of events) summary.note(event);
  for (let number = 2; number <= 40; number++) summary.note(step(number, {next: 45 - number}));
  t.deepEqual(summary.lines(), [
    '                                             start     end',
    'loss next                                   9.0000  9.5000',
    'bits per byte, mean over languages          8.5000  3.5000',
    'LAC (crossmap definition), mean over pairs  0.0000  0.5000',
    'retrieval P@1, mean over pairs and layers   0.0000  0.3750',
  ]);
});

/** All that is written for the stages of a preparation. */
function preparing(isTTY: boolean): string {
  const stream = Object.assign(new PassThrough(), {isTTY, columns: 120});
  const view = createDataProgress(stream);
  for (const stage of ['scan', 'encode'] as const) for (const done of [0, 0.5, 1]) view.show({stage, done});
  view.stop();
  return String(stream.read() ?? '');
}

test('outside a terminal each stage of the data is a line', (t) => {
  t.is(preparing(false), 'reading the corpora\nencoding the text\n');
});

test('in a terminal each stage of the data is a bar, which goes, and the cursor comes back', (t) => {
  const text = preparing(true);
  for (const part of [
    'reading the corpora    ░',
    'reading the corpora    █',
    ' 100 %',
    'encoding the text      ░',
  ])
    t.true(text.includes(part), part);
  t.true(text.lastIndexOf('\u001B[?25h') > text.lastIndexOf('\u001B[?25l'));
});
