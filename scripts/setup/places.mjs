// Where things lie in the checkout.
import {fileURLToPath} from 'node:url';
import path from 'node:path';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The set-up's own files: its lock, its logs, what it remembers. Not tracked. */
export const stateFolder = path.join(root, '.setup');

/**
 * @param {string[]} parts relative to the root of the checkout
 */
export function inRoot(...parts) {
  return path.join(root, ...parts);
}

/**
 * The script behind a package's command, to be run with this Node: no shell, no npx, no start-up of npm.
 *
 * @param {string} name package
 * @param {string} file path inside the package
 */
export function toolScript(name, file) {
  return inRoot('node_modules', name, file);
}
