import {EventEmitter} from 'node:events';
import {CommanderError} from 'commander';
import test from 'ava';
import {CrossmapError} from '../../lib/errors.js';
import {catchInterrupts} from '../../lib/cli/interrupt.js';
import {errorLines, exitCodeOf} from '../../lib/cli/print-error.js';

const config = new CrossmapError('ERR_CONFIG', 'train.yaml:3: a\ntrain.yaml:4: b');
const unknownOption = new CommanderError(
  1,
  'commander.unknownOption',
  "error: unknown option '--sett'\n(Did you mean --set?)",
);

test('each mistake is one line with its code, and no stack', (t) => {
  t.deepEqual(errorLines(config, {debug: false}), [
    'error ERR_CONFIG: train.yaml:3: a',
    'error ERR_CONFIG: train.yaml:4: b',
  ]);
  t.deepEqual(errorLines(unknownOption, {debug: false}), [
    "error ERR_ARGUMENT: unknown option '--sett' (Did you mean --set?)",
  ]);
  t.deepEqual(errorLines(new TypeError('x is not\na function'), {debug: false}), [
    'error ERR_INTERNAL: TypeError: x is not (with --debug: where it arose)',
  ]);
  t.deepEqual(errorLines('thrown text', {debug: false}), [
    'error ERR_INTERNAL: thrown text (with --debug: where it arose)',
  ]);
});

test('help and version have been printed when they are thrown: there is nothing to tell', (t) => {
  for (const code of ['commander.helpDisplayed', 'commander.help', 'commander.version'])
    t.deepEqual(errorLines(new CommanderError(0, code, '(outputHelp)'), {debug: true}), []);
});

test('with debug the stacks of the error and of its causes follow', (t) => {
  const error = new CrossmapError('ERR_IO', 'no file', {cause: new RangeError('beneath')});
  const lines = errorLines(error, {debug: true});
  t.is(lines[0], 'error ERR_IO: no file');
  t.is(lines[1], 'CrossmapError: no file');
  t.true(lines.includes('RangeError: beneath'));
  t.true(lines.some((line) => /errors\.test\.[jt]s/.test(line)));
});

for (const [error, code] of [
  [config, 2],
  [unknownOption, 2],
  [new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), 0],
  [new CrossmapError('ERR_ABORTED', 'stopped'), 130],
  [new CrossmapError('ERR_IO', 'no file'), 1],
  [new TypeError('x'), 1],
  [undefined, 1],
] as const)
  test(`exit code ${code} stands for ${error}`, (t) => {
    t.is(exitCodeOf(error), code);
  });

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  test(`the first ${name} aborts, the second quits with ${code}`, (t) => {
    const source = new EventEmitter();
    const told: unknown[] = [];
    const interrupts = catchInterrupts(source, {
      onStop: (signal) => told.push(signal),
      onQuit: (exit) => told.push(exit),
    });
    t.is(interrupts.exitCode(), undefined);
    source.emit(name, name);
    t.true(interrupts.signal.aborted);
    t.like(interrupts.signal.reason, {code: 'ERR_ABORTED', message: `stopped by ${name}`});
    t.is(interrupts.exitCode(), code);
    source.emit('SIGINT', 'SIGINT');
    t.deepEqual(told, [name, code]);
    interrupts.dispose();
    t.is(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0);
  });
