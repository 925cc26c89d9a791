// What must come from the system: a compiler, CMake, and a program that builds.
import path from 'node:path';
import {firstLine, isOnPath, runLogged} from './commands.mjs';
import {readJson, writeJson} from './files.mjs';
import {stateFolder} from './places.mjs';
import {SetUpError, say, since} from './say.mjs';

const memoryFile = path.join(stateFolder, 'system.json');

/**
 * One thing of the system.
 *
 * @typedef {object} Need
 * @property {string} what
 * @property {string} debianPackage
 * @property {string} elsewhere how to get it without apt
 * @property {() => boolean} isThere
 */

const needs = /** @satisfies {Record<string, Need>} */ ({
  compiler: {
    what: 'a C++ compiler',
    debianPackage: 'g++',
    elsewhere: 'install g++ 11 or clang++ 14, or newer',
    isThere: () => compilers().some(isOnPath),
  },
  cmake: {
    what: 'CMake',
    debianPackage: 'cmake',
    elsewhere: 'install CMake 3.20 or newer',
    isThere: () => isOnPath('cmake'),
  },
  builder: {
    what: 'Ninja or make',
    debianPackage: 'make',
    elsewhere: 'install make',
    isThere: () => process.platform === 'win32' || isOnPath('ninja') || isOnPath('make'),
  },
});

/** The compilers that CMake would take, first wish first. */
export function compilers() {
  return [process.env['CXX'] ?? '', 'c++', 'g++', 'clang++'].filter((name) => name !== '');
}

/**
 * Gets what is missing if the user may install it, and says plainly how to get it where not.
 *
 * @param {readonly (keyof typeof needs)[]} names
 */
export async function provideSystem(names) {
  for (const need of names.map((name) => needs[name])) {
    if (need.isThere() || (await install(need))) continue;
    throw new SetUpError(`${need.what} is missing and needed to build the native addon: ${remedy(need)}`);
  }
}

/**
 * Tries once: what failed, say for want of a network, is not tried again until .setup is removed.
 *
 * @param {Need} need
 */
async function install(need) {
  const tried = readJson(memoryFile)?.tried ?? [];
  const root = rootPrefix();
  if (!root || tried.includes(need.debianPackage)) return false;
  const start = performance.now();
  say(`installing ${need.debianPackage} (apt-get)`);
  const get = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-o', 'Acquire::Retries=1'];
  const wanted = ['install', '-y', '--no-install-recommends', need.debianPackage];
  try {
    await runLogged('apt-get-install', [...get, ...wanted]).catch(async () => {
      await runLogged('apt-get-update', [...get, 'update']);
      await runLogged('apt-get-install', [...get, ...wanted]);
    });
  } catch {
    writeJson(memoryFile, {tried: [...tried, need.debianPackage]});
    return false;
  }
  say(`${need.debianPackage} installed in ${since(start)}`);
  return need.isThere();
}

/** How this user becomes root without a question; nothing where that, or apt, is not to be had. */
function rootPrefix() {
  if (process.env['CROSSMAP_INSTALL_SYSTEM'] === '0' || !isOnPath('apt-get')) return undefined;
  if (process.getuid?.() === 0) return [];
  return isOnPath('sudo') && firstLine(['sudo', '-n', 'echo', 'yes']) ? ['sudo', '-n'] : undefined;
}

/** @param {Need} need */
function remedy(need) {
  return isOnPath('apt-get') ? `sudo apt-get install ${need.debianPackage}` : need.elsewhere;
}
