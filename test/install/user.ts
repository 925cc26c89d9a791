/** Somebody who installs crossmap: an empty folder, and a machine with Node and nothing else. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, realpath, symlink, writeFile} from 'node:fs/promises';
import {basename, delimiter, isAbsolute, join} from 'node:path';
import {text} from 'node:stream/consumers';

export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

export interface User {
  readonly folder: string;
  /** Runs a program in the folder. */
  readonly run: (command: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>;
  /** Writes a file and runs it with Node. */
  readonly runProgram: (name: string, code: string, env?: Readonly<Record<string, string>>) => Promise<Ended>;
}

interface UserOptions {
  readonly registry: string;
  /** Of npm; users of one machine share it. */
  readonly cache: string;
  /** Default: the one that runs the tests. */
  readonly node?: string;
  /** Programs that the machine has besides: names, or paths. */
  readonly programs?: readonly string[];
}

/** Makes the folder, and one with links to the few programs that are on the user's PATH. */
export async function createUser(
  folder: string,
  {registry, cache, node = process.execPath, programs = []}: UserOptions,
): Promise<User> {
  const bin = join(folder, 'bin');
  const home = join(folder, 'project');
  await mkdir(bin, {recursive: true});
  await mkdir(home, {recursive: true});
  await symlink(node, join(bin, 'node'));
  for (const name of ['npm', 'npx', 'sh', ...programs])
    await symlink(await found(name), join(bin, basename(name)));
  await writeFile(join(home, 'package.json'), JSON.stringify({name: 'project', private: true}));
  const settings = {
    PATH: bin,
    HOME: folder,
    NO_COLOR: '1',
    npm_config_registry: registry,
    npm_config_cache: cache,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
  const run: User['run'] = async ([program = '', ...args], env = {}) => {
    const child = spawn(join(bin, program), args, {cwd: home, env: {...settings, ...env}});
    child.stdin.end();
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return {status, output: (stdout + stderr).trim()};
  };
  return {
    folder: home,
    run,
    runProgram: async (name, code, env) => {
      await writeFile(join(home, name), code);
      return run(['node', name], env);
    },
  };
}

async function found(program: string): Promise<string> {
  if (isAbsolute(program)) return program;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      return await realpath(join(folder, program));
    } catch {
      // in another folder
    }
  }
  throw new Error(`${program} is not on the PATH`);
}
