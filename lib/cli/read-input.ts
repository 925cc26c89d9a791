/** Text that a command works on: its argument, or standard input. */
import {createInterface} from 'node:readline/promises';
import {text as readText} from 'node:stream/consumers';
import {CrossmapError} from '../errors.js';

/** The argument, or all of standard input. @throws ERR_ARGUMENT where neither is given */
export async function textOrInput(argument: string | undefined, name: string): Promise<string> {
  if (argument !== undefined) return argument;
  refuseTerminal(name);
  return (await readText(process.stdin)).trimEnd();
}

/** The argument as one line, or the lines of standard input as they come. @throws ERR_ARGUMENT where neither is given */
export async function* lineOrInput(argument: string | undefined, name: string): AsyncGenerator<string> {
  if (argument !== undefined) {
    yield argument;
    return;
  }
  refuseTerminal(name);
  yield* createInterface({input: process.stdin, crlfDelay: Infinity});
}

/** A terminal would be waited for without a word. */
function refuseTerminal(name: string): void {
  if (process.stdin.isTTY)
    throw new CrossmapError('ERR_ARGUMENT', `${name} is needed: give it as an argument or on standard input`);
}
