/** The emulator: each mistake is reported, by name and place, and none is reported that was not made. */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {root} from '../repository/support.js';
import {brokenKernels} from '../support/broken-kernels.js';
import {asFloats, runSimt, simtCases} from '../support/simt-test.js';

const place = String.raw`block \(\d+,\d+,\d+\) thread \(\d+,\d+,\d+\): `;

for (const {name, caughtBy, hasAddress} of brokenKernels)
  test(`${name} is reported as ${caughtBy}, with kernel, block, thread and place`, (t) => {
    const run = runSimt(name);
    t.not(run.status, 0);
    t.is(run.error, run.reports[0]!.text, 'the error of the device is the first report');
    const found = run.reports.find(({kind}) => kind === caughtBy);
    t.truthy(found, JSON.stringify(run.reports));
    t.regex(found!.text, new RegExp(`^${found!.kernel}: ${caughtBy}: ${place}`));
    t.regex(found!.text, hasAddress ? /0x[0-9a-f]+/ : /\.cu:\d+\)$/);
  });

const correctTwins = new Set(
  brokenKernels.map(({name, correct}) => correct ?? name.replace('/broken', '/correct')),
);
for (const name of correctTwins)
  test(`${name} is not reported, whatever the order of threads and blocks`, (t) => {
    const usual = runSimt(name);
    t.deepEqual(usual.reports, []);
    t.is(usual.status, 0);
    t.deepEqual(usual.leaks, []);
    for (const seed of [1, 2, 3, 4, 5]) {
      const run = runSimt(name, {settings: `seed=${seed},workers=2`});
      t.deepEqual(run.reports, []);
      t.deepEqual(run.output, usual.output);
    }
  });

test('each case that is broken is in the table', (t) => {
  const apart = ['leak/broken', 'missing-event-wait/broken']; // with tests of their own
  const listed = new Set([...brokenKernels.map(({name}) => name), ...apart]);
  t.deepEqual(
    simtCases().filter((name) => name.endsWith('/broken') && !listed.has(name)),
    [],
  );
});

test('a launch that fails a check computes nothing more: what it would have written is not there', (t) => {
  const {output} = runSimt('global-out-of-bounds/broken');
  t.true(output.every((word) => word === 0));
});

test('without checks nothing is reported', (t) => {
  t.deepEqual(runSimt('shared-race/broken', {settings: 'check=0'}).reports, []);
});

test('memory that is not released is counted', (t) => {
  t.deepEqual(runSimt('leak/broken').leaks, [1000]);
  t.deepEqual(runSimt('leak/correct').leaks, []);
});

// ---- streams

const doubledTwice = Array.from({length: 192}, (_, i) => 4 * i);

test('a stream that waits for the event of another sees its work, in every order', (t) => {
  for (let seed = 0; seed < 20; seed++)
    t.deepEqual(
      asFloats(runSimt('missing-event-wait/correct', {settings: `seed=${seed}`}).output),
      doubledTwice,
    );
});

test('a stream that forgets to wait computes wrong numbers under some seeds', (t) => {
  const wrong = Array.from({length: 20}, (_, seed) =>
    asFloats(runSimt('missing-event-wait/broken', {settings: `seed=${seed + 1}`}).output),
  ).filter((output) => output.some((value, i) => value !== doubledTwice[i]));
  t.true(wrong.length >= 3, `${wrong.length} of 20`);
  t.true(wrong.every((output) => output.every((value) => value === -2)));
});

test('a graph executes what was captured at each launch, and not before', (t) => {
  t.deepEqual(
    asFloats(runSimt('graph').output),
    Array.from({length: 192}, (_, i) => 8 * i),
  );
});

// ---- asynchronous copies under 100 seeds

test('a correct pipeline of asynchronous copies is right under 100 seeds', (t) => {
  const [reported, wrong] = runSimt('pipeline-seeds/correct').output;
  t.is(reported, 0);
  t.is(wrong, 0);
});

for (const mistake of ['weak-wait', 'no-barrier-before-reuse'])
  test(`a pipeline with ${mistake} is reported under each of 100 seeds`, (t) => {
    t.is(runSimt(`pipeline-seeds/${mistake}`).output[0], 100);
  });

test('without checks, a wait that is too weak computes wrong numbers', (t) => {
  const [, wrong] = runSimt('pipeline-seeds/weak-wait', {settings: 'check=0'}).output;
  t.true(wrong! >= 90, `${wrong} of 100`);
});

// ---- calls of the host, by the numbers of cudaError_t

test('after a report each call returns the error, and asking for it does not clear it', (t) => {
  const illegalAddress = 700;
  const [launched, ...later] = runSimt('host/after-report').output;
  t.is(launched, 0);
  t.deepEqual(
    later,
    later.map(() => illegalAddress),
  );
});

test('a call that is refused says why and leaves the device usable', (t) => {
  const [invalidValue, outOfMemory, invalidConfiguration] = [1, 2, 9];
  t.deepEqual(runSimt('host/refused').output, [
    invalidConfiguration,
    invalidConfiguration,
    outOfMemory,
    invalidValue,
    invalidValue,
    invalidValue,
    0,
    0,
  ]);
});

test('a copy that does not fit its allocation is reported when it is executed', (t) => {
  const {reports, output} = runSimt('host/copy-out-of-bounds');
  t.is(output[1], 700);
  t.regex(
    reports[0]!.text,
    /^cudaMemcpyAsync: global out of bounds: 256 bytes at 0x[0-9a-f]+ lie in no allocation$/,
  );
});

// ---- addresses

test('elements beyond 2^31 are reached, and only the pages that are touched take memory', (t) => {
  t.deepEqual(
    runSimt('beyond-31-bits').output,
    Array.from({length: 192}, (_, i) => i),
  );
});

// ---- documents

test('docs/emulator.md lists each mistake with what catches it', (t) => {
  const page = fs.readFileSync(path.join(root, 'docs/emulator.md'), 'utf8');
  const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  for (const {name, mistake, caughtBy} of brokenKernels)
    t.true(
      rows.some((row) => row[1] === mistake && row[2] === caughtBy && row[3] === `\`${name}\``),
      name,
    );
});
