import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {openGrowingFile} from '../../lib/formats/index.js';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'crossmap-growing-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

test('what is appended appears at once, in place of what was there', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'a.txt');
    await writeFile(path, 'old');
    const file = await openGrowingFile(path);
    await file.append('one ');
    await file.append('two');
    t.is(await readFile(path, 'utf8'), 'old');
    await file.publish();
    await file.discard();
    t.is(await readFile(path, 'utf8'), 'one two');
    t.deepEqual(await readdir(folder), ['a.txt']);
  });
});

test('a file that is discarded leaves nothing', async (t) => {
  await inFolder(async (folder) => {
    const file = await openGrowingFile(join(folder, 'a.txt'));
    await file.append('one');
    await file.discard();
    await file.discard();
    t.deepEqual(await readdir(folder), []);
  });
});

test('a folder that is missing, and one in the place of the file, are refused', async (t) => {
  await inFolder(async (folder) => {
    await t.throwsAsync(openGrowingFile(join(folder, 'none', 'a.txt')), {
      code: 'ERR_IO',
      message: /^cannot write .*none\/a\.txt: ENOENT/,
    });
    await mkdir(join(folder, 'b'));
    await t.throwsAsync(openGrowingFile(join(folder, 'b')), {
      code: 'ERR_IO',
      message: /^cannot write .*b: a folder stands there$/,
    });
    t.deepEqual(await readdir(folder), ['b']);
  });
});
