// Reading and fingerprinting files.
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {root} from './places.mjs';

/**
 * All files below the given files and folders, sorted, relative to `base`, with forward slashes.
 *
 * @param {readonly string[]} entries files or folders relative to `base`; missing ones are left out
 * @param {(file: string) => boolean} [wanted]
 * @param {string} [base]
 * @returns {string[]}
 */
export function listFiles(entries, wanted = () => true, base = root) {
  /** @type {string[]} */
  const found = [];
  for (const entry of entries) {
    const stat = fs.statSync(path.join(base, entry), {throwIfNoEntry: false});
    if (!stat) continue;
    if (stat.isFile()) found.push(entry);
    if (!stat.isDirectory()) continue;
    for (const child of fs.readdirSync(path.join(base, entry), {withFileTypes: true, recursive: true})) {
      if (!child.isFile()) continue;
      found.push(path.relative(base, path.join(child.parentPath ?? child.path, child.name)));
    }
  }
  return found
    .map((file) => file.split(path.sep).join('/'))
    .filter(wanted)
    .sort();
}

/**
 * The content hash of each file. Contents, not times: a checkout of another commit and back changes nothing.
 *
 * @param {readonly string[]} files relative to the root
 * @returns {Record<string, string>}
 */
export function fingerprints(files) {
  return Object.fromEntries(files.map((file) => [file, hash(fs.readFileSync(path.join(root, file)))]));
}

/** @param {string | NodeJS.ArrayBufferView} content */
export function hash(content) {
  return createHash('sha256').update(content).digest('hex').slice(0, 24);
}

/**
 * What a JSON file holds, or nothing where it is missing or torn.
 *
 * @param {string} file
 * @returns {any}
 */
export function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Written whole or not at all.
 *
 * @param {string} file
 * @param {unknown} value
 */
export function writeJson(file, value) {
  fs.mkdirSync(path.dirname(file), {recursive: true});
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, `${JSON.stringify(value, undefined, 1)}\n`);
  fs.renameSync(draft, file);
}
