/** Disks, files and clocks that fail: an error with a code, nothing half-written, and a next start that goes on. */
import {execFileSync} from 'node:child_process';
import {appendFile, mkdir, readdir, rm, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {CrossmapError} from '../../lib/errors.js';
import {openCheckpoint} from '../../lib/train/checkpoint.js';
import {listCheckpoints} from '../../lib/train/checkpoint-list.js';
import {temporaryFolder} from '../formats/folder.js';
import {runModule} from '../support/module.js';
import {collect, tinyConfig, writeCorpus} from '../train/tiny-run.js';
import {requireSame, treeOf} from './kill/tree.js';

const set = [
  'training={steps: 24, tokensPerBatch: 320, accumulation: 2, learningRate: 5.0e-3, warmupSteps: 2, checkpointEvery: 4}',
  'evaluation={every: 1000, atStart: false, pairs: 0, samples: 0, textTokens: 64}',
];

/** Tests that mount a file system need root and, in a container, its leave. */
const testMounted = canMount() ? test.serial : test.serial.skip;

function canMount(): boolean {
  try {
    const folder = execFileSync('mktemp', ['-d'], {encoding: 'utf8'}).trim();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], {stdio: 'ignore'});
    execFileSync('umount', [folder]);
    execFileSync('rmdir', [folder]);
    return true;
  } catch {
    return false;
  }
}

/** A disk of so many KiB; shards that are mapped keep it busy, so it goes lazily. */
async function mountDisk(t: ExecutionContext, folder: string, kib: number): Promise<string> {
  const disk = join(folder, 'disk');
  await mkdir(disk, {recursive: true});
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', disk]);
  t.teardown(() => void execFileSync('umount', ['-l', disk]));
  return disk;
}

function remount(disk: string, options: string): void {
  execFileSync('mount', ['-o', `remount,${options}`, disk]);
}

/** Names with `crossmap-tmp` or of locks and drafts, which a run may not leave. */
async function leftoversIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, {recursive: true});
  return names.filter((name) => name.includes('crossmap-tmp') || /(?:^|\/)\.?lock/.test(name));
}

async function checkpointSteps(output: string): Promise<number[]> {
  const listed = await listCheckpoints(join(output, 'checkpoints'));
  for (const {path} of listed) await openCheckpoint(path);
  return listed.map(({step}) => step);
}

// Room for parts of the data, for the data alone, for half a checkpoint, for one checkpoint, for two.
for (const kib of [40, 60, 100, 130, 250, 600, 900])
  testMounted(
    `a disk of ${kib} KiB that is full is ERR_IO, and the run goes on once there is room`,
    async (t) => {
      const folder = await temporaryFolder(t);
      await writeCorpus(folder);
      const disk = await mountDisk(t, folder, kib);
      const config = tinyConfig(folder, set, 'disk/run');
      const error = await t.throwsAsync<CrossmapError>(collect(config), {code: 'ERR_IO'});
      t.regex(error?.message ?? '', /ENOSPC/);
      t.deepEqual(await leftoversIn(disk), []);
      const steps = await checkpointSteps(config.output);
      remount(disk, 'size=64m');
      const events = await collect(config);
      t.like(events[0], {type: 'start', resumedFrom: steps.at(-1) ?? 0});
      t.like(events.at(-1), {type: 'end', reason: 'finished', step: 24});
      await rm(join(config.output, 'metrics.jsonl'));
      const got = await treeOf(config.output);
      await rm(config.output, {recursive: true});
      await collect(config);
      await rm(join(config.output, 'metrics.jsonl'));
      requireSame(got, await treeOf(config.output));
    },
  );

/** Trains in a process of its own, where its output becomes read-only behind the checkpoint of step 8; tells how it ended. */
const trainUntilReadOnly = (folder: string, disk: string): string => `
  import {execFileSync} from 'node:child_process';
  import {collect, tinyConfig} from '${new URL('../train/tiny-run.js', import.meta.url).href}';
  // The metrics are open, so the disk itself cannot become read-only: a mount over it can.
  const makeReadOnly = () => {
    execFileSync('mount', ['--bind', '${disk}', '${disk}']);
    execFileSync('mount', ['-o', 'remount,ro,bind', '${disk}']);
    return false;
  };
  const config = tinyConfig('${folder}', ${JSON.stringify(set)}, 'disk/run');
  const told = ({code, message}) => console.log(code, message);
  await collect(config, {}, ({type, step}) => type === 'checkpoint' && step === 8 && makeReadOnly()).catch(told);
  await collect(config).catch(told);`;

