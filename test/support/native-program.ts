/** Native code in programs of its own: what no addon shows, or what needs libraries that are not here. */
import {execFileSync} from 'node:child_process';
import {mkdtempSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {root} from '../repository/support.js';

const compiler = process.env['CXX'] ?? 'c++';

/** A folder for what is compiled; the system clears it. */
export function programFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'crossmap-program-'));
}

/**
 * Compiles a program, or a library with `-shared` among the flags, and returns its path.
 *
 * @param sources relative to the root of the checkout
 */
export function compile(output: string, sources: readonly string[], flags: readonly string[] = []): string {
  const inputs = sources.map((source) => path.join(root, source));
  const include = `-I${path.join(root, 'native')}`;
  execFileSync(
    compiler,
    ['-std=c++20', '-O1', '-Wall', '-Wextra', '-Werror', include, ...flags, ...inputs, '-o', output, '-ldl'],
    {stdio: ['ignore', 'ignore', 'inherit']},
  );
  return output;
}

/** What the program prints, by lines. @param libraryFolder where it looks for libraries first */
export function runProgram(
  program: string,
  {args = [], input = '', env = {}, libraryFolder}: ProgramOptions = {},
): string[] {
  const printed = execFileSync(program, args, {
    input,
    env: {...process.env, ...env, ...(libraryFolder !== undefined && {LD_LIBRARY_PATH: libraryFolder})},
    encoding: 'utf8',
  });
  return printed.trimEnd().split('\n');
}

interface ProgramOptions {
  readonly args?: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly libraryFolder?: string;
}
