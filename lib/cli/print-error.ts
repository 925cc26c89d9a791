/** How a failure is told, and the exit code that stands for it. */
import {CommanderError} from 'commander';
import {CrossmapError} from '../errors.js';

/** Exit codes of every command. */
export const exitCodes = {
  success: 0,
  failure: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** Stopped by Ctrl-C; a run has saved its state. */
  interrupted: 130,
} as const;

/**
 * The lines that tell an error: `error ERR_CONFIG: train.yaml:14: ...`, one for each mistake.
 *
 * @param debug adds where in the program it arose, causes included
 */
export function errorLines(error: unknown, {debug}: {readonly debug: boolean}): string[] {
  if (error instanceof CommanderError && isAnswer(error)) return [];
  if (error instanceof CommanderError) return [`error ERR_ARGUMENT: ${commandLineMistake(error)}`];
  const stack = debug ? stackLines(error) : [];
  if (error instanceof CrossmapError)
    return [...error.message.split('\n').map((line) => `error ${error.code}: ${line}`), ...stack];
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const [first = ''] = message.split('\n');
  return [`error ERR_INTERNAL: ${first}${debug ? '' : ' (with --debug: where it arose)'}`, ...stack];
}

/** The exit code that stands for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  if (!(error instanceof CrossmapError)) return exitCodes.failure;
  if (error.code === 'ERR_ABORTED') return exitCodes.interrupted;
  return error.code === 'ERR_CONFIG' ? exitCodes.usage : exitCodes.failure;
}

/** Help and version are thrown too, once they have been printed. */
function isAnswer({code}: CommanderError): boolean {
  return code.startsWith('commander.help') || code === 'commander.version';
}

/** What commander says, on one line: `error: unknown option '--sett'\n(Did you mean --set?)`. */
function commandLineMistake({message}: CommanderError): string {
  return message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
}

function stackLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const cause = error.cause === undefined ? [] : stackLines(error.cause);
  return [...(error.stack ?? '').split('\n'), ...cause];
}
