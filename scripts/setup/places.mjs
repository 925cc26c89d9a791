// Where things lie in the checkout.
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The set-up's own files: its lock, its logs, what it remembers. Not tracked. */
export const stateFolder = path.join(root, '.setup');

/**
 * @param {string[]} parts relative to the root of the checkout
 */
export function inRoot(...parts) {
  return path.join(root, ...parts);
}

/** Where an installed crossmap, which lacks the packages that build it, keeps its own. */
export const toolsFolder = path.join(stateFolder, 'tools');

/**
 * Where a package lies: in a checkout its own, in an installation one of those around it, or of the tools.
 *
 * @param {string} name
 */
export function packageFolder(name) {
  const around = createRequire(inRoot('package.json')).resolve.paths(name) ?? [];
  return [...around, path.join(toolsFolder, 'node_modules')]
    .map((folder) => path.join(folder, name))
    .find((folder) => fs.existsSync(path.join(folder, 'package.json')));
}

/**
 * The script behind a package's command, to be run with this Node: no shell, no npx, no start-up of npm.
 *
 * @param {string} name package
 * @param {string} file path inside the package
 */
export function toolScript(name, file) {
  return path.join(packageFolder(name) ?? inRoot('node_modules', name), file);
}
