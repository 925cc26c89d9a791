// npm packages: node_modules as package-lock.json has it, those that only benches compare us with, and those that make the site.
import fs from 'node:fs';
import path from 'node:path';
import {inRoot} from './places.mjs';
import {readJson} from './files.mjs';
import {npmCommand, runLogged} from './commands.mjs';
import {say, since, warn} from './say.mjs';

/**
 * npm writes what it installed to node_modules/.package-lock.json, last of all. Packages for other platforms
 * are absent there, which only optional ones may be.
 */
export function packagesAreCurrent() {
  return isInstalled(inRoot());
}

/** @param {string} folder of a package-lock.json */
function isInstalled(folder) {
  const wanted = readJson(path.join(folder, 'package-lock.json'))?.packages ?? {};
  const installed = readJson(path.join(folder, 'node_modules/.package-lock.json'))?.packages;
  if (!installed) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true;
    const there = installed[name];
    return there
      ? there.version === entry.version && there.integrity === entry.integrity
      : entry.optional === true;
  });
}

export async function installPackages() {
  if (fs.lstatSync(inRoot('node_modules'), {throwIfNoEntry: false})?.isSymbolicLink()) {
    warn('node_modules is a link to packages that differ from package-lock.json: left as it is');
    return;
  }
  await npmCi('npm-ci', {what: 'npm packages', flags: ['--include=dev']});
}

/** Hundreds of megabytes, without their install scripts: that of onnxruntime-node downloads more. */
export function installPeers() {
  const flags = ['--prefix', inRoot('bench', 'peers'), '--ignore-scripts'];
  return npmCi('npm-ci-peers', {what: 'the peers of npm run bench', flags});
}

/** Of npm run test:install: verdaccio. */
export async function installRegistry() {
  const folder = inRoot('scripts', 'release', 'registry');
  if (isInstalled(folder)) return;
  await npmCi('npm-ci-registry', {what: 'verdaccio', flags: ['--prefix', folder, '--ignore-scripts']});
}

/** What makes the pages of the documentation, where it is missing or stale. */
export async function installSiteTools() {
  const folder = inRoot('scripts', 'docs', 'site');
  if (isInstalled(folder)) return;
  const flags = ['--prefix', folder, '--ignore-scripts'];
  await npmCi('npm-ci-site', {what: 'typedoc', flags});
}

/** llama.cpp for the tests of GGUF files: its binary for the CPU of 64-bit Linux, without the optional ones for GPUs. */
export function installTestPeers() {
  const flags = ['--prefix', inRoot('test', 'peers'), '--ignore-scripts', '--omit=optional', '--omit=peer'];
  return npmCi('npm-ci-test-peers', {what: 'the peers of npm test', flags});
}

/**
 * @param {string} name of the log
 * @param {{what: string, flags: readonly string[]}} options
 */
async function npmCi(name, {what, flags}) {
  const start = performance.now();
  say(`installing ${what} (npm ci)`);
  await runLogged(name, [...npmCommand(), 'ci', ...flags, '--no-audit', '--no-fund']);
  say(`${what} installed in ${since(start)}`);
}
