/** Finding the NVIDIA driver: what is missing is told apart, against a stand-in for its library. */
import {mkdirSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {compile, programFolder, runProgram} from '../support/native-program.js';

const folder = programFolder();
const withDriver = path.join(folder, 'with');
const withOther = path.join(folder, 'other');
for (const each of [withDriver, withOther]) mkdirSync(each);
const program = compile(path.join(folder, 'driver'), [
  'test/runtime/driver-program.cc',
  'native/runtime/cuda/driver.cc',
  'native/runtime/cuda/shared-library.cc',
]);
compile(
  path.join(withDriver, 'libcuda.so.1'),
  ['test/runtime/fake-driver.cc'],
  ['-shared', '-fPIC', '-Wl,-soname,libcuda.so.1'],
);
compile(
  path.join(withOther, 'libcuda.so.1'),
  [
    'test/runtime/driver-program.cc',
    'native/runtime/cuda/driver.cc',
    'native/runtime/cuda/shared-library.cc',
  ],
  ['-shared', '-fPIC'],
);

const cases: readonly (readonly [title: string, fake: Readonly<Record<string, number>>, wanted: string[]])[] =
  [
    ['a driver with a GPU is usable', {FAKE_VERSION: 13010, FAKE_COUNT: 1}, ['13010']],
    ['a driver of the next major version is usable', {FAKE_VERSION: 14000, FAKE_COUNT: 2}, ['14000']],
    [
      'a driver of the version before is too old',
      {FAKE_VERSION: 12080, FAKE_COUNT: 1},
      ['12080', 'the NVIDIA driver is too old: it runs CUDA 12.8, and this build needs 13.0 or later'],
    ],
    [
      'a driver that counts no GPU has none',
      {FAKE_VERSION: 13000, FAKE_COUNT: 0},
      ['13000', 'the NVIDIA driver finds no GPU'],
    ],
    [
      'a driver that does not start for want of a GPU has none',
      {FAKE_VERSION: 13000, FAKE_INIT: 100},
      ['13000', 'the NVIDIA driver finds no GPU'],
    ],
    [
      'a driver that does not start says why',
      {FAKE_VERSION: 13000, FAKE_INIT: 803},
      [
        '13000',
        'the NVIDIA driver does not start: system has unsupported display driver / cuda driver combination',
      ],
    ],
    [
      'an error without a text is told by its number',
      {FAKE_VERSION: 13000, FAKE_INIT: 999},
      ['13000', 'the NVIDIA driver does not start: error 999'],
    ],
  ];

for (const [title, fake, wanted] of cases)
  test(title, (t) => {
    const env = Object.fromEntries(Object.entries(fake).map(([name, value]) => [name, String(value)]));
    t.deepEqual(runProgram(program, {env, libraryFolder: withDriver}), wanted);
  });

test('a library of that name that is no driver is none', (t) => {
  t.deepEqual(runProgram(program, {libraryFolder: withOther}), [
    '0',
    'libcuda.so.1 is no NVIDIA driver: functions are missing',
  ]);
});
