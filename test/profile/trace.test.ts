/** The file that viewers open. */
import test from 'ava';
import {beginTrace, type ProfileEvent} from '../../lib/profile/index.js';

const tensors = (shape: readonly number[], count = 1) => ({
  listed: [{dtype: 'float32', shape} as const],
  count,
  bytes: 4 * shape.reduce((product, size) => product * size, 1) * count,
});

const call = {name: 'matmul', number: 3, inputs: tensors([2, 3], 2), outputs: tensors([2, 2])};

const events: readonly ProfileEvent[] = [
  {
    kind: 'call',
    name: 'matmul',
    thread: 0,
    beginUs: 10.5,
    durationUs: 2,
    coreUs: 1.5,
    within: 'backward',
    call,
  },
  {kind: 'share', name: 'matmul', thread: 2, beginUs: 14, durationUs: 1, coreUs: 1, within: 'backward', call},
  {kind: 'task', name: 'matmul', thread: 1, beginUs: 13, durationUs: 4, coreUs: 3, within: 'backward', call},
  {kind: 'span', name: 'step "1"', thread: 0, beginUs: 1, durationUs: 20, coreUs: 0, within: ''},
];

/** What a trace holds that got these events in pieces. */
async function written(...pieces: (readonly ProfileEvent[])[]): Promise<{
  traceEvents: Record<string, unknown>[];
  displayTimeUnit: string;
  otherData: Record<string, unknown>;
}> {
  let text = '';
  const trace = await beginTrace(async (piece) => {
    await Promise.resolve();
    text += piece;
  });
  for (const piece of pieces) await trace.add(piece);
  await trace.end({device: 'cpu', droppedEvents: 0});
  return JSON.parse(text) as Awaited<ReturnType<typeof written>>;
}

test('each event is a complete event with all that the format demands', async (t) => {
  const {traceEvents, displayTimeUnit, otherData} = await written(events.slice(0, 1), [], events.slice(1));
  t.is(displayTimeUnit, 'ms');
  t.deepEqual(otherData, {device: 'cpu', droppedEvents: 0});
  const args = {
    within: 'backward',
    op: 'matmul',
    call: 3,
    inputs: 'float32[2, 3] and 1 more',
    outputs: 'float32[2, 2]',
    inputBytes: 48,
    outputBytes: 16,
  };
  const shareArgs = {within: 'backward', op: 'matmul', call: 3};
  const common = {ph: 'X', pid: 1};
  t.deepEqual(
    traceEvents.filter(({ph}) => ph === 'X'),
    [
      {...common, name: 'matmul', cat: 'call,backward', tid: 0, ts: 10.5, dur: 2, tdur: 1.5, args},
      {...common, name: 'matmul', cat: 'share,backward', tid: 2, ts: 14, dur: 1, tdur: 1, args: shareArgs},
      {...common, name: 'matmul', cat: 'task,backward', tid: 1, ts: 13, dur: 4, tdur: 3, args},
      {...common, name: 'step "1"', cat: 'span', tid: 0, ts: 1, dur: 20, tdur: 0, args: {}},
    ],
  );
});

test('the process and each thread are named once', async (t) => {
  const {traceEvents} = await written(events, events);
  t.deepEqual(
    traceEvents
      .filter(({ph, name}) => ph === 'M' && name !== 'thread_sort_index')
      .map(({name, pid, tid, args}) => [name, pid, tid, (args as {name: string}).name]),
    [
      ['process_name', 1, 0, 'crossmap'],
      ['thread_name', 1, 0, 'TypeScript'],
      ['thread_name', 1, 2, 'pool thread 2'],
      ['thread_name', 1, 1, 'executor, pool thread 1'],
    ],
  );
  t.deepEqual(
    traceEvents.filter(({name}) => name === 'thread_sort_index').map(({tid, args}) => [tid, args]),
    [0, 2, 1].map((thread) => [thread, {sort_index: thread}]),
  );
});

test('a trace without events is a trace', async (t) => {
  const {traceEvents} = await written();
  t.is(traceEvents.length, 1);
});
