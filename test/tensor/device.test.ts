/** The device works beside JavaScript: order, faults, the event loop, threads, and the end of the process. */
import {Worker} from 'node:worker_threads';
import test from 'ava';
import {add, embedding, normal} from '../../lib/ops/index.js';
import {
  devices,
  full,
  memory,
  setThreads,
  synchronize,
  tensor,
  zeros,
  type Tensor,
} from '../../lib/tensor/index.js';
import {enqueueLongWork} from '../support/long-work.js';
import {aloneOnEachDevice} from '../support/memory.js';
import {runModule} from '../support/module.js';
import type {On} from '../support/ops.js';

/** Enqueues an op that will find a token id out of range. */
function enqueueFault({device}: On, id = 9): Tensor {
  return embedding(full([8, 2], 1, {device}), tensor([id], {dtype: 'int32', device}));
}

test('the CPU is a device', (t) => {
  t.true(devices().includes('cpu'));
});

test('an emulated GPU is no device that is preferred', (t) => {
  t.true(devices()[0] !== 'simt');
});

test('a device that is not here is refused by name', (t) => {
  t.throws(() => memory('tpu' as never), {
    code: 'ERR_DEVICE',
    message: /^device must be .*\bcpu\b.*; got tpu: this addon is built without it$/,
  });
});

for (const threads of [0, 1025, -1])
  test(`setThreads refuses ${threads} threads`, (t) => {
    t.throws(() => setThreads(threads), {
      code: 'ERR_ARGUMENT',
      message: `setThreads: threads must be from 1 to 1024; got ${threads}`,
    });
  });

test('setThreads refuses half a thread', (t) => {
  t.throws(() => setThreads(1.5), {
    code: 'ERR_ARGUMENT',
    message: 'setThreads: threads must be a whole number in range; got 1.5',
  });
});

aloneOnEachDevice('a fault is reported once, by the next synchronisation', async (t, on) => {
  enqueueFault(on);
  await t.throwsAsync(synchronize(on.device), {
    name: 'CrossmapError',
    code: 'ERR_INDEX',
    message: 'embedding: token id 9 at position 0 must be below 8',
  });
  await t.notThrowsAsync(synchronize(on.device));
});

aloneOnEachDevice('of several faults the first is reported', async (t, on) => {
  enqueueFault(on, 10);
  enqueueFault(on, 11);
  await t.throwsAsync(synchronize(on.device), {
    message: 'embedding: token id 10 at position 0 must be below 8',
  });
  await t.notThrowsAsync(synchronize(on.device));
});

aloneOnEachDevice('reading any tensor reports a fault before it, and its memory is sound', async (t, on) => {
  const before = full([2], 3, on);
  const faulty = enqueueFault(on);
  const after = add(before, before);
  await t.throwsAsync(after.data(), {code: 'ERR_INDEX'});
  t.deepEqual([...(await before.floats())], [3, 3]);
  t.deepEqual([...(await after.floats())], [6, 6]);
  t.deepEqual([...(await faulty.floats())], [0, 0]);
});

aloneOnEachDevice(
  'item and floats of another dtype report a fault, and free what they made',
  async (t, on) => {
    const one = full([1], 3, {dtype: 'bfloat16', device: on.device});
    const before = memory(on.device).allocatedBytes;
    using least = full([1], 0, on);
    const {allocatedBytes} = memory(on.device);
    enqueueFault(on).dispose();
    await t.throwsAsync(one.item(), {code: 'ERR_INDEX'});
    enqueueFault(on).dispose();
    await t.throwsAsync(one.floats(), {code: 'ERR_INDEX'});
    t.is(await one.item(), 3);
    t.false(least.isDisposed);
    t.true(
      memory(on.device).allocatedBytes <= allocatedBytes + 4 * (allocatedBytes - before),
      'what the faulty ops took their arguments from, at most',
    );
  },
);

aloneOnEachDevice('the event loop turns while ops run', async (t, on) => {
  let order = await orderBesideWork(on, 8);
  // This process may have waited for a core for longer than the work took.
  if (order.at(-1) !== 'done') order = await orderBesideWork(on, 128);
  t.deepEqual(order, ['enqueued', 'turn', 'turn', 'turn', 'timer', 'done']);
});

