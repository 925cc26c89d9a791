/** What a build has finished, kept on the disk: one that was killed goes on behind it. */
import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {z} from 'zod';
import {flush, publishFile, publishFilled, removePublished} from '../../formats/atomic.js';
import {takeLock} from '../../formats/lock.js';

/** A part of a build that is done as a whole, or again. */
interface Step<Result> {
  /** What reads the result back from JSON. */
  readonly schema: z.ZodType<Result>;
  /** The files that it writes, as `path` names them. */
  readonly files: readonly string[];
  /** Writes the files, none of which is there. */
  work(): Promise<Result>;
  /** Called instead, if the result is there. */
  onKnown?(): void;
}

/** The steps of one build. */
export interface Journal {
  /** The path of a file in the folder that is to be published. */
  dataPath(name: string): string;
  /** The path of a file that later steps need, and nobody afterwards. */
  scratchPath(name: string): string;
  /**
   * The result of a step: what an earlier start recorded, if all of its files are still what they were; else what it gives now. It is
   * recorded once its files are on the disk, so nothing half-written is ever taken.
   *
   * @throws what the step throws; its files are removed then
   */
  step<Result>(name: string, step: Step<Result>): Promise<Result>;
  /**
   * Puts the folder of the data in the place of `path`.
   *
   * @throws ERR_IO
   */
  publish(path: string): Promise<void>;
  /** Leaves what is finished for the next start. */
  pause(): Promise<void>;
  /** Removes all of it. */
  discard(): Promise<void>;
}

/** Where the data of a folder is built. */
function buildingFolder(folder: string): string {
  return join(dirname(folder), `.${basename(folder)}.crossmap-building`);
}

/**
 * Opens the journal of the build of a folder. What an earlier start did for another fingerprint is removed.
 *
 * @throws ERR_BUSY where another process builds the same folder; ERR_IO
 */
export async function openJournal(folder: string, fingerprint: string): Promise<Journal> {
  const root = buildingFolder(folder);
  const [steps, scratch, data] = ['steps', 'scratch', 'data'].map((name) => join(root, name));
  const lock = await takeLock(join(root, 'lock'), {
    isBusy: `${folder} is being prepared`,
    otherwise: 'wait until it is done',
  });
  const discard = (): Promise<void> => rm(root, {recursive: true, force: true});
  try {
    const mark = join(root, 'fingerprint');
    const folders = [steps ?? '', scratch ?? '', data ?? ''];
    if ((await textOf(mark)) !== fingerprint) {
      for (const each of folders) await rm(each, {recursive: true, force: true});
      await publishFile(mark, (temporary) => writeFile(temporary, fingerprint));
    }
    for (const each of folders) await mkdir(each, {recursive: true});
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    dataPath: (name) => join(data ?? '', name),
    scratchPath: (name) => join(scratch ?? '', name),
    step: (name, step) => runStep(join(steps ?? '', `${name}.json`), step),
    publish: (path) => publishFilled(data ?? '', path),
    pause: () => lock.release(),
    discard,
  };
}

/**
 * Removes what a build left that was killed behind its end, when its folder was in place.
 *
 * @throws ERR_IO
 */
export async function removeFinished(folder: string, fingerprint: string): Promise<void> {
  const root = buildingFolder(folder);
  if ((await textOf(join(root, 'fingerprint'))) === fingerprint) await removePublished(root);
}

const recordSchema = z.strictObject({
  result: z.unknown(),
  /** [files] SHA-256 of each file of the step. */
  digests: z.array(z.string()),
});

async function runStep<Result>(
  record: string,
  {schema, files, work, onKnown}: Step<Result>,
): Promise<Result> {
  const known = await readRecord(record, {schema, files});
  if (known !== undefined) {
    onKnown?.();
    return known.result;
  }
  const clear = async (): Promise<void> => {
    for (const file of files) await rm(file, {force: true});
  };
  await clear();
  try {
    const result = await work();
    const digests: string[] = [];
    for (const file of files) {
      await flush(file);
      digests.push(await digestOf(file));
    }
    const text = JSON.stringify({result, digests});
    await publishFile(record, (temporary) => writeFile(temporary, text));
    return result;
  } catch (error) {
    await clear();
    throw error;
  }
}

/** What was recorded, unless it is not what this program would record, or a file has changed. */
async function readRecord<Result>(
  path: string,
  {schema, files}: Pick<Step<Result>, 'schema' | 'files'>,
): Promise<{readonly result: Result} | undefined> {
  const text = await textOf(path);
  if (text === undefined) return undefined;
  const record = recordSchema.safeParse(JSON.parse(text)).data;
  const result = schema.safeParse(record?.result);
  if (!result.success || record === undefined) return undefined;
  for (const [i, file] of files.entries())
    if ((await digestOf(file).catch(() => undefined)) !== record.digests[i]) return undefined;
  return {result: result.data};
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path, {highWaterMark: 1 << 20})) hash.update(block);
  return hash.digest('hex');
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
