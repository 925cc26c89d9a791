/** The secret in the address of a live page: who does not know it sees nothing, other users of the machine included. */
import {createHash, randomBytes, timingSafeEqual} from 'node:crypto';
import {open, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {publishFile} from '../formats/atomic.js';

const form = /^[A-Za-z0-9_-]{32}$/;

/**
 * The token of a run: the one that `keepToken` left, so that a page that is still open finds the run again when it goes on. Where there
 * is none, or others could have read it, a new one.
 */
export async function pageToken(output: string): Promise<string> {
  const kept = await readPrivate(fileIn(output)).catch(() => undefined);
  return kept !== undefined && form.test(kept) ? kept : randomBytes(24).toString('base64url');
}

/** Keeps the token in the run's folder, readable by its owner alone. Where it cannot be kept, the next page has another one. */
export async function keepToken(output: string, token: string): Promise<void> {
  const write = (temporary: string): Promise<void> => writeFile(temporary, token, {mode: 0o600});
  await publishFile(fileIn(output), write).catch(() => undefined);
}

const fileIn = (output: string): string => join(output, '.page-token');

/** The text of a small file; undefined where others than its owner may read it. */
async function readPrivate(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const {mode, size} = await file.stat();
    const isPrivate = process.platform === 'win32' || (mode & 0o077) === 0;
    return isPrivate && size < 100 ? await file.readFile('utf8') : undefined;
  } finally {
    await file.close();
  }
}

/** Compares with a secret, in a time that tells nothing about it. */
export function createTokenCheck(token: string): (guess: string) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (guess) => timingSafeEqual(digest(guess), expected);
}
