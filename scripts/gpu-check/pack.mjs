// npm run gpu-check -- --pack FOLDER: all that a machine with a GPU needs, where there is no Node and no network.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {addonFile, flavours} from '../setup/addon.mjs';
import {readJson} from '../setup/files.mjs';
import {inRoot, root} from '../setup/places.mjs';
import {SetUpError, say} from '../setup/say.mjs';

/** What a lent machine takes. */
const mostBytes = 60e6;

/** Packages that the steps need besides the dependencies of ours: they run tests. */
const testPackages = ['ava', 'fast-check'];

/** Of our own checkout. The compiled programs stand without their maps and declarations. */
const ownFiles = [
  'package.json',
  'ava.config.js',
  'dist/lib',
  'dist/test',
  'dist/bench',
  'bench/peers',
  'data',
  'examples',
  'scripts/gpu-check',
  'scripts/setup',
];

/** The peers in Node have nothing to do beside a GPU. */
const leftOut = ['*.map', '*.d.ts', '*.d.cts', '*.d.mts', '*.md', '__pycache__', 'bench/peers/node_modules'];

/** Unpacks on the first run; the folder may be read from anywhere, and is written to. */
const launcher = `#!/bin/sh
# Runs gpu-check of crossmap from this folder. Its arguments are gpu-check's: sh run.sh --minutes 9
set -e
cd "$(dirname "$0")"
[ -x unpacked/node ] || { mkdir -p unpacked && tar -xzf crossmap.tar.gz -C unpacked; }
cd unpacked
exec ./node scripts/gpu-check/carried.mjs "$@"
`;

/**
 * Writes run.sh and crossmap.tar.gz.
 *
 * @param {string} folder new, or empty
 */
export function packGpuCheck(folder) {
  const addon = addonFile(flavours.cuda);
  if (!fs.existsSync(addon))
    throw new SetUpError('gpu-check: the addon with CUDA is not built: npm run build:cuda');
  fs.mkdirSync(folder, {recursive: true});
  if (fs.readdirSync(folder).length > 0) throw new SetUpError(`gpu-check: ${folder} is not empty`);
  const archive = path.resolve(folder, 'crossmap.tar.gz');
  const packages = packageClosure([...dependenciesOf(root), ...testPackages]);
  const files = [...ownFiles, path.relative(root, addon), ...packages.flatMap(packageFiles)];
  const node = fs.realpathSync(process.execPath);
  tar(archive, files, node);
  fs.writeFileSync(path.join(folder, 'run.sh'), launcher, {mode: 0o755});
  const {size} = fs.statSync(archive);
  say(
    `gpu-check: ${folder} has ${(size / 1e6).toFixed(1)} MB: ${packages.length} packages, Node ${process.versions.node}`,
  );
  if (size > mostBytes)
    throw new SetUpError(`gpu-check: more than the ${mostBytes / 1e6} MB that a lent machine takes`);
}

/**
 * @param {string} archive
 * @param {readonly string[]} files relative to the root
 * @param {string} node program, which is called `node` inside
 */
function tar(archive, files, node) {
  const without = leftOut.map((pattern) => `--exclude=${pattern}`);
  const rename = `--transform=s|^${node.slice(1)}$|node|`;
  const args = ['-czhf', archive, ...without, rename, '-C', root, ...files, node];
  const {status, stderr} = spawnSync('tar', args, {encoding: 'utf8', env: {...process.env, GZIP: '-9'}});
  if (status !== 0) throw new SetUpError(`gpu-check: tar failed: ${stderr.trim()}`);
}

/**
 * All packages that some need, themselves included, as folders relative to the root.
 *
 * @param {readonly string[]} names
 * @returns {string[]}
 */
export function packageClosure(names) {
  /** @type {Set<string>} */
  const found = new Set();
  const visit = (/** @type {string} */ name, /** @type {string} */ from) => {
    const folder = findPackage(name, from);
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    for (const each of dependenciesOf(inRoot(folder))) visit(each, folder);
  };
  for (const name of names) visit(name, '');
  return [...found].sort();
}

/** @param {string} folder */
function dependenciesOf(folder) {
  const {dependencies = {}, optionalDependencies = {}} = readJson(path.join(folder, 'package.json')) ?? {};
  return Object.keys({...dependencies, ...optionalDependencies});
}

/**
 * Where Node finds a package: in the nearest node_modules.
 *
 * @param {string} name
 * @param {string} from folder relative to the root
 * @returns {string | undefined} nothing for an optional package that is not installed
 */
function findPackage(name, from) {
  for (let place = from; ; place = path.posix.dirname(place)) {
    const candidate = path.posix.join(place === '.' ? '' : place, 'node_modules', name);
    // As Node does: a folder node_modules has none of its own.
    const isOne = path.posix.basename(place) === 'node_modules';
    if (!isOne && fs.existsSync(inRoot(candidate, 'package.json'))) return candidate;
    if (place === '' || place === '.') return undefined;
  }
}

/**
 * A package as it is, but for its builds for other machines.
 *
 * @param {string} folder
 */
function packageFiles(folder) {
  const native = new RegExp(`\\.${process.platform}-${process.arch}(?:-gnu)?\\.node$`);
  return fs
    .readdirSync(inRoot(folder))
    .filter((name) => name !== 'node_modules' && (!name.endsWith('.node') || native.test(name)))
    .map((name) => path.posix.join(folder, name));
}
