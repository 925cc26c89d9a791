/** What is recorded of threads, calls, tasks and spans. */
import test from 'ava';
import {backward, requireGradient} from '../../lib/autograd/index.js';
import {native} from '../../lib/native.js';
import {add, matmul, normal, rmsNorm} from '../../lib/ops/index.js';
import {
  asyncSpan,
  createOpTimes,
  pendingEvents,
  span,
  startProfile,
  stopProfile,
  takeEvents,
  type Profile,
  type ProfileEvent,
} from '../../lib/profile/index.js';
import {devices, full, setThreads, synchronize, type Device} from '../../lib/tensor/index.js';
import {runModule} from '../support/module.js';

/** All that `work` has done, waited for. Tests of this file take turns: a process records once at a time. */
async function profiled(
  work: () => unknown,
  {device = 'cpu', ...options}: {readonly device?: Device; readonly limit?: number} = {},
): Promise<Profile> {
  await synchronize(device);
  startProfile(options);
  try {
    await work();
    await synchronize(device);
  } catch (error) {
    stopProfile();
    throw error;
  }
  return stopProfile();
}

function ofKind(events: readonly ProfileEvent[], kind: ProfileEvent['kind'], name?: string): ProfileEvent[] {
  return events.filter((event) => event.kind === kind && (name === undefined || event.name === name));
}

const endOf = ({beginUs, durationUs}: ProfileEvent): number => beginUs + durationUs;

// Times are whole nanoseconds, which microseconds in float64 do not hold exactly.
const slackUs = 1e-3;

function contains(outer: ProfileEvent, inner: ProfileEvent): boolean {
  return inner.beginUs >= outer.beginUs - slackUs && endOf(inner) <= endOf(outer) + slackUs;
}

test.serial('nothing is recorded while no recording is under way', async (t) => {
  const {events} = await profiled(() => undefined);
  t.deepEqual(ofKind(events, 'call'), []);
  span('outside', () => full([3], 1));
  await asyncSpan('outside', async () => synchronize());
  t.is(pendingEvents(), 0);
  t.deepEqual(takeEvents().events, []);
});

test.serial('a task that the start or the stop falls into is left out', async (t) => {
  startProfile();
  await beginLongTask();
  stopProfile();
  await synchronize();
  t.is(pendingEvents(), 0);
  startProfile();
  await beginLongTask();
  stopProfile();
  startProfile();
  await synchronize();
  const {events} = stopProfile();
  t.true(events.every(({beginUs}) => beginUs >= 0));
});

/** A task that runs for some milliseconds more. */
async function beginLongTask(): Promise<void> {
  normal([2 ** 23], {seed: 1}).dispose();
  await new Promise((resolve) => setTimeout(resolve, 2));
}

test.serial('a call and its task name the op, its tensors and their bytes', async (t) => {
  const [x, weight] = [normal([6, 32], {seed: 1}), full([32], 1)];
  const {events, dropped} = await profiled(() => rmsNorm(x, weight));
  const [call] = ofKind(events, 'call', 'rmsNorm');
  const [task] = ofKind(events, 'task', 'rmsNorm');
  t.is(dropped, 0);
  t.is(call?.thread, 0);
  t.is(task?.thread, 1);
  for (const event of [call, task])
    t.deepEqual(event?.call, {
      name: 'rmsNorm',
      number: 1,
      inputs: {
        listed: [
          {dtype: 'float32', shape: [6, 32]},
          {dtype: 'float32', shape: [32]},
        ],
        count: 2,
        bytes: 4 * (6 * 32 + 32),
      },
      outputs: {
        listed: [
          {dtype: 'float32', shape: [6, 32]},
          {dtype: 'float32', shape: [6]},
        ],
        count: 2,
        bytes: 4 * (6 * 32 + 6),
      },
    });
  t.true(task!.beginUs >= call!.beginUs);
});

test.serial('tensors in lists and options are seen, the first 16 with their shapes', async (t) => {
  const gradients = Array.from({length: 20}, (_, index) => full([index + 1], 1));
  const handles = gradients.map((each) => each.native);
  const {events} = await profiled(() => native.globalNorm(handles).dispose());
  const [task] = ofKind(events, 'task', 'globalNorm');
  t.is(task?.call?.inputs.listed.length, 16);
  t.is(task?.call?.inputs.count, 20);
  t.is(task?.call?.inputs.bytes, (4 * 20 * 21) / 2);
});

