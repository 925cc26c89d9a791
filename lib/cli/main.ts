#!/usr/bin/env node
/** The command `crossmap`. */
import {createProgram} from './program.js';
import {errorLines, exitCodeOf, exitCodes} from './print-error.js';

stopOnClosedOutput();
try {
  const args = process.argv.slice(2);
  const program = await createProgram(args);
  await program.parseAsync(args, {from: 'user'});
} catch (error) {
  const debug = process.argv.includes('--debug');
  for (const line of errorLines(error, {debug})) process.stderr.write(`${line}\n`);
  const code = exitCodeOf(error);
  // An interrupt has its own code, by its signal; a failure on the way out is a failure.
  process.exitCode = code === exitCodes.interrupted ? (process.exitCode ?? code) : code;
}

/** Where nobody reads on, as in `crossmap train x.yaml | head`, the work is stopped as by SIGTERM: a run saves its state. */
function stopOnClosedOutput(): void {
  let isClosed = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isClosed) process.kill(process.pid, 'SIGTERM');
    isClosed = true;
  });
}
