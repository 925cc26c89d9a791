import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {takeLock as take} from '../../lib/formats/lock.js';
import {temporaryFolder} from './folder.js';

/** As training takes it. */
const takeLock = (path: string): ReturnType<typeof take> =>
  take(path, {isBusy: `${join(path, '..')} is being trained into`, otherwise: 'choose another output'});

const lockIn = async (t: ExecutionContext): Promise<string> => join(await temporaryFolder(t), 'run', '.lock');

/** A process id that was in use and no longer is. */
const deadPid = (): number => spawnSync(process.execPath, ['--version']).pid;

test('a lock is there while it is held and names its owner', async (t) => {
  const path = await lockIn(t);
  const lock = await takeLock(path);
  t.like(JSON.parse(await readFile(path, 'utf8')), {pid: process.pid, host: hostname()});
  await lock.release();
  t.deepEqual(await readdir(join(path, '..')), []);
});

test('a second trainer is refused and told who is at work', async (t) => {
  const path = await lockIn(t);
  const lock = await takeLock(path);
  await t.throwsAsync(takeLock(path), {
    code: 'ERR_BUSY',
    message: `${join(path, '..')} is being trained into by process ${process.pid}; stop it first, or choose another output`,
  });
  await lock.release();
  await (await takeLock(path)).release();
});

test('a lock of a dead process is taken over, and so is a file that is no lock', async (t) => {
  const path = await lockIn(t);
  await (await takeLock(path)).release();
  for (const stale of [JSON.stringify({pid: deadPid(), host: hostname(), started: ''}), '{"pid": 1', '']) {
    await writeFile(path, stale);
    const lock = await takeLock(path);
    t.like(JSON.parse(await readFile(path, 'utf8')), {pid: process.pid});
    await lock.release();
  }
});

test('a process that came by the same id later does not hold the lock', async (t) => {
  const path = await lockIn(t);
  await (await takeLock(path)).release();
  await writeFile(path, JSON.stringify({pid: process.pid, host: hostname(), started: 'long ago'}));
  await t.notThrowsAsync(takeLock(path));
});

test('a lock of another machine is never taken over', async (t) => {
  const path = await lockIn(t);
  await (await takeLock(path)).release();
  await writeFile(path, JSON.stringify({pid: 7, host: 'elsewhere', started: ''}));
  await t.throwsAsync(takeLock(path), {
    code: 'ERR_BUSY',
    message: `${join(path, '..')} is being trained into by process 7 on elsewhere; if it no longer runs, delete ${path}`,
  });
  t.true(existsSync(path));
});

test('of many that find a stale lock exactly one takes it over', async (t) => {
  const path = await lockIn(t);
  await (await takeLock(path)).release();
  await writeFile(path, JSON.stringify({pid: deadPid(), host: hostname(), started: ''}));
  const results = await Promise.allSettled(Array.from({length: 8}, () => takeLock(path)));
  t.is(results.filter(({status}) => status === 'fulfilled').length, 1);
  t.deepEqual(await readdir(join(path, '..')), ['.lock']);
});

test('a folder that cannot be written to is an error that names it', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), '');
  const error = await t.throwsAsync(takeLock(join(folder, 'file', '.lock')), {code: 'ERR_IO'});
  t.true(error?.message.startsWith(`cannot lock ${join(folder, 'file')}: `), error?.message);
});

test('what processes left beside a lock that were killed while they took it is removed, and that of living ones stays', async (t) => {
  const path = await lockIn(t);
  await (await takeLock(path)).release();
  const text = (pid: number, host: string): string => JSON.stringify({pid, host, started: ''});
  await writeFile(`${path}.0123456789ab`, text(deadPid(), hostname()));
  await writeFile(`${path}.0123456789ac`, '{"pid":');
  await writeFile(`${path}.0123456789ad`, text(7, 'elsewhere'));
  await writeFile(`${path}.notes`, '');
  const lock = await takeLock(path);
  await lock.release();
  t.deepEqual((await readdir(join(path, '..'))).sort(), ['.lock.0123456789ad', '.lock.notes']);
});
