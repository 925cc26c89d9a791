/** `--threads`: on how many threads the CPU device computes. */
import {InvalidArgumentError, type Command} from 'commander';
import type {Config} from '../config/index.js';
import {wholeNumber} from './numbers.js';

type Threads = Config['threads'];

/** The option as the command line gives it. */
export interface ThreadsOptions {
  readonly threads?: Threads;
}

/** Adds `--threads`, which is option `threads` of a configuration. */
export function addThreadsOption(command: Command): Command {
  return command.option(
    '--threads <n>',
    'threads of the CPU device; auto takes one for each core (default: auto)',
    threadsOf,
  );
}

function threadsOf(text: string): Threads {
  if (text === 'auto') return 'auto';
  try {
    return wholeNumber(1)(text);
  } catch {
    throw new InvalidArgumentError('It must be auto, or a whole number, 1 or more.');
  }
}
