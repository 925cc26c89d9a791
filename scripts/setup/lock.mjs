// One process at a time where two would disturb each other: a lock file that holds the process id of its owner.
import fs from 'node:fs';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {stateFolder} from './places.mjs';
import {say} from './say.mjs';

/**
 * Runs `work` while no other process does under the same file. A lock whose owner no longer lives is taken over.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {{file?: string, pollMs?: number, what?: string}} [options] `what` the other process is, for people
 * @returns {Promise<T>}
 */
export async function withLock(
  work,
  {file = path.join(stateFolder, 'lock'), pollMs = 250, what = 'another set-up of this checkout'} = {},
) {
  fs.mkdirSync(path.dirname(file), {recursive: true});
  let told = false;
  while (!tryLock(file)) {
    const owner = readOwner(file);
    if (owner !== undefined && !isAlive(owner)) {
      takeAway(file, owner);
      continue;
    }
    if (!told) say(`waiting for ${what}${owner ? ` (process ${owner})` : ''}`);
    told = true;
    await sleep(pollMs);
  }
  try {
    return await work();
  } finally {
    fs.rmSync(file, {force: true});
  }
}

/**
 * The lock appears with its owner's id already inside: a link to a finished file either succeeds or exists.
 *
 * @param {string} file
 */
function tryLock(file) {
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, String(process.pid));
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft, {force: true});
  }
}

/**
 * Two waiters may both find the owner dead. Only one can rename the file, and what it renamed may already be
 * the lock of a third: then it goes back.
 *
 * @param {string} file
 * @param {number} deadOwner
 */
function takeAway(file, deadOwner) {
  const aside = `${file}.dead.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    if (readOwner(aside) !== deadOwner) fs.linkSync(aside, file);
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(aside, {force: true});
  }
}

/** @param {string} file */
function readOwner(file) {
  try {
    return Number(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
