/** What a command says, told by the program in this process. */
import {errorLines, exitCodeOf} from '../../lib/cli/print-error.js';
import {createProgram} from '../../lib/cli/program.js';
import type {Finished} from './crossmap.js';

/** What main does, without a process: starting one takes longer than what it has to say. */
export async function told(args: readonly string[]): Promise<Finished> {
  let [stdout, stderr] = ['', ''];
  const program = await createProgram(args);
  for (const command of [program, ...program.commands])
    command.configureOutput({writeOut: (text) => (stdout += text), writeErr: (text) => (stderr += text)});
  try {
    await program.parseAsync(args, {from: 'user'});
    return {code: 0, signal: null, stdout, stderr};
  } catch (error) {
    stderr += errorLines(error, {debug: false})
      .map((line) => `${line}\n`)
      .join('');
    return {code: exitCodeOf(error), signal: null, stdout, stderr};
  }
}
