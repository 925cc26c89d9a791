// What the set-up tells: short plain lines on standard error, so that standard output stays the program's.

const colour = process.stderr.isTTY === true && !process.env['NO_COLOR'];

/** Whether a state that passes can be shown; a log would keep each of them. */
export const showsProgress = process.stderr.isTTY === true && !process.env['CI'];

/** A mistake or a lack that the user can act on: printed as one message without a stack. */
export class SetUpError extends Error {
  /** @override */
  name = 'SetUpError';
}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`${paint(36, 'crossmap')} ${text}\n`);
}

/** @param {string} text */
export function warn(text) {
  process.stderr.write(`${paint(33, 'crossmap')} ${text}\n`);
}

/**
 * Shows a passing state on the last line of a terminal; nothing elsewhere. An empty text clears it.
 *
 * @param {string} text
 */
export function showProgress(text) {
  if (showsProgress) process.stderr.write(`\r\u001b[K${text}`);
}

/**
 * Seconds since `start`, as people read them.
 *
 * @param {number} start milliseconds, from `performance.now()`
 */
export function since(start) {
  const seconds = (performance.now() - start) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

/**
 * Whether something is a mistake to tell without where it arose: a SetUpError, or what `parseArgs` says of the command line.
 *
 * @param {unknown} error
 * @returns {error is Error}
 */
function isMistake(error) {
  if (error instanceof SetUpError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
}

/**
 * Runs the whole of a command-line script: a mistake becomes its message and exit status 1.
 *
 * @param {() => Promise<number | void>} main resolves to the exit status
 */
export async function runScript(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!isMistake(error)) throw error;
    warn(error.message);
    process.exitCode = 1;
  }
}

/**
 * @param {number} code ANSI colour
 * @param {string} text
 */
function paint(code, text) {
  return colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
