/** `crossmap train --profile`. */
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type TestFn} from 'ava';
import {tinyYaml, writeCorpus} from '../train/tiny-run.js';
import {crossmap} from './crossmap.js';

interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly cat?: string;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
}

interface Trace {
  readonly traceEvents: readonly TraceEvent[];
  readonly otherData: Readonly<Record<string, unknown>>;
}

const test = anyTest as TestFn<{readonly folder: string}>;

test.beforeEach(async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'crossmap-profile-'));
  await writeCorpus(folder);
  await writeFile(join(folder, 'tiny.yaml'), tinyYaml);
  t.context = {folder};
});

test.afterEach.always(async (t) => rm(t.context.folder, {recursive: true, force: true}));

async function readTrace(folder: string): Promise<Trace> {
  return JSON.parse(await readFile(join(folder, 'trace.json'), 'utf8')) as Trace;
}

test('a trace of the steps asked for, with the host, the executor and the passes, and a table', async (t) => {
  const {folder: cwd} = t.context;
  const args = ['train', 'tiny.yaml', '--profile', 'trace.json', '--profile-steps', '5-6'];
  const {code, stdout, stderr} = await crossmap(args, {cwd});
  t.deepEqual([stderr, code], ['', 0]);
  for (const line of [
    /^profile of 2 steps \(5-6\): [\d.]+ s each$/m,
    /^op +in +share +ms a step +tasks a step +GFLOP\/s +tensors$/m,
    /^matmul +backward +[\d.]+ % .* \d/m,
    /^attention +forward +[\d.]+ % /m,
    /^idle +-?[\d.]+ % /m,
    /^While it worked the executor had a core for \d+ % of the time\.$/m,
    /^trace: trace\.json$/m,
  ])
    t.regex(stdout, line);

  const {traceEvents, otherData} = await readTrace(cwd);
  t.like(otherData, {device: 'cpu', steps: '5-6', droppedEvents: 0});
  const complete = traceEvents.filter(({ph}) => ph === 'X');
  const spans = complete.filter(({cat}) => cat?.startsWith('span'));
  const named = (name: string): TraceEvent[] => spans.filter((each) => each.name === name);
  t.deepEqual(
    spans.filter(({name}) => name.startsWith('step')).map(({name}) => name),
    ['step 5', 'step 6'],
  );
  // Two micro-batches a step; each step takes the data of the next.
  for (const [name, count] of Object.entries({
    data: 2,
    compute: 2,
    forward: 4,
    backward: 4,
    wait: 2,
    optimizer: 2,
    checkpoint: 1,
  }))
    t.is(named(name).length, count, name);
  const [step] = named('step 5');
  const inside = named('forward').filter(({ts, dur}) => ts >= step!.ts && ts + dur <= step!.ts + step!.dur);
  t.is(inside.length, 2);
  const backwardTasks = complete.filter(({cat}) => cat === 'task,backward');
  t.true(backwardTasks.some(({name}) => name === 'attentionBackward'));
  t.true(backwardTasks.every(({tid}) => tid === 1));
});

test('without steps the five after the third are recorded; a continuation counts its own', async (t) => {
  const {folder: cwd} = t.context;
  const run = async (steps: number) =>
    crossmap(
      ['train', 'tiny.yaml', '--profile', 'trace.json', '--set', `training.steps=${steps}`, '--json'],
      {cwd},
    );
  const first = await run(9);
  t.regex(first.stderr, /^profile of 5 steps \(4-8\)/m);
  t.is((await readTrace(cwd)).otherData['steps'], '4-8');
  t.notThrows(() =>
    first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  );
  t.regex((await run(16)).stderr, /^profile of 4 steps \(13-16\)/m);
  t.regex((await run(16)).stderr, /^no trace: step 16 was not run$/m);
  t.deepEqual(
    (await readdir(cwd)).filter((name) => name.includes('trace')),
    ['trace.json'],
  );
  t.is((await readTrace(cwd)).otherData['steps'], '13-16');
});

test('a file that cannot be written and steps beyond the run are told before anything is read', async (t) => {
  const {folder: cwd} = t.context;
  await mkdir(join(cwd, 'folder'));
  for (const [options, message] of [
    [['--profile', 'none/trace.json'], /^error ERR_IO: cannot write none\/trace\.json: ENOENT/],
    [['--profile', 'folder'], /^error ERR_IO: cannot write folder: a folder stands there/],
    [
      ['--profile', 'trace.json', '--profile-steps', '10-13'],
      /^error ERR_ARGUMENT: --profile-steps must lie within the 12 steps of the run \(training\.steps\); got 10-13/,
    ],
    [['--profile-steps', '2'], /^error ERR_ARGUMENT: --profile-steps needs --profile, which names the file/],
    [['--profile', 'trace.json', '--profile-steps', '0'], /It must be a step or a range of steps, from 1 on/],
    [
      ['--profile', 'trace.json', '--profile-steps', '5-3'],
      /It must be a step or a range of steps, from 1 on/,
    ],
  ] as const) {
    const {code, stdout, stderr} = await crossmap(['train', 'tiny.yaml', ...options], {cwd});
    t.is(code, stderr.startsWith('error ERR_ARGUMENT: option ') ? 2 : 1); // 2: the command line itself is wrong
    t.is(stdout, '');
    t.regex(stderr, message);
  }
  t.false(existsSync(join(cwd, 'runs')));
  t.deepEqual(
    (await readdir(cwd)).filter((name) => name.includes('trace')),
    [],
  );
});

test('steps that a continuation has behind it are refused, and no trace is left', async (t) => {
  const {folder: cwd} = t.context;
  await crossmap(['train', 'tiny.yaml', '--set', 'training.steps=6'], {cwd});
  const args = ['train', 'tiny.yaml', '--profile', 'trace.json', '--profile-steps', '4-8'];
  const {code, stderr} = await crossmap(args, {cwd});
  t.is(code, 1);
  t.regex(
    stderr,
    /^error ERR_ARGUMENT: --profile-steps must lie in what is left of the run, which goes on after step 6; got 4-8/m,
  );
  t.deepEqual(
    (await readdir(cwd)).filter((name) => name.includes('trace')),
    [],
  );
});