testMounted(
  'an output that becomes read-only while training is ERR_IO, with the last checkpoint kept',
  async (t) => {
    const folder = await temporaryFolder(t);
    await writeCorpus(folder);
    const disk = await mountDisk(t, folder, 64 * 1024);
    const {printed, errors} = await runModule(trainUntilReadOnly(folder, disk));
    t.is(errors, '');
    const [first, second] = printed.split('\n');
    t.regex(first ?? '', /^ERR_IO cannot write .*step-000012.*EROFS/);
    t.regex(second ?? '', /^ERR_IO cannot lock .*EROFS/);
    execFileSync('umount', ['-l', disk]);
    const config = tinyConfig(folder, set, 'disk/run');
    t.is((await checkpointSteps(config.output)).at(-1), 8);
    const events = await collect(config);
    t.like(events[0], {type: 'start', resumedFrom: 8});
    t.like(events.at(-1), {type: 'end', reason: 'finished'});
    t.deepEqual(await leftoversIn(disk), []);
  },
);

const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
  removed: (file) => rm(file),
  'cut short': (file) => truncate(file, 100),
  changed: (file) => appendFile(file, 'One more sentence stands here.\n'),
};

for (const [what, damage] of Object.entries(damages))
  test(`a corpus that is ${what} while training does not disturb the run`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeCorpus(folder);
    await collect(tinyConfig(folder, set, 'whole'));
    await writeCorpus(folder);
    const run = tinyConfig(folder, set);
    let damaged: Promise<void> | undefined;
    const events = await collect(run, {}, (event) => {
      if (event.type === 'step' && event.step === 5) damaged = damage(join(folder, 'en.txt'));
      return false;
    });
    await damaged;
    t.like(events.at(-1), {type: 'end', reason: 'finished', step: 24});
    const weights = async (output: string): Promise<Buffer | undefined> =>
      (await treeOf(join(folder, output, 'checkpoints'))).get('step-000024/model.safetensors');
    t.true((await weights('run'))?.equals((await weights('whole'))!));
  });

/** Stops a run behind step 8, damages its corpus, and starts it again. */
async function resumeAfter(t: ExecutionContext, damage: (file: string) => Promise<void>) {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  const config = tinyConfig(folder, set);
  const stop = new AbortController();
  await collect(config, {signal: stop.signal}, (event) => {
    if (event.type === 'step' && event.step === 8) stop.abort();
    return false;
  });
  await damage(join(folder, 'en.txt'));
  return {folder, config, steps: await checkpointSteps(config.output)};
}

test('a corpus that is gone before a run goes on is ERR_DATA with its name, and the run goes on when it is back', async (t) => {
  const {folder, config, steps} = await resumeAfter(t, (file) => rm(file));
  const error = await t.throwsAsync<CrossmapError>(collect(config), {code: 'ERR_DATA'});
  t.regex(error?.message ?? '', /en\.txt/);
  t.deepEqual(await checkpointSteps(config.output), steps);
  t.deepEqual(await leftoversIn(config.output), []);
  await writeCorpus(folder);
  const events = await collect(config);
  t.like(events[0], {type: 'start', resumedFrom: 8});
  t.like(events.at(-1), {type: 'end', reason: 'finished', step: 24});
});

test('a corpus that has changed before a run goes on is ERR_CHECKPOINT: its batches would be others', async (t) => {
  const {config, steps} = await resumeAfter(t, (file) => appendFile(file, '\n\nquiet dog sees old river.\n'));
  await t.throwsAsync(collect(config), {code: 'ERR_CHECKPOINT'});
  t.deepEqual(await checkpointSteps(config.output), steps);
});

test('prepared data that is cut short between two starts is ERR_FORMAT with its name', async (t) => {
  const {config} = await resumeAfter(t, () => Promise.resolve());
  await truncate(join(config.output, 'data', 'text.en.tokens'), 300);
  await t.throwsAsync(collect(config), {code: 'ERR_FORMAT', message: /text\.en\.tokens/});
});

/** Makes Date jump by an hour, back and forth, at each call; timers and performance.now() are the system's monotonic clock. */
const jumpingDate = `
  const RealDate = Date;
  let calls = 0;
  const jumped = () => RealDate.now() + (calls++ % 2 === 0 ? -3600e3 : 86400e3);
  globalThis.Date = class extends RealDate {
    constructor(...args) { args.length === 0 ? super(jumped()) : super(...args); }
    static now() { return jumped(); }
  };`;

test('a clock that jumps changes nothing of a run', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  await collect(tinyConfig(folder, set));
  const tree = await treeOf(join(folder, 'run', 'checkpoints'));
  await rm(join(folder, 'run'), {recursive: true});
  const script = new URL('../train/train-until-killed.js', import.meta.url).href;
  const clock = join(folder, 'clock.mjs');
  await writeFile(clock, jumpingDate);
  const {exitCode, errors} = await runModule(
    `process.argv.splice(1, 0, 'train'); process.argv.push(${[folder, ...set].map((each) => JSON.stringify(each)).join()}); await import(${JSON.stringify(script)});`,
    {flags: ['--import', clock]},
  );
  t.is(errors, '');
  t.is(exitCode, 0);
  requireSame(await treeOf(join(folder, 'run', 'checkpoints')), tree);
  t.deepEqual(await leftoversIn(join(folder, 'run')), []);
});
