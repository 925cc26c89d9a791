/**
 * Files and folders that appear whole or not at all. They are written under a temporary name in the same folder, flushed to the
 * disk and renamed, so a process that is killed at any moment leaves what was there before, or what was to come.
 */
import {randomBytes} from 'node:crypto';
import {mkdir, open, readdir, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {CrossmapError} from '../errors.js';

const temporaryName = /^\..+\.[0-9a-f]{12}\.crossmap-tmp$/;

/**
 * Publishes a file, in place of the one that is there.
 *
 * @param write receives the temporary name and writes the file under it
 * @throws ERR_IO; what `write` throws. Either way what was there stays.
 */
export async function publishFile(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  await published(path, async (temporary) => {
    await write(temporary);
    await flush(temporary);
  });
}

/**
 * Publishes a folder. The name must be free: a folder cannot take the place of another in one step.
 *
 * @param write receives the temporary folder, which is there and empty, and fills it
 * @throws ERR_IO; what `write` throws. Either way nothing appears at `path`.
 */
export async function publishDirectory(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  await published(path, async (temporary) => {
    await mkdir(temporary);
    await write(temporary);
    await flushTree(temporary);
  });
}

/**
 * Publishes a folder that was filled under another name on the same disk, in place of the one that is there. Between two renames there is
 * none; the old one goes after them.
 *
 * @throws ERR_IO
 */
export async function publishFilled(filled: string, path: string): Promise<void> {
  await inOut('write', path, async () => {
    await flushTree(filled);
    const old = await setAside(path);
    await rename(filled, path);
    await flush(dirname(path));
    if (old !== undefined) await rm(old, {recursive: true, force: true});
  });
}

/**
 * Removes a published folder or file so that no moment shows half of it; nothing happens where there is none.
 *
 * @throws ERR_IO
 */
export async function removePublished(path: string): Promise<void> {
  const old = await setAside(path);
  if (old !== undefined) await inOut('remove', path, () => rm(old, {recursive: true, force: true}));
}

/** Gives what is published a temporary name; undefined where there is nothing. */
async function setAside(path: string): Promise<string | undefined> {
  const temporary = temporaryFor(path);
  try {
    await rename(path, temporary);
    return temporary;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw ioError('remove', path, cause);
  }
}

/**
 * Removes what killed processes left under temporary names in `folder`. Only for a folder that nobody else writes to now.
 *
 * @returns how many leftovers there were
 * @throws ERR_IO
 */
export async function removeLeftovers(folder: string): Promise<number> {
  return inOut('clean', folder, async () => {
    const leftovers = (await readdir(folder)).filter((name) => temporaryName.test(name));
    for (const name of leftovers) await rm(join(folder, name), {recursive: true, force: true});
    return leftovers.length;
  });
}

async function published(path: string, prepare: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryFor(path);
  await inOut('write', path, async () => {
    await mkdir(dirname(path), {recursive: true});
    try {
      await prepare(temporary);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, {recursive: true, force: true});
      throw error;
    }
    await flush(dirname(path));
  });
}

/** The name under which what is to stand at `path` is written. */
export function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.crossmap-tmp`);
}

/** Files first, then the folders that name them: a name on the disk never leads to missing bytes. */
async function flushTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, {withFileTypes: true})) {
    const inside = join(folder, entry.name);
    if (entry.isDirectory()) await flushTree(inside);
    else await flush(inside);
  }
  await flush(folder);
}

/** Has a file or folder written to the disk. */
export async function flush(path: string): Promise<void> {
  if (process.platform === 'win32') return; // a folder cannot be opened there, and a file only for writing
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Runs `work`; errors of the file system become ERR_IO. */
export async function inOut<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw ioError(verb, path, cause);
  }
}

/** An error of the file system as ERR_IO; any other error as it is. */
function ioError(verb: string, path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause)) return cause;
  return new CrossmapError('ERR_IO', `cannot ${verb} ${path}: ${cause.message}`, {cause});
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
