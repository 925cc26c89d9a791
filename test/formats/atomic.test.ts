import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {publishDirectory, publishFile, removeLeftovers, removePublished} from '../../lib/formats/index.js';
import {temporaryFolder} from './folder.js';

test('publishFile replaces a file and makes the folders above it', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a', 'b', 'file');
  for (const text of ['one', 'two']) {
    await publishFile(path, (temporary) => writeFile(temporary, text));
    t.is(await readFile(path, 'utf8'), text);
  }
  t.deepEqual(await readdir(join(folder, 'a', 'b')), ['file']);
});

test('nobody sees a file or folder before it is whole', async (t) => {
  const folder = await temporaryFolder(t);
  await publishFile(join(folder, 'file'), async (temporary) => {
    await writeFile(temporary, 'half');
    t.false(existsSync(join(folder, 'file')));
    await writeFile(temporary, 'whole');
  });
  await publishDirectory(join(folder, 'dir'), async (temporary) => {
    await writeFile(join(temporary, 'a'), 'a');
    t.false(existsSync(join(folder, 'dir')));
  });
  t.deepEqual((await readdir(folder)).sort(), ['dir', 'file']);
});

test('a failure while writing leaves what was there and no leftovers', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), 'old');
  const fail = async (temporary: string): Promise<void> => {
    await writeFile(join(temporary, 'x'), 'new').catch(() => writeFile(temporary, 'new'));
    throw new RangeError('enough');
  };
  await t.throwsAsync(publishFile(join(folder, 'file'), fail), {instanceOf: RangeError, message: 'enough'});
  await t.throwsAsync(publishDirectory(join(folder, 'dir'), fail), {
    instanceOf: RangeError,
    message: 'enough',
  });
  t.deepEqual(await readdir(folder), ['file']);
  t.is(await readFile(join(folder, 'file'), 'utf8'), 'old');
});

test('a folder does not take the place of another', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'dir');
  const publish = (text: string): Promise<void> =>
    publishDirectory(path, (temporary) => writeFile(join(temporary, 'a'), text));
  await publish('first');
  const error = await t.throwsAsync(publish('second'), {code: 'ERR_IO'});
  t.true(error?.message.startsWith(`cannot write ${path}: `), error?.message);
  t.is(await readFile(join(path, 'a'), 'utf8'), 'first');
  t.deepEqual(await readdir(folder), ['dir']);
});

test('errors of the file system are ERR_IO and name the path', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'file', 'below');
  await writeFile(join(folder, 'file'), '');
  const error = await t.throwsAsync(
    publishFile(path, async () => undefined),
    {code: 'ERR_IO'},
  );
  t.true(error?.message.startsWith(`cannot write ${path}: `), error?.message);
  await t.throwsAsync(removeLeftovers(join(folder, 'none')), {
    code: 'ERR_IO',
    message: /^cannot clean .*none: ENOENT/,
  });
  await t.throwsAsync(removePublished(path), {code: 'ERR_IO', message: /^cannot remove .*below: ENOTDIR/});
});

test('removePublished takes a folder or a file away, and is quiet where there is none', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'dir', 'deep'), {recursive: true});
  await writeFile(join(folder, 'file'), '');
  for (const name of ['dir', 'file', 'none']) await removePublished(join(folder, name));
  t.deepEqual(await readdir(folder), []);
});

test('removeLeftovers takes away temporaries only', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, '.step-4.0123456789ab.crossmap-tmp', 'deep'), {recursive: true});
  await writeFile(join(folder, '.latest.ffffffffffff.crossmap-tmp'), '');
  for (const name of ['latest', '.hidden', 'a.crossmap-tmp']) await writeFile(join(folder, name), '');
  t.is(await removeLeftovers(folder), 2);
  t.deepEqual((await readdir(folder)).sort(), ['.hidden', 'a.crossmap-tmp', 'latest']);
});

/** Kills the child once it has written `bytes` bytes to standard output; returns the last folder that it said was finished. */
async function publishUntilKilled(folder: string, bytes: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'publish-forever.js'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text;
    if (output.length >= bytes) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return Math.max(0, ...output.split('\n').map(Number).filter(Number.isInteger));
}

const isHashed = ({weights, hash}: {weights: string; hash: string}): boolean =>
  createHash('sha256').update(weights).digest('hex') === hash;

// A folder and its file take about 10 bytes of output, so the kills fall into every part of the work.
for (let seed = 0; seed < 16; seed++) {
  const bytes = 1 + ((seed * 37) % 61);
  test(`killed at byte ${bytes} of its output, a publisher leaves whole folders and a whole file only`, async (t) => {
    const folder = await temporaryFolder(t);
    const finished = await publishUntilKilled(folder, bytes);
    const left = await readdir(folder);
    const steps = left.filter((name) => name.startsWith('step-'));
    for (const name of steps) {
      const weights = await readFile(join(folder, name, 'deep', 'weights'), 'utf8');
      t.true(isHashed({weights, hash: await readFile(join(folder, name, 'hash'), 'utf8')}), name);
    }
    if (left.includes('latest')) {
      const latest = JSON.parse(await readFile(join(folder, 'latest'), 'utf8')) as {
        step: number;
        weights: string;
        hash: string;
      };
      t.true(isHashed(latest));
      t.true(latest.step >= finished);
      t.true(steps.includes(`step-${latest.step}`));
    }
    t.is(left.includes('latest') || finished === 0, true);
    t.is(await removeLeftovers(folder), left.filter((name) => name.startsWith('.')).length);
    t.deepEqual((await readdir(folder)).sort(), left.filter((name) => !name.startsWith('.')).sort());
  });
}
