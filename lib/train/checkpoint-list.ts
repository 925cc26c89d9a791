/** The checkpoints in a folder. */
import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {CrossmapError} from '../errors.js';
import {runFolder} from './run-folder.js';

/** A checkpoint by its name alone: nothing of it has been read. */
interface ListedCheckpoint {
  readonly step: number;
  readonly path: string;
}

/** The checkpoints of a folder, by rising step; none where there is no such folder. @throws ERR_IO */
export async function listCheckpoints(folder: string): Promise<ListedCheckpoint[]> {
  const names = await namesIn(folder);
  const listed = names.flatMap((name) => {
    const step = /^step-(\d{6,})$/.exec(name)?.[1];
    return step === undefined ? [] : [{step: Number(step), path: join(folder, name)}];
  });
  return listed.sort((a, b) => a.step - b.step);
}

/**
 * The checkpoint that a folder means: itself, or, for the folder of a run or of its checkpoints, the newest one.
 *
 * @throws ERR_CHECKPOINT where there is none; ERR_IO
 */
export async function findCheckpoint(folder: string): Promise<string> {
  if (await exists(join(folder, 'state.json'))) return folder;
  for (const place of [runFolder(folder).checkpoints, folder]) {
    const newest = (await listCheckpoints(place)).at(-1);
    if (newest !== undefined) return newest.path;
  }
  const what = (await exists(folder)) ? 'has no checkpoint' : 'does not exist';
  throw new CrossmapError(
    'ERR_CHECKPOINT',
    `${folder} ${what}; give the output folder of a run, or one of its checkpoints`,
  );
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw unreadable(folder, cause);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (cause) {
    if (isMissing(cause)) return false;
    throw unreadable(path, cause);
  }
}

/** Nothing there, or a file where a folder is looked for. */
function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}

function unreadable(path: string, cause: unknown): CrossmapError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CrossmapError('ERR_IO', `cannot read ${path}: ${reason}`, {cause});
}
