#!/usr/bin/env node
/** The command `crossmap`. */
import {createProgram} from './program.js';
import {errorLines, exitCodeOf} from './print-error.js';

stopOnClosedOutput();
try {
  await createProgram().parseAsync();
} catch (error) {
  const debug = process.argv.includes('--debug');
  for (const line of errorLines(error, {debug})) process.stderr.write(`${line}\n`);
  process.exitCode ??= exitCodeOf(error);
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
