/** Runs the command as a user does: in a process of its own. */
import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process';
import {once} from 'node:events';
import {text} from 'node:stream/consumers';
import {fileURLToPath} from 'node:url';

const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

/** What a process left. */
export interface Finished {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a process is run. */
export interface RunOptions {
  /** Current folder. */
  readonly cwd?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; default none. */
  readonly input?: string;
  /** Called with each piece of standard output. */
  readonly onOutput?: (piece: string, child: ChildProcessWithoutNullStreams) => void;
}

/** Runs `crossmap` with arguments to its end. */
export async function crossmap(
  args: readonly string[],
  {cwd = process.cwd(), env = {}, input = '', onOutput}: RunOptions = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [main, ...args], {cwd, env: {...process.env, ...env, NO_COLOR: '1'}});
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece;
    onOutput?.(piece, child);
  });
  child.stdin.on('error', () => undefined).end(input); // the process may end without reading it
  const [stderr, [code, signal]] = await Promise.all([
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null, string | null]>,
  ]);
  if (!child.stdout.destroyed) await once(child.stdout, 'close');
  return {code, signal, stdout, stderr};
}
