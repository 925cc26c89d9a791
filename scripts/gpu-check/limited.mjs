// Programs with a time limit.
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {root} from '../setup/places.mjs';

/**
 * @typedef {object} Finished
 * @property {number} status -1 where the program could not start or was ended
 * @property {boolean} timedOut
 * @property {string} stdout
 * @property {string} stderr
 * @property {number} seconds
 */

/**
 * Runs a program to its end, or to its limit: then it and all that it started are killed.
 *
 * @param {readonly string[]} command
 * @param {{limitSeconds: number, env?: NodeJS.ProcessEnv}} options
 * @returns {Promise<Finished>}
 */
export function runLimited([program = '', ...args], {limitSeconds, env = process.env}) {
  const start = performance.now();
  // A group of its own, so that what it starts can be ended with it.
  const child = spawn(program, args, {cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true});
  let [stdout, stderr, timedOut] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (stderr += text));
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, limitSeconds * 1000);
  return new Promise((resolve) => {
    const finish = (/** @type {number} */ status) => {
      clearTimeout(timer);
      resolve({status, timedOut, stdout, stderr, seconds: (performance.now() - start) / 1000});
    };
    child.on('error', (error) => {
      stderr += error.message;
      finish(-1);
    });
    child.on('close', (code) => finish(code ?? -1));
  });
}

/**
 * A program that answers a line of JSON with a line of JSON.
 *
 * @typedef {object} Server
 * @property {(request: object, limitSeconds: number) => Promise<any>} ask rejects after the limit, and once the program has ended
 * @property {() => void} end
 */

/**
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Server}
 */
export function startServer([program = '', ...args], env) {
  const child = spawn(program, args, {cwd: root, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true});
  let stderr = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (/** @type {string} */ text) => (stderr = (stderr + text).slice(-2000)));
  child.stdin.on('error', () => {}); // the program may have ended: `close` tells
  const lines = createInterface({input: child.stdout});
  /** @type {{resolve: (value: any) => void, reject: (error: Error) => void} | undefined} */
  let waiting;
  const fail = (/** @type {string} */ message) => {
    waiting?.reject(new Error(message));
    waiting = undefined;
  };
  let ended = '';
  lines.on('line', (line) => {
    waiting?.resolve(JSON.parse(line));
    waiting = undefined;
  });
  child.on('error', (error) => fail((ended = error.message)));
  child.on('close', (code) => fail((ended = `it ended with ${code}: ${lastLine(stderr)}`)));
  return {
    ask(request, limitSeconds) {
      if (ended) return Promise.reject(new Error(ended));
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          fail(`no answer in ${limitSeconds} s`);
          killGroup(child);
        }, limitSeconds * 1000);
        const settle = (/** @type {(value: any) => void} */ next) => (/** @type {any} */ value) => {
          clearTimeout(timer);
          next(value);
        };
        waiting = {resolve: settle(resolve), reject: settle(reject)};
        child.stdin.write(`${JSON.stringify(request)}\n`);
      });
    },
    end() {
      killGroup(child);
    },
  };
}

/** @param {import('node:child_process').ChildProcess} child */
function killGroup(child) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** @param {string} text */
export function lastLine(text) {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
