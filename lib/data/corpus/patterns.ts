/** Names of files with patterns in them: `corpora/*.jsonl.gz`, `text/**`, `{en,cs}.txt`. */
import {existsSync} from 'node:fs';
import {dirname, join, relative, sep} from 'node:path';
import {glob, isDynamicPattern} from 'tinyglobby';
import {CrossmapError} from '../../errors.js';

/**
 * The files that absolute names and patterns stand for, those of a pattern sorted. A name of a file that exists is that file, whatever
 * characters it has.
 *
 * @throws ERR_DATA for a pattern that no file matches
 */
export async function expandPatterns(names: readonly string[], option: string): Promise<string[]> {
  const all = await Promise.all(names.map((name) => expand(name, option)));
  return all.flat();
}

async function expand(name: string, option: string): Promise<string[]> {
  const folder = existingFolder(name);
  const pattern = relative(folder, name).split(sep).join('/');
  if (existsSync(name) || !isDynamicPattern(pattern)) return [name];
  const files = await glob(pattern, {cwd: folder, onlyFiles: true, expandDirectories: false});
  if (files.length === 0) throw new CrossmapError('ERR_DATA', `${name} matches no file; ${option} names it`);
  return files.sort().map((file) => join(folder, file));
}

/** The innermost folder of a name that exists: its name is no pattern. */
function existingFolder(name: string): string {
  const folder = dirname(name);
  return existsSync(folder) || folder === name ? folder : existingFolder(folder);
}
