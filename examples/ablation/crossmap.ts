/** Runs the command line of crossmap, each model in a process of its own: one that fails leaves the others alone. */
import {spawn} from 'node:child_process';
import {appendFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

const program = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

/**
 * @param log file that takes what the command prints
 * @returns what it printed on its standard output
 * @throws with its last words where it fails
 */
export async function crossmap(
  args: readonly string[],
  {log, signal}: {readonly log: string; readonly signal: AbortSignal},
): Promise<string> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [program, ...args], {stdio: ['ignore', 'pipe', 'pipe']});
  // Asked once, a training run saves a checkpoint before it ends.
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, {once: true});
  const printed: string[] = [];
  const said: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => void printed.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => void said.push(text));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => signal.removeEventListener('abort', stop));
  await appendFile(log, `$ crossmap ${args.join(' ')}\n${said.join('')}${printed.join('')}\n`);
  signal.throwIfAborted();
  if (status !== 0)
    throw new Error(
      `crossmap ${args[0]}: status ${status}: ${said.join('').trim().slice(-2000)}; see ${log}`,
    );
  return printed.join('');
}
