import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {loadScript} from './support.js';

const {withLock} = await loadScript<{
  withLock: <T>(work: () => Promise<T>, options: {file: string; pollMs: number}) => Promise<T>;
}>('scripts/setup/lock.mjs');

function lockFile(t: ExecutionContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crossmap-lock-'));
  t.teardown(() => fs.rmSync(folder, {recursive: true}));
  return path.join(folder, 'lock');
}

test('work under the lock never overlaps', async (t) => {
  const options = {file: lockFile(t), pollMs: 1};
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  await Promise.all(Array.from({length: 8}, () => withLock(work, options)));
  t.is(most, 1);
});

test('the result passes through and nothing is left behind', async (t) => {
  const file = lockFile(t);
  t.is(await withLock(async () => 7, {file, pollMs: 1}), 7);
  t.deepEqual(fs.readdirSync(path.dirname(file)), []);
});

test('work that fails releases the lock', async (t) => {
  const file = lockFile(t);
  await t.throwsAsync(
    withLock(
      async () => {
        throw new Error('broken');
      },
      {file, pollMs: 1},
    ),
    {message: 'broken'},
  );
  t.false(fs.existsSync(file));
});

test('the lock of a process that lives no more is taken over', async (t) => {
  const file = lockFile(t);
  fs.writeFileSync(file, String(2 ** 30)); // above the largest process id of any system
  t.is(await withLock(async () => 'mine', {file, pollMs: 1}), 'mine');
});
