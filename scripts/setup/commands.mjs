// Running other programs: quietly with a log, or in the user's terminal.
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {pipeline} from 'node:stream/promises';
import {root, stateFolder} from './places.mjs';
import {SetUpError, showProgress} from './say.mjs';

const tailLines = 40;

/**
 * Runs a command whose output only matters when it fails. On failure the error shows the end of the log and
 * names the file that holds all of it.
 *
 * @param {string} name of the step, and of its log
 * @param {readonly string[]} command program and arguments
 * @param {{env?: NodeJS.ProcessEnv}} [options]
 */
export async function runLogged(name, [program = '', ...args], {env = process.env} = {}) {
  const log = path.join(stateFolder, 'logs', `${name}.log`);
  fs.mkdirSync(path.dirname(log), {recursive: true});
  const out = fs.createWriteStream(log);
  out.write(`$ ${[program, ...args].join(' ')}\n`);
  const child = spawn(program, args, {cwd: root, env, stdio: ['ignore', 'pipe', 'pipe']});
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (/** @type {Buffer} */ data) => {
      out.write(data);
      const counter = /\[ *\d+(?:\/\d+|%)\]/.exec(data.toString());
      if (counter) showProgress(`${name} ${counter[0]}`);
    });
  }
  const status = await exitStatus(child);
  showProgress('');
  await new Promise((resolve) => out.end(resolve));
  if (status === 0) return;
  const lines = fs.readFileSync(log, 'utf8').trimEnd().split('\n');
  throw new SetUpError(
    `${name} failed (${program} ended with ${status}). The end of the log:\n\n` +
      `${lines.slice(-tailLines).join('\n')}\n\nThe whole log: ${path.relative(process.cwd(), log)}`,
  );
}

/**
 * Runs a command in the user's terminal and resolves to its exit status. Signals reach the child by the
 * terminal itself; here they are only kept from ending the parent first.
 *
 * @param {readonly string[]} command program and arguments
 * @param {{env?: NodeJS.ProcessEnv}} [options]
 * @returns {Promise<number>}
 */
export async function runInTerminal([program = '', ...args], {env = process.env} = {}) {
  const child = spawn(program, args, {cwd: root, env, stdio: 'inherit'});
  const ignore = () => {};
  const pass = () => child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', pass);
  try {
    return await exitStatus(child);
  } finally {
    process.off('SIGINT', ignore);
    process.off('SIGTERM', pass);
  }
}

/**
 * Runs a command and returns all it says, and by itself what it says on standard output; its status is -1 where the program does not
 * exist.
 *
 * @param {readonly string[]} command
 * @param {{input?: NodeJS.ReadableStream, env?: NodeJS.ProcessEnv}} [options] `input` is what the command reads
 * @returns {Promise<{status: number, output: string, printed: string}>}
 */
export async function capture([program = '', ...args], {input, env = process.env} = {}) {
  const child = spawn(program, args, {cwd: root, env, stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe']});
  // A program that ends before its input does says why by its status.
  if (input && child.stdin) pipeline(input, child.stdin).catch(() => {});
  let [output, printed] = ['', ''];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      output += text;
      if (stream === child.stdout) printed += text;
    });
  }
  return {status: await exitStatus(child), output, printed};
}

/**
 * The first line a program prints, or nothing where it is missing or fails.
 *
 * @param {readonly string[]} command
 * @returns {string | undefined}
 */
export function firstLine([program = '', ...args]) {
  const result = spawnSync(program, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
  return result.status === 0 ? result.stdout.split('\n', 1)[0] : undefined;
}

/** How npm is run: the one that runs us, where there is one. */
export function npmCommand() {
  const npm = process.env['npm_execpath'];
  if (npm?.endsWith('npm-cli.js')) return [process.execPath, npm];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
}

/**
 * Whether a program is on the PATH. Looks for the file, so it costs no process.
 *
 * @param {string} program name, or a path
 */
export function isOnPath(program) {
  const folders = program.includes(path.sep) ? [''] : (process.env['PATH'] ?? '').split(path.delimiter);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  return folders.some((folder) =>
    endings.some((ending) => fs.existsSync(path.join(folder, program + ending))),
  );
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>} 130 where a signal ended it, -1 where it could not start
 */
function exitStatus(child) {
  return new Promise((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', (code) => resolve(code ?? 130));
  });
}
