/** `--page [port]`: a live page of the run. */
import {InvalidArgumentError, type Command} from 'commander';
import type {Config} from '../config/index.js';
import {serveRun, type RunPage} from '../live/index.js';

/** What the command line says of the page. */
export interface PageOptions {
  /** A port, or true for the first free one. */
  readonly page?: number | true;
}

/** Adds `--page [port]`. */
export function addPageOption(command: Command): Command {
  return command.option(
    '--page [port]',
    'serve a live page of the run on this machine, and print its address; the first free port from 6120 where none is given',
    portNumber,
  );
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('It must be a port, 0 to 65535; the configuration stands before --page.');
  return port;
}

/** Where lines are shown. */
interface PageView {
  readonly say: (line: string) => void;
  /** Whether somebody sits before it. */
  readonly isTerminal: boolean;
}

/**
 * Serves the page that was asked for, and says where it is.
 *
 * @returns undefined where none was asked for
 * @throws ERR_IO where the port is taken
 */
export async function openRunPage(
  config: Config,
  {page, fresh}: PageOptions & {readonly fresh: boolean},
  {say, isTerminal}: PageView,
): Promise<RunPage | undefined> {
  if (page === undefined) return undefined;
  const served = await serveRun(config, {fresh, onTrouble: say, ...(page !== true && {port: page})});
  say(`page: ${served.url}`);
  const {port} = new URL(served.url);
  if (isTerminal)
    say(`      Ctrl-click opens it; from another machine: ssh -L ${port}:127.0.0.1:${port} <this machine>`);
  return served;
}