async function orderBesideWork(on: On, rounds: number): Promise<string[]> {
  const order: string[] = [];
  const note = (event: string): void => void order.push(event);
  enqueueLongWork(on.device, rounds);
  const done = synchronize(on.device).then(() => note('done'));
  note('enqueued');
  for (let turn = 0; turn < 3; turn++) {
    await new Promise(setImmediate);
    note('turn');
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
  note('timer');
  await done;
  return order;
}

aloneOnEachDevice('ops run in the order in which they were called', async (t, on) => {
  const x = zeros([1000], on);
  const one = full([1000], 1, on);
  for (let round = 0; round < 200; round++) {
    const next = add(x, one);
    x.copyFrom(next);
    next.dispose();
  }
  t.deepEqual(await x.floats(), new Float32Array(1000).fill(200));
});

test.serial('the number of threads may change between ops', async (t) => {
  const results = [1, 3, 2].map((threads) => {
    setThreads(threads);
    return normal([100_000], {seed: 1});
  });
  const [first, ...others] = await Promise.all(results.map((each) => each.data()));
  for (const other of others) t.deepEqual(other, first);
});

/** A worker thread that runs `code` with the library; its `done(value)` ends it. */
async function inWorker(code: string): Promise<unknown> {
  const library = new URL('../../lib/', import.meta.url).href;
  const worker = new Worker(
    `const {parentPort} = require('node:worker_threads');
     const done = (value) => parentPort.postMessage(value);
     (async () => {
       const {full, tensor, synchronize, memory} = await import('${library}tensor/index.js');
       const {add, normal, embedding} = await import('${library}ops/index.js');
       ${code}
     })().catch((error) => done(String(error)));`,
    {eval: true},
  );
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test.serial('a worker thread has a device of its own, with its own memory and faults', async (t) => {
  const {allocatedBytes} = memory();
  const result = await inWorker(
    `const before = memory().allocatedBytes;
     const x = full([2 ** 18], 2);
     embedding(full([8, 2], 1), tensor([9], {dtype: 'int32'})).dispose();
     const y = add(x, x);
     const fault = await synchronize().catch(({code}) => code);
     done([before, memory().allocatedBytes >= 2 ** 21, fault, (await y.floats())[7]]);`,
  );
  t.deepEqual(result, [0, true, 'ERR_INDEX', 4]);
  t.true(memory().allocatedBytes <= allocatedBytes, 'garbage of tests before may go');
  await t.notThrowsAsync(synchronize());
});

test.serial('worker threads and the main thread compute at the same time', async (t) => {
  const workers = [1, 2].map((seed) => inWorker(`done(await normal([200_000], {seed: ${seed}}).data());`));
  const own = await normal([200_000], {seed: 1}).data();
  const [first, second] = await Promise.all(workers);
  t.deepEqual(first, own);
  t.notDeepEqual(second, own);
});

const endings: readonly (readonly [title: string, code: string])[] = [
  ['amid ops', 'for (let round = 0; round < 20; round++) void normal([2 ** 21], {seed: round}).data();'],
  ['amid calls', 'for (;;) full([100], 1).dispose();'],
  ['amid promises', 'for (;;) await full([100], 1).data();'],
  ['amid errors', 'for (;;) try { tensor([1], {shape: [3]}); } catch {}'],
];

for (const [title, code] of endings)
  test.serial(`a worker thread that is terminated ${title} leaves the main thread alone`, async (t) => {
    const ended = await runModule(
      `import {Worker} from 'node:worker_threads';
       import {full} from 'lib/tensor/index.js';
       const library = new URL('lib/tensor/index.js').href;
       for (let round = 0; round < 5; round++) {
         const worker = new Worker(
           \`Promise.all([import('\${library}'), import('\${library.replace('tensor', 'ops')}')])
             .then(async ([{full, tensor}, {normal}]) => {
               require('node:worker_threads').parentPort.postMessage('begun');
               ${code}
             });\`,
           {eval: true, execArgv: []},
         );
         await new Promise((resolve) => worker.once('message', resolve));
         for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
         await worker.terminate();
       }
       console.log(await full([], 4).item());`,
    );
    t.deepEqual(ended, {exitCode: 0, printed: '4', errors: ''});
  });

const longWork = `
  import {normal, embedding} from 'lib/ops/index.js';
  import {full, synchronize, tensor, zeros} from 'lib/tensor/index.js';
  const made = Array.from({length: 20}, (_, seed) => normal([2 ** 21], {seed}));`;

test('a process that waits for nothing ends at once, amid work', async (t) => {
  t.deepEqual(await runModule(`${longWork} console.log('end');`), {exitCode: 0, printed: 'end', errors: ''});
});

test('a process that waits for a tensor lives until it is there', async (t) => {
  const {exitCode, printed} = await runModule(
    `${longWork} void made[3].data().then(({length}) => console.log(length));`,
  );
  t.deepEqual([exitCode, printed], [0, String(2 ** 21)]);
});

test('process.exit amid work ends with its code', async (t) => {
  const code = `${longWork} void made[19].data(); process.exit(7);`;
  t.deepEqual(await runModule(code), {exitCode: 7, printed: '', errors: ''});
});

test('an error amid work ends the process with its message', async (t) => {
  const {exitCode, errors} = await runModule(
    `${longWork} void made[19].data(); throw new Error('stop here');`,
  );
  t.is(exitCode, 1);
  t.regex(errors, /Error: stop here/);
});

test('an array that was taken over outlives the end of the process', async (t) => {
  const code = `${longWork} tensor(new Float32Array(2 ** 20), {transfer: true}).dispose(); tensor(new Float32Array(5), {transfer: true});`;
  t.deepEqual(await runModule(code), {exitCode: 0, printed: '', errors: ''});
});

test('a fault that nobody waits for does not end the process', async (t) => {
  const code = `${longWork} embedding(zeros([1, 1]), tensor([5], {dtype: 'int32'})); console.log('end');`;
  t.deepEqual(await runModule(code), {exitCode: 0, printed: 'end', errors: ''});
});
