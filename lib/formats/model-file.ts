/** Files of a model folder that somebody else wrote: nothing outside of the folder is read, and no more of a file than is sound. */
import {open, realpath, stat} from 'node:fs/promises';
import {basename, dirname, join, sep} from 'node:path';
import {CrossmapError} from '../errors.js';
import {isDeeper, repeatedKey} from './json-keys.js';

/** A JSON file that has been read. */
export interface JsonFile {
  /** Where it is. */
  readonly path: string;
  /** What the file says, as it stands there: of a `__proto__` that is a key, `Object.entries` knows. */
  readonly value: object;
}

/** What a JSON file may have. */
interface JsonLimits {
  readonly bytes: number;
  /** Lists and maps in each other. */
  readonly depth: number;
}

/**
 * The path of a file of a folder. Links are followed as far as they stay in the folder, or in the blobs of a Hugging Face cache
 * (`models--x/snapshots/y` has links into `models--x/blobs`).
 *
 * @param name of the file alone
 * @returns undefined where there is no such file
 * @throws ERR_FORMAT for a name that is none of a file in the folder, and for what is no file; ERR_IO
 */
export async function fileOf(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name))
    throw new CrossmapError(
      'ERR_FORMAT',
      `${folder} names the file ${JSON.stringify(name)}; a file of the folder itself is needed`,
    );
  try {
    const [root, real] = [await realpath(folder), await realpath(path)];
    if (!rootsOf(root).some((allowed) => real.startsWith(`${allowed}${sep}`)))
      throw new CrossmapError('ERR_FORMAT', `${path} is a link that leads out of the folder, to ${real}`);
    if (!(await stat(real)).isFile()) throw new CrossmapError('ERR_FORMAT', `${path} is not a file`);
    return path;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw ioError(path, cause);
  }
}

function rootsOf(root: string): string[] {
  const parent = dirname(root);
  return basename(parent) === 'snapshots' ? [root, join(dirname(parent), 'blobs')] : [root];
}

/**
 * Reads a JSON file of a folder.
 *
 * @returns undefined where there is no such file
 * @throws ERR_FORMAT for one that is no JSON object, has a key twice, or is larger or deeper than it may be; ERR_IO
 */
export async function readJson(
  folder: string,
  name: string,
  {bytes, depth}: JsonLimits,
): Promise<JsonFile | undefined> {
  const path = await fileOf(folder, name);
  if (path === undefined) return undefined;
  const text = await readText(path, bytes);
  try {
    if (isDeeper(text, depth)) throw new SyntaxError('lists and maps stand in each other too deep');
    const value: unknown = JSON.parse(text);
    const twice = repeatedKey(text);
    if (twice !== undefined) throw new SyntaxError(`${JSON.stringify(twice)} stands there twice`);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new SyntaxError('it is not an object');
    return {path, value};
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const line = reason.replaceAll(/\s+/g, ' '); // it quotes the text, with its line ends
    throw new CrossmapError('ERR_FORMAT', `${path} is not valid JSON: ${line}`, {cause});
  }
}

/** Text of at most so many bytes. @throws ERR_FORMAT, ERR_IO */
async function readText(path: string, most: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const {size} = await file.stat();
      if (size > most)
        throw new CrossmapError('ERR_FORMAT', `${path} has ${size} bytes; ${most} is the most allowed`);
      return new TextDecoder('utf-8', {fatal: true}).decode(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof TypeError) throw new CrossmapError('ERR_FORMAT', `${path} is not UTF-8`, {cause});
    throw ioError(path, cause);
  }
}

/** A name that is too long, or a file where a folder should be, is a file that is not there. */
function isMissing(cause: unknown): boolean {
  const codes: unknown[] = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'];
  return cause instanceof Error && 'code' in cause && codes.includes(cause.code);
}

function ioError(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause)) return cause;
  return new CrossmapError('ERR_IO', `cannot read ${path}: ${cause.message}`, {cause});
}
