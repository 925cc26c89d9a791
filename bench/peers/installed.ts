/** Packages of bench/peers/node_modules, where they are installed. Types are ours: the build must not need the packages. */
import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const folder = fileURLToPath(new URL('../../../bench/peers', import.meta.url)); // from dist/bench/peers
const requirePeer = createRequire(join(folder, 'package.json'));

/** What of a package a peer uses, and its version. */
export interface Installed<Package> {
  readonly library: Package;
  readonly version: string;
}

/** Whether a package is installed. */
export function isInstalled(name: string): boolean {
  return existsSync(manifestOf(name));
}

/** Loads a package. @throws where it is not installed */
export function loadInstalled<Package>(name: string): Installed<Package> {
  if (!isInstalled(name)) throw new Error(`${name} is not installed`);
  const {version} = JSON.parse(readFileSync(manifestOf(name), 'utf8')) as {version: string};
  return {library: requirePeer(name) as Package, version};
}

function manifestOf(name: string): string {
  return join(folder, 'node_modules', name, 'package.json');
}
