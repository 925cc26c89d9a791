/** Memory of the device: what is counted, kept, used again and given back. All serial: the counts are of the whole process. */
import test from 'ava';
import {add} from '../../lib/ops/index.js';
import {
  emptyCache,
  full,
  memory,
  resetPeakMemory,
  synchronize,
  tensor,
  zeros,
} from '../../lib/tensor/index.js';
import {enqueueLongWork} from '../support/long-work.js';
import {aloneOnEachDevice} from '../support/memory.js';
import {runModule} from '../support/module.js';

const megabyte = 2 ** 20;

aloneOnEachDevice('memory counts the bytes of living tensors', (t, on) => {
  const before = memory(on.device).allocatedBytes;
  const made = zeros([megabyte], on);
  t.is(memory(on.device).allocatedBytes - before, 4 * megabyte);
  const view = made.rows(0, 1);
  made.dispose();
  t.is(memory(on.device).allocatedBytes - before, 4 * megabyte, 'the view holds the memory');
  view.dispose();
  t.is(memory(on.device).allocatedBytes, before);
});

aloneOnEachDevice('what a tensor leaves is kept for the next one of its size', async (t, on) => {
  await synchronize(on.device);
  emptyCache(on.device);
  t.is(memory(on.device).cachedBytes, 0);
  zeros([megabyte], on).dispose();
  t.is(memory(on.device).cachedBytes, 4 * megabyte);
  const again = zeros([megabyte], on);
  t.is(memory(on.device).cachedBytes, 0);
  again.dispose();
  emptyCache(on.device);
  t.is(memory(on.device).cachedBytes, 0);
});

aloneOnEachDevice('the peak is the most bytes at one time since it was reset', (t, on) => {
  resetPeakMemory(on.device);
  const {peakBytes: before, allocatedBytes} = memory(on.device);
  t.is(before, allocatedBytes);
  const both = [zeros([megabyte], on), zeros([megabyte], on)];
  for (const each of both) each.dispose();
  zeros([megabyte], on).dispose();
  t.is(memory(on.device).peakBytes - before, 8 * megabyte);
  resetPeakMemory(on.device);
  t.is(memory(on.device).peakBytes, allocatedBytes);
});

aloneOnEachDevice('a loop that disposes of what it makes needs no more memory with time', async (t, on) => {
  const step = (): void => {
    const x = full([1000], 1, on);
    const y = add(x, x);
    x.dispose();
    y.dispose();
  };
  for (let round = 0; round < 10; round++) step();
  const {allocatedBytes, cachedBytes} = memory(on.device);
  for (let round = 0; round < 1000; round++) step();
  await synchronize(on.device);
  t.deepEqual(
    [memory(on.device).allocatedBytes, memory(on.device).cachedBytes],
    [allocatedBytes, cachedBytes],
  );
});

aloneOnEachDevice('memory that is used again does not disturb the ops before', async (t, on) => {
  // The emulated GPU takes a second for 2^16 elements.
  const elements = on.device === 'simt' ? 2 ** 16 : megabyte;
  enqueueLongWork(on.device, 4);
  const x = full([elements], 1, on);
  const y = add(x, x);
  x.dispose();
  const filled = full([elements], 5, on);
  const copied = tensor(new Float32Array(elements).fill(6), {device: on.device});
  for (const [made, value] of [
    [y, 2],
    [filled, 5],
    [copied, 6],
  ] as const) {
    t.deepEqual(await made.floats(), new Float32Array(elements).fill(value));
    made.dispose();
  }
});

test.serial('an array that was taken over lives until the ops before its end have run', async (t) => {
  enqueueLongWork('cpu', 4);
  const x = tensor(new Float32Array(megabyte).fill(3), {transfer: true});
  const y = add(x, x);
  x.dispose();
  t.deepEqual(await y.floats(), new Float32Array(megabyte).fill(6));
  y.dispose();
});

aloneOnEachDevice(
  'more memory than there is gives ERR_OUT_OF_MEMORY, and nothing else changes',
  async (t, on) => {
    const before = memory(on.device).allocatedBytes;
    t.throws(() => zeros([2 ** 50], on), {
      code: 'ERR_OUT_OF_MEMORY',
      message: new RegExp(
        `^${on.device}: 4503599627370496 bytes could not be allocated beside \\d+ allocated and \\d+ cached ones(; \\d+ of the device's \\d+ bytes are free)?$`,
      ),
    });
    t.is(memory(on.device).allocatedBytes, before);
    const made = full([], 2, on);
    t.is(await made.item(), 2);
    made.dispose();
  },
);

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
