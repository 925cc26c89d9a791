import test from 'ava';
import {visibleOn} from '../../lib/cli/visible.js';

test('a terminal shows what it would obey; a file gets the text as it is', (t) => {
  const text = 'tab\tline\nred \u001b[31m, bell \u0007, C1 \u009b, turned \u202e, Příliš 中文';
  t.is(
    visibleOn({isTTY: true}, text),
    'tab\tline\nred \\u001b[31m, bell \\u0007, C1 \\u009b, turned \\u202e, Příliš 中文',
  );
  t.is(visibleOn({isTTY: false}, text), text);
  t.is(visibleOn({}, text), text);
});
