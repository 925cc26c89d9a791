#!/usr/bin/env node
/** The command `crossmap`. */
import {createProgram} from './program.js';
import {errorLines, exitCodeOf} from './print-error.js';

try {
  await createProgram().parseAsync();
} catch (error) {
  const debug = process.argv.includes('--debug');
  for (const line of errorLines(error, {debug})) process.stderr.write(`${line}\n`);
  process.exitCode ??= exitCodeOf(error);
}