test.serial('tasks of the executor follow each other in the order of their calls', async (t) => {
  const x = full([64, 64], 1);
  const {events, durationUs} = await profiled(() => {
    for (let n = 0; n < 20; n++) matmul(x, x);
  });
  const tasks = ofKind(events, 'task', 'matmul');
  t.deepEqual(
    tasks.map(({call}) => call?.number),
    Array.from({length: 20}, (_, n) => n + 1),
  );
  for (const [index, task] of tasks.entries())
    t.true(index === 0 || task.beginUs >= endOf(tasks[index - 1]!) - slackUs);
  t.true(events.every((event) => event.beginUs >= 0 && event.durationUs >= 0 && event.beginUs <= durationUs));
});

test.serial('spans nest, and ops bear the name of the innermost', async (t) => {
  const x = full([4], 1);
  const {events} = await profiled(async () => {
    span('outer', () => {
      add(x, x);
      span('inner', () => add(x, x));
    });
    await asyncSpan('later', async () => {
      await synchronize();
      add(x, x);
    });
  });
  const [inner, outer, later] = ofKind(events, 'span');
  t.deepEqual(
    [inner, outer, later].map((each) => [each?.name, each?.within]),
    [
      ['inner', 'outer'],
      ['outer', ''],
      ['later', ''],
    ],
  );
  t.true(contains(outer!, inner!));
  t.true(later!.beginUs >= endOf(outer!) - slackUs);
  for (const kind of ['call', 'task'] as const)
    t.deepEqual(
      ofKind(events, kind)
        .filter(({call}) => call !== undefined)
        .map(({within}) => within),
      ['outer', 'inner', 'later'],
    );
  for (const call of ofKind(events, 'call', 'binary').slice(0, 2)) t.true(contains(outer!, call));
});

test.serial('a span ends where its work throws, and at the stop', (t) => {
  startProfile();
  t.throws(
    () =>
      span('fails', () => {
        throw new Error('on purpose');
      }),
    {message: 'on purpose'},
  );
  let leave = (): void => undefined;
  const never = asyncSpan(
    'open',
    async () =>
      new Promise<void>((resolve) => {
        leave = resolve;
      }),
  );
  const {events} = stopProfile();
  leave();
  t.deepEqual(
    ofKind(events, 'span').map(({name}) => name),
    ['fails', 'open'],
  );
  return never;
});

test.serial('ops of the backward pass are told from those of the forward pass', async (t) => {
  const [a, b] = [1, 2].map((seed) => requireGradient(normal([8, 8], {seed})));
  const {events} = await profiled(() => {
    const product = matmul(a!, b!);
    backward(product, full([8, 8], 1));
  });
  t.deepEqual(
    ofKind(events, 'task', 'matmul').map(({within}) => within),
    ['', 'backward', 'backward'],
  );
});

test.serial('events beyond the limit are dropped and counted; a new start forgets them', async (t) => {
  const work = (): void => {
    for (let n = 0; n < 10; n++) full([3], n);
  };
  const {events, dropped} = await profiled(work, {limit: 4});
  t.is(events.length, 4);
  t.true(dropped >= 2 * 10 - 4); // and the wait's own task, if it has ended
  t.is((await profiled(work)).dropped, 0);
});

test.serial('events are taken once, and make room', async (t) => {
  await synchronize();
  startProfile({limit: 5});
  full([3], 1);
  await synchronize();
  const first = takeEvents();
  t.is(pendingEvents(), 0);
  full([3], 1);
  await synchronize();
  const {events, dropped} = stopProfile();
  t.deepEqual([first.dropped, dropped], [0, 0]);
  t.deepEqual(
    [...ofKind(first.events, 'task', 'fill'), ...ofKind(events, 'task', 'fill')].map(
      ({call}) => call?.number,
    ),
    [1, 2],
  );
});

test.serial('threads of the pool show their shares, each inside the task that it belongs to', async (t) => {
  const x = normal([512, 512], {seed: 1});
  const work = (): void => {
    for (let n = 0; n < 5; n++) matmul(x, x);
  };
  const {threads} = native.cpuInfo();
  try {
    setThreads(3);
    const {events} = await profiled(work);
    const tasks = ofKind(events, 'task', 'matmul');
    const shares = ofKind(events, 'share');
    t.true(shares.length > 0);
    for (const share of shares) {
      t.is(share.name, 'matmul');
      t.true([1, 2, 3].includes(share.thread));
      t.true(
        contains(
          tasks.find(({call}) => call?.number === share.call?.number)!,
          share,
        ),
      );
    }
    setThreads(1);
    t.deepEqual(ofKind((await profiled(work)).events, 'share'), []);
  } finally {
    setThreads(threads);
  }
});

