import test from 'ava';
import {findings, loadScript, type Check} from './support.js';

const {checkIncludeCycles} = await loadScript<{checkIncludeCycles: Check}>('scripts/lint/cycles.mjs');

test('headers that include each other in a circle are found once, with the way', (t) => {
  const files = {
    'native/runtime/a.h': '#pragma once\n#include <vector>\n#include "runtime/b.h"\n',
    'native/runtime/b.h': '#pragma once\n#include "runtime/c.h"\n',
    'native/runtime/c.h': '#pragma once\n#include "runtime/a.h"\n',
  };
  t.deepEqual(findings(checkIncludeCycles, files), [
    'native/runtime/c.h:2 native/runtime/a.h -> native/runtime/b.h -> native/runtime/c.h -> native/runtime/a.h',
  ]);
});

test('a header that is reached on two ways is no circle', (t) => {
  const files = {
    'native/runtime/a.h': '#include "runtime/b.h"\n#include "runtime/c.h"\n',
    'native/runtime/b.h': '#include "runtime/d.h"\n',
    'native/runtime/c.h': '#include "runtime/d.h"\n',
    'native/runtime/d.h': '',
  };
  t.deepEqual(findings(checkIncludeCycles, files), []);
});
