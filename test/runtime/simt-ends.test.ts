/** Launches of which only the first and the last blocks are executed: what is computed, counted and reported. */
import test from 'ava';
import {asFloats, runSimt} from '../support/simt-test.js';

function run(settings: string) {
  const {output, reports, counters} = runSimt('ends', {settings: `profile=1,${settings}`});
  const values = asFloats(output);
  return {numbers: values.slice(0, 10), sums: values.slice(10), reports, counters};
}

test('all blocks of a launch are executed unless some are left out', (t) => {
  for (const settings of ['', 'blocks=0', 'blocks=5', 'blocks=9']) {
    const {numbers, sums, counters} = run(settings);
    t.deepEqual(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    t.deepEqual(sums, [3, 5, 7, 9, 11, 13, 15, 17, 19, 11]);
    t.true(counters.every(({blocks, blocksLeftOut}) => blocks === 10 && blocksLeftOut === 0));
  }
});

test('the first and the last blocks of a launch are executed, and the profile counts the others', (t) => {
  for (const order of ['seed=0', 'seed=1', 'seed=2,workers=2']) {
    const {numbers, counters} = run(`blocks=3,${order}`);
    t.deepEqual(numbers, [1, 2, 3, 0, 0, 0, 0, 8, 9, 10]);
    t.is(counters.length, 2);
    t.true(counters.every(({blocks, blocksLeftOut}) => blocks === 6 && blocksLeftOut === 4));
  }
});

test('the first and the last blocks are those of the first axis, for each place on the others', (t) => {
  const {output} = runSimt('ends/of-axis', {settings: 'blocks=1'});
  t.deepEqual(asFloats(output), [1, 0, 0, 0, 5, 6, 0, 0, 0, 10, 11, 0, 0, 0, 15, 16, 0, 0, 0, 20]);
});

test('a range of launches can be left out', (t) => {
  const [before, ...sum] = runSimt('ends/launches').output;
  t.is(before, 3);
  t.deepEqual(asFloats(sum), [1001]);
});

test('what a block that was left out would have written reads as 0, and is no uninitialised memory', (t) => {
  const {sums, reports} = run('blocks=2');
  t.deepEqual(sums, [3, 2, 0, 0, 0, 0, 0, 0, 19, 11]);
  t.deepEqual(reports, []);
});

test('an access past the end of a tensor is reported where blocks are left out too', (t) => {
  const {reports} = runSimt('global-out-of-bounds/broken', {settings: 'blocks=1'});
  t.true(reports.some(({kind}) => kind === 'global out of bounds'));
});
