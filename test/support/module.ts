/** Code in a process of its own. */
import {execFile} from 'node:child_process';

/** How a process ended. */
export interface Ended {
  readonly exitCode: number;
  readonly printed: string;
  readonly errors: string;
}

/**
 * Runs an ES module with the built library, whose modules it imports as `lib/...`.
 *
 * @param flags of Node
 */
export async function runModule(
  code: string,
  {env = {}, flags = []}: {env?: Readonly<Record<string, string>>; flags?: readonly string[]} = {},
): Promise<Ended> {
  const library = new URL('../../lib/', import.meta.url).href;
  const args = [...flags, '--input-type=module', '-e', code.replaceAll("'lib/", `'${library}`)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, {env: {...process.env, ...env}}, (error, stdout, stderr) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number') resolve({exitCode, printed: stdout.trim(), errors: stderr.trim()});
      else reject(new Error(`the process ended without an exit code: ${stderr}`, {cause: error}));
    });
  });
}
