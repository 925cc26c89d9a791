/** One process at a time at work in one folder: a lock file that names its owner. */
import {randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import {link, mkdir, readFile, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {basename, dirname, join} from 'node:path';
import {z} from 'zod';
import {CrossmapError} from '../errors.js';

const ownerSchema = z.object({
  pid: z.int().min(1),
  host: z.string(),
  /** When the process started, as the kernel counts it; process ids come round again. Empty where that is not known. */
  started: z.string(),
});

type Owner = z.output<typeof ownerSchema>;

/** A lock that is held. */
export interface Lock {
  /** Gives it back. @throws ERR_IO; a lock that stays is taken over once this process has ended */
  release(): Promise<void>;
}

/** What a lock is for, in the words of its errors. */
export interface Purpose {
  /** What is busy: `runs/train is being trained into`. */
  readonly isBusy: string;
  /** What else one can do: `choose another output`. */
  readonly otherwise: string;
}

/**
 * Takes the lock `path`, a file that must not exist. One whose owner no longer lives is taken over.
 *
 * @throws ERR_BUSY where a living process holds it, or one of another machine, of which nobody here knows; ERR_IO
 */
export async function takeLock(path: string, purpose: Purpose): Promise<Lock> {
  try {
    await mkdir(dirname(path), {recursive: true});
    await removeDrafts(path);
    while (!(await tryLock(path))) await takeAway(path, await staleText(path, purpose));
  } catch (cause) {
    throw ioError('lock', path, cause);
  }
  return {
    async release() {
      try {
        await rm(path, {force: true});
      } catch (cause) {
        throw ioError('unlock', path, cause);
      }
    },
  };
}

/** An error of the file system as ERR_IO; any other error as it is. */
function ioError(verb: string, path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause)) return cause;
  return new CrossmapError('ERR_IO', `cannot ${verb} ${dirname(path)}: ${cause.message}`, {cause});
}

/** The lock appears with its owner already inside: a link to a finished file either succeeds or finds one there. */
async function tryLock(path: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  const owner: Owner = {pid: process.pid, host: hostname(), started: await startOf(process.pid)};
  try {
    await writeFile(draft, JSON.stringify(owner));
    await link(draft, path);
    return true;
  } catch (error) {
    // A draft that another process took for one of a dead process, half-written as it was, is made again.
    if (isCode(error, 'EEXIST') || (isCode(error, 'ENOENT') && existsSync(dirname(path)))) return false;
    throw error;
  } finally {
    await rm(draft, {force: true});
  }
}

/** Removes what processes left beside the lock that were killed while they took one. */
async function removeDrafts(path: string): Promise<void> {
  const [folder, name] = [dirname(path), basename(path)];
  for (const each of await readdir(folder)) {
    if (!each.startsWith(`${name}.`) || !/^[0-9a-f]{12}$/.test(each.slice(name.length + 1))) continue;
    const owner = ownerOf((await textOf(join(folder, each))) ?? '');
    const mayLive = owner !== undefined && (owner.host !== hostname() || (await isAlive(owner)));
    if (!mayLive) await rm(join(folder, each), {force: true});
  }
}

/** What stands in a lock whose owner is gone. @throws ERR_BUSY where he may live */
async function staleText(path: string, {isBusy, otherwise}: Purpose): Promise<string | undefined> {
  const text = await textOf(path);
  const owner = text === undefined ? undefined : ownerOf(text);
  if (owner === undefined) return text; // gone meanwhile, or written by nobody we know
  if (owner.host !== hostname())
    throw new CrossmapError(
      'ERR_BUSY',
      `${isBusy} by process ${owner.pid} on ${owner.host}; if it no longer runs, delete ${path}`,
    );
  if (await isAlive(owner))
    throw new CrossmapError('ERR_BUSY', `${isBusy} by process ${owner.pid}; stop it first, or ${otherwise}`);
  return text;
}

/**
 * Two processes may both find the owner dead. Only one can rename the file, and what it renamed may already be the lock of a
 * third: then it goes back.
 */
async function takeAway(path: string, stale: string | undefined): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
    if ((await textOf(aside)) !== stale) await link(aside, path);
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(aside, {force: true});
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function ownerOf(text: string): Owner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // no JSON: not a lock of ours
  }
}

async function isAlive({pid, started}: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!isCode(error, 'EPERM')) return false;
  }
  return (await startOf(pid)) === started;
}

/** Field 22 of /proc/<pid>/stat, counted behind the name, which may hold spaces; empty where there is no such file. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
