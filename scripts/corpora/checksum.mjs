// The hash that Debian's lists and sources.json name files by, and that names and orders are made of.
import {createHash} from 'node:crypto';
import fs from 'node:fs';

/**
 * SHA-256 of what is in memory.
 *
 * @param {string | NodeJS.ArrayBufferView} content
 * @returns {string} hexadecimal
 */
export function sha256Of(content) {
  return createHash('sha256').update(content).digest('hex');
}

/**
 * SHA-256 of a file, which is read piece by piece: packages are too large for the heap.
 *
 * @param {string} file
 * @returns {Promise<string>} hexadecimal
 */
export async function sha256OfFile(file) {
  const hash = createHash('sha256');
  for await (const chunk of fs.createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}