for (const device of devices().filter((each) => each !== 'cpu'))
  test.serial(`${device} shows the calls, and no tasks`, async (t) => {
    const x = full([4], 1, {device});
    const {events} = await profiled(() => add(x, x), {device});
    t.deepEqual(
      events.map(({kind, name}) => [kind, name]),
      [['call', 'binary']],
    );
  });

test.serial('a second start, a stop without one and a limit of 0 are refused', (t) => {
  startProfile();
  t.throws(() => startProfile(), {
    code: 'ERR_ARGUMENT',
    message: 'profile: a recording is under way already',
  });
  stopProfile();
  t.throws(() => stopProfile(), {code: 'ERR_ARGUMENT', message: 'profile: no recording is under way'});
  t.throws(() => startProfile({limit: 0}), {
    code: 'ERR_ARGUMENT',
    message: 'profile: limit must be a number above 0; got 0',
  });
  t.is(pendingEvents(), 0);
});

test('worker threads record each their own', async (t) => {
  const {printed, errors} = await runModule(
    `import {Worker, isMainThread, parentPort} from 'node:worker_threads';
     import {once} from 'node:events';
     const library = new URL('.', import.meta.resolve('lib/profile/index.js')).href;
     const code = \`
       const {startProfile, stopProfile} = await import(\${JSON.stringify(library + 'index.js')});
       const {full, synchronize} = await import(\${JSON.stringify(library + '../tensor/index.js')});
       const {parentPort} = await import('node:worker_threads');
       startProfile(); full([7], 1); await synchronize();
       parentPort.postMessage(stopProfile().events.map(({kind, call}) => kind + call?.outputs.listed[0].shape));
     \`;
     import {startProfile, stopProfile} from 'lib/profile/index.js';
     import {full, synchronize} from 'lib/tensor/index.js';
     startProfile(); full([5], 1);
     const [theirs] = await once(new Worker(new URL('data:text/javascript,' + encodeURIComponent(code))), 'message');
     await synchronize();
     const ours = stopProfile().events.map(({kind, call}) => kind + call?.outputs.listed[0].shape);
     const mine = (events) => events.filter((event) => /\\d/.test(event)).sort((a, b) => a < b ? -1 : 1);
     console.log(JSON.stringify([mine(ours), mine(theirs)]));
     process.exit();`,
  );
  t.is(errors, '');
  t.deepEqual(JSON.parse(printed), [
    ['call5', 'task5'],
    ['call7', 'task7'],
  ]);
});

test.serial('time is added up by task and span, with flops where shapes tell them', async (t) => {
  const [a, b, weight] = [full([3, 5], 1), full([5, 7], 1), full([5], 1)];
  const {events} = await profiled(() =>
    span('work', () => {
      matmul(a, b);
      matmul(b, a, {transposeA: true, transposeB: true});
      rmsNorm(a, weight);
    }),
  );
  const times = createOpTimes();
  times.add(events);
  const rows = times.rows();
  const of = (name: string) => rows.find((row) => row.name === name);
  t.like(of('matmul'), {within: 'work', tasks: 2, flops: 2 * 2 * 3 * 5 * 7, bytes: 2 * 4 * (15 + 35 + 21)});
  t.like(of('rmsNorm'), {within: 'work', tasks: 1, bytes: 4 * (15 + 5 + 15 + 3)});
  t.is(of('rmsNorm')?.flops, undefined);
  const seconds = rows.map((row) => row.seconds);
  t.deepEqual(
    seconds,
    [...seconds].sort((x, y) => y - x),
  );
  t.true(rows.every(({coreSeconds, seconds: time}) => coreSeconds >= 0 && coreSeconds <= time + 1e-3));
});

test.serial('kernels that are left out are enqueued, checked and not run', async (t) => {
  const [into, from] = [full([4], 1), full([4], 2)];
  native.leaveOutKernels(true);
  try {
    native.accumulate(into.native, from.native);
    t.throws(() => add(into, full([3], 1)), {code: 'ERR_SHAPE'});
  } finally {
    native.leaveOutKernels(false);
  }
  t.deepEqual([...(await into.floats())], [1, 1, 1, 1]);
  native.accumulate(into.native, from.native);
  t.deepEqual([...(await into.floats())], [3, 3, 3, 3]);
});
