import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {watch} from 'node:fs';
import {mkdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {openCheckpoint} from '../../lib/train/checkpoint.js';
import {findCheckpoint} from '../../lib/train/checkpoint-list.js';
import {temporaryFolder} from '../formats/folder.js';
import {collect, tinyConfig, writeCorpus} from './tiny-run.js';

const set = [
  'training.steps=20',
  'training.checkpointEvery=1',
  'evaluation={every: 1000, atStart: false, pairs: 0}',
];

/** Trains in a child that is killed when its folder of checkpoints has changed `changes` times, a little later. */
async function killAt(t: ExecutionContext, folder: string, changes: number): Promise<void> {
  const checkpoints = join(folder, 'run', 'checkpoints');
  await mkdir(checkpoints, {recursive: true});
  const script = fileURLToPath(new URL('./train-until-killed.js', import.meta.url));
  const child = spawn(process.execPath, [script, folder, ...set], {stdio: ['ignore', 'ignore', 'inherit']});
  const watcher = watch(checkpoints);
  let seen = 0;
  // Some turns of the event loop later: in the middle of writing files, or between two checkpoints.
  const killAfter = (turns: number): void => {
    if (turns === 0) child.kill('SIGKILL');
    else setImmediate(() => killAfter(turns - 1));
  };
  watcher.on('change', () => {
    if (++seen === changes) killAfter((changes * 37) % 200);
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  watcher.close();
  t.true(signal === 'SIGKILL' || code === 0, `code ${code}, signal ${signal}`);
}

test('a run that is killed again and again while it saves always goes on, to the same weights', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCorpus(folder);
  await collect(tinyConfig(folder, set, 'whole'));
  // A checkpoint is three changes: the folder under its temporary name, its publication, the removal of an old one.
  for (const changes of [7, 3, 10, 5]) {
    await killAt(t, folder, changes);
    const checkpoint = await openCheckpoint(await findCheckpoint(join(folder, 'run')));
    t.true(checkpoint.step >= 1);
  }
  const events = await collect(tinyConfig(folder, set));
  t.like(events.at(-1), {type: 'end', reason: 'finished', step: 20});
  const weights = (output: string): Promise<Buffer> =>
    readFile(join(folder, output, 'checkpoints', 'step-000020', 'model.safetensors'));
  t.true((await weights('run')).equals(await weights('whole')));
});
