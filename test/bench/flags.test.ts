/** What stands on the command line of a bench. */
import test from 'ava';
import {parseBenchFlags} from '../../bench/support/flags.js';

const defaults = {seconds: 3, samples: 7, threads: [1, 2]};

test('flags that are not given have their defaults', (t) => {
  t.deepEqual(parseBenchFlags([], defaults), {...defaults, out: undefined, text: ''});
  t.deepEqual(
    parseBenchFlags(
      ['--quick', '--threads', '4', '--samples=9', '--seconds', '0.5', '--out', 'f', '--case', 'x'],
      defaults,
    ),
    {seconds: 0.5, samples: 9, threads: [4], out: 'f', text: 'x'},
  );
});

for (const [flag, value, message] of [
  ['--threads', '1,0', '--threads must be whole numbers above 0, as in 1,2; got 1,0'],
  ['--threads', '', '--threads must be whole numbers above 0, as in 1,2; got '],
  ['--samples', '1.5', '--samples must be a whole number above 0; got 1.5'],
  ['--seconds', 'long', '--seconds must be a number above 0; got long'],
] as const)
  test(`${flag} ${value || 'without a value'} is refused`, (t) => {
    t.throws(() => parseBenchFlags([flag, value], defaults), {message});
  });

test('a flag that is not there is refused', (t) => {
  t.throws(() => parseBenchFlags(['--thread', '1'], defaults), {code: 'ERR_PARSE_ARGS_UNKNOWN_OPTION'});
});
