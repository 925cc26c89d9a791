// Programs with a time limit.
import {spawn} from 'node:child_process';
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
