import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {root} from './support.js';

interface Entry {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
}

type Packages = Readonly<Record<string, Entry>>;

const lockFiles = [
  'package-lock.json',
  'bench/peers/package-lock.json',
  'test/peers/package-lock.json',
  'scripts/release/registry/package-lock.json',
  'scripts/docs/site/package-lock.json',
];

for (const file of lockFiles) {
  const {packages} = JSON.parse(fs.readFileSync(path.join(root, file), 'utf8')) as {packages: Packages};

  test(`${file} names no registry and has the hash of every package`, (t) => {
    const entries = Object.entries(packages).filter(([name]) => name !== '');
    t.deepEqual(
      entries.filter(([, entry]) => entry.resolved !== undefined || entry.integrity === undefined),
      [],
    );
  });

  // npm ci refuses a lock file that lacks a package, also an optional one of another platform.
  test(`${file} has every package that another asks for`, (t) => {
    const missing = Object.entries(packages).flatMap(([name, entry]) =>
      Object.keys({...entry.dependencies, ...entry.optionalDependencies, ...entry.devDependencies})
        .filter((wanted) => !isFound(packages, name, wanted))
        .map((wanted) => `${name || 'the project'} asks for ${wanted}`),
    );
    t.deepEqual(missing, []);
  });
}

/** As Node looks for it: beside, then in each enclosing node_modules. */
function isFound(packages: Packages, from: string, wanted: string): boolean {
  const folder = from === '' ? '' : `${from}/`;
  if (Object.hasOwn(packages, `${folder}node_modules/${wanted}`)) return true;
  if (from === '') return false;
  const outer = from.lastIndexOf('/node_modules/');
  return isFound(packages, outer < 0 ? '' : from.slice(0, outer), wanted);
}
