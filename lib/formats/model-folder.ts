/** A folder of model files that is made whole, perhaps in place of an earlier one. */
import {mkdir, readdir, realpath, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {CrossmapError} from '../errors.js';
import {inOut, publishDirectory, publishFilled, temporaryFor} from './atomic.js';

/** What may become of what is there. */
export interface ModelFolderOptions {
  /** Whether an earlier folder of the same kind is replaced; default: it is refused. */
  readonly force?: boolean;
  /** Names that files of the kind have: a folder with any other is never replaced. */
  readonly names: RegExp;
  /** The folder that is read meanwhile. */
  readonly source: string;
}

/**
 * Publishes a folder. The check of what is there comes before anything is written.
 *
 * @param write receives the temporary folder, which is there and empty, and fills it
 * @throws ERR_ARGUMENT where something stands at `path` that must stay; ERR_IO; what `write` throws. What was there then stays.
 */
export async function publishModelFolder(
  path: string,
  {force = false, names, source}: ModelFolderOptions,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const there = await namesIn(path);
  if (there === undefined || there.length === 0) {
    await publishDirectory(path, write);
    return;
  }
  if (!force)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `${path} is there already; name another folder, or replace it with --force`,
    );
  const other = there.find((name) => !names.test(name));
  if (other !== undefined)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `${path} has ${other}, which is no file of such a model: it is not replaced; name another folder`,
    );
  if ((await realpath(path)) === (await inOut('read', source, () => realpath(source))))
    throw new CrossmapError('ERR_ARGUMENT', `${path} is what is read; name another folder`);
  const filled = temporaryFor(path);
  try {
    await inOut('write', path, () => mkdir(filled));
    await write(filled);
    await publishFilled(filled, path);
  } finally {
    await rm(filled, {recursive: true, force: true});
  }
}

/** Undefined where there is nothing. @throws ERR_ARGUMENT for a file */
async function namesIn(path: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(path, {withFileTypes: true});
    return entries.map((entry) => (entry.isFile() ? entry.name : join(entry.name, '/')));
  } catch (cause) {
    if (isCode(cause, 'ENOENT')) return undefined;
    if (isCode(cause, 'ENOTDIR'))
      throw new CrossmapError('ERR_ARGUMENT', `${path} is a file, or lies in one; name a folder`, {cause});
    throw new CrossmapError('ERR_IO', `cannot read ${path}: ${String(cause)}`, {cause});
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
