/** Memory of the device: what is counted, kept, used again and given back. All serial: the counts are of the whole process. */
import test from 'ava';
import {add, normal} from '../../lib/ops/index.js';
import {
  emptyCache,
  full,
  memory,
  resetPeakMemory,
  synchronize,
  tensor,
  zeros,
} from '../../lib/tensor/index.js';
import {runModule} from '../support/module.js';

const megabyte = 2 ** 20;

/** Work of some hundred milliseconds, whose result nobody wants. */
function enqueueLongWork(): void {
  for (let round = 0; round < 4; round++) normal([2 ** 21], {seed: round}).dispose();
}

test.serial('memory counts the bytes of living tensors', (t) => {
  const before = memory().allocatedBytes;
  const made = zeros([megabyte]);
  t.is(memory().allocatedBytes - before, 4 * megabyte);
  const view = made.rows(0, 1);
  made.dispose();
  t.is(memory().allocatedBytes - before, 4 * megabyte, 'the view holds the memory');
  view.dispose();
  t.is(memory().allocatedBytes, before);
});

test.serial('what a tensor leaves is kept for the next one of its size', async (t) => {
  await synchronize();
  emptyCache();
  t.is(memory().cachedBytes, 0);
  zeros([megabyte]).dispose();
  t.is(memory().cachedBytes, 4 * megabyte);
  const again = zeros([megabyte]);
  t.is(memory().cachedBytes, 0);
  again.dispose();
  emptyCache();
  t.is(memory().cachedBytes, 0);
});

test.serial('the peak is the most bytes at one time since it was reset', (t) => {
  resetPeakMemory();
  const {peakBytes: before, allocatedBytes} = memory();
  t.is(before, allocatedBytes);
  const both = [zeros([megabyte]), zeros([megabyte])];
  for (const each of both) each.dispose();
  zeros([megabyte]).dispose();
  t.is(memory().peakBytes - before, 8 * megabyte);
  resetPeakMemory();
  t.is(memory().peakBytes, allocatedBytes);
});

test.serial('a loop that disposes of what it makes needs no more memory with time', async (t) => {
  const step = (): void => {
    const x = full([1000], 1);
    const y = add(x, x);
    x.dispose();
    y.dispose();
  };
  for (let round = 0; round < 10; round++) step();
  const {allocatedBytes, cachedBytes} = memory();
  for (let round = 0; round < 1000; round++) step();
  await synchronize();
  t.deepEqual([memory().allocatedBytes, memory().cachedBytes], [allocatedBytes, cachedBytes]);
});

test.serial('memory that is used again does not disturb the ops before', async (t) => {
  enqueueLongWork();
  const x = full([megabyte], 1);
  const y = add(x, x);
  x.dispose();
  const filled = full([megabyte], 5);
  const copied = tensor(new Float32Array(megabyte).fill(6));
  for (const [made, value] of [
    [y, 2],
    [filled, 5],
    [copied, 6],
  ] as const) {
    t.deepEqual(await made.floats(), new Float32Array(megabyte).fill(value));
    made.dispose();
  }
});

test.serial('an array that was taken over lives until the ops before its end have run', async (t) => {
  enqueueLongWork();
  const x = tensor(new Float32Array(megabyte).fill(3), {transfer: true});
  const y = add(x, x);
  x.dispose();
  t.deepEqual(await y.floats(), new Float32Array(megabyte).fill(6));
  y.dispose();
});

test.serial('more memory than there is gives ERR_OUT_OF_MEMORY, and nothing else changes', async (t) => {
  const before = memory().allocatedBytes;
  t.throws(() => zeros([2 ** 50]), {
    code: 'ERR_OUT_OF_MEMORY',
    message: /^cpu: 4503599627370496 bytes could not be allocated beside \d+ allocated and \d+ cached ones$/,
  });
  t.is(memory().allocatedBytes, before);
  const made = full([], 2);
  t.is(await made.item(), 2);
  made.dispose();
});

test.serial('the garbage collector frees tensors that nobody disposed of', async (t) => {
  const {printed} = await runModule(
    `import {memory, zeros} from 'lib/tensor/index.js';
     let made = Array.from({length: 16}, () => zeros([2 ** 20]));
     console.log(memory().allocatedBytes === 64 * 2 ** 20);
     made = undefined;
     for (let turn = 0; turn < 100 && memory().allocatedBytes > 0; turn++) {
       gc();
       await new Promise(setImmediate);
     }
     console.log(memory().allocatedBytes);`,
    {flags: ['--expose-gc']},
  );
  t.is(printed, 'true\n0');
});

test.serial('tensors that nobody disposes of do not pile up: V8 knows the memory behind them', async (t) => {
  const {printed} = await runModule(
    `import {memory, zeros} from 'lib/tensor/index.js';
     for (let round = 0; round < 400; round++) {
       zeros([2 ** 20]);
       await new Promise(setImmediate);
     }
     console.log(memory().peakBytes < 1000 * 2 ** 20);`,
  );
  t.is(printed, 'true', 'most of the 1600 MB were freed on the way');
});

test.serial('steps that take memory and give it back do not make V8 collect each time', async (t) => {
  const {printed} = await runModule(`
    import {constants, PerformanceObserver} from 'node:perf_hooks';
    import {setImmediate} from 'node:timers/promises';
    import {zeros} from 'lib/tensor/index.js';
    let collections = 0;
    const observer = new PerformanceObserver((list) => {
      for (const {detail} of list.getEntries())
        if (detail.kind !== constants.NODE_PERFORMANCE_GC_MINOR) collections++;
    });
    observer.observe({entryTypes: ['gc']});
    for (let step = 0; step < 60; step++) {
      zeros([2 ** 25]).dispose();
      await setImmediate();
    }
    console.log(collections);`);
  t.true(Number(printed) < 10, `${printed} collections in 60 steps`);
});
