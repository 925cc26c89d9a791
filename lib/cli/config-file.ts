/** The configuration that a command line names. */
import {readdir} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import type {Command} from 'commander';
import {loadConfig, type Config} from '../config/index.js';
import {nearest} from '../config/suggest.js';
import {CrossmapError} from '../errors.js';

/** Overrides as the command line gives them. */
export interface SetOptions {
  readonly set?: readonly string[];
}

/** Adds `--set a.b=c`, which may come several times. */
export function addSetOption(command: Command): Command {
  return command.option(
    '--set <name=value>',
    'change an option, the value as YAML; may be given several times',
    (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
  );
}

/** @throws ERR_CONFIG with what is wrong, or the file that was meant; ERR_IO */
export async function readConfigFile(path: string, {set = []}: SetOptions): Promise<Config> {
  try {
    return await loadConfig(path, {set});
  } catch (error) {
    if (error instanceof CrossmapError && isMissing(error.cause)) throw await notFound(path);
    throw error;
  }
}

async function notFound(path: string): Promise<CrossmapError> {
  const meant = await meantFile(path);
  return new CrossmapError(
    'ERR_CONFIG',
    `configuration ${path} does not exist${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  );
}

/** The file of the same folder with the nearest name. */
async function meantFile(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  try {
    const files = (await readdir(folder)).filter((name) => /\.(ya?ml|json)$/.test(name));
    const found = nearest(basename(path), files);
    return found === undefined ? undefined : join(folder, found);
  } catch {
    return undefined; // the folder is not there either: nothing is near
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
