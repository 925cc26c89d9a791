// npm run prebuilt: the packages that carry the addon, for every platform that this machine can build for.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {addonFile, flavours} from '../setup/addon.mjs';
import {isOnPath} from '../setup/commands.mjs';
import {findNvcc} from '../setup/cuda.mjs';
import {readJson, writeJson} from '../setup/files.mjs';
import {inRoot, stateFolder} from '../setup/places.mjs';
import {SetUpError, say} from '../setup/say.mjs';
import {setUp} from '../setup/set-up.mjs';
import {needsBeyondSystem, oldestGlibc, sectionsOf, tryInCleanProcess} from './binary.mjs';
import {pack} from './pack.mjs';

/** @typedef {typeof import('../../lib/addon/prebuilt.js').prebuiltPackages[number]} PrebuiltPackage */

/** Where packages are put together, and their archives. */
const packagesFolder = path.join(stateFolder, 'packages');

/** Bytes of an archive, at most. */
const budgets = {cpu: 20e6, cuda: 60e6};

/**
 * How one is built, and whether this machine can.
 *
 * @typedef {object} Recipe
 * @property {'addon' | 'cuda' | 'arm64'} step of the set-up; its flavour is `cpu` for `addon`
 * @property {string} strip
 * @property {() => string | undefined} lack what is missing
 */

/** @type {Record<string, Recipe>} */
const recipes = {
  '@crossmap/linux-x64-cpu': {
    step: 'addon',
    strip: 'strip',
    lack: () => (isHere('x64') ? undefined : 'is built on Linux on x64'),
  },
  '@crossmap/linux-x64-cuda13': {
    step: 'cuda',
    strip: 'strip',
    lack: () => (isHere('x64') && findNvcc() ? undefined : 'needs nvcc 13 on Linux on x64'),
  },
  '@crossmap/linux-arm64-cpu': {
    step: 'arm64',
    strip: 'aarch64-linux-gnu-strip',
    lack: () =>
      isOnPath('aarch64-linux-gnu-g++')
        ? undefined
        : 'needs a compiler: sudo apt-get install g++-aarch64-linux-gnu',
  },
};

/** @param {string} arch */
function isHere(arch) {
  return process.platform === 'linux' && process.arch === arch;
}

/** @param {readonly string[]} names of packages; none: all that this machine can build */
export async function makePrebuilt(names) {
  const {prebuiltPackages} = await import('../../dist/lib/addon/prebuilt.js');
  const unknown = names.find((name) => prebuiltPackages.every((each) => each.name !== name));
  if (unknown !== undefined) {
    throw new SetUpError(
      `prebuilt: ${unknown} is no package; there are ${prebuiltPackages.map(({name}) => name).join(', ')}`,
    );
  }
  const made = [];
  for (const each of prebuiltPackages) {
    if (names.length > 0 && !names.includes(each.name)) continue;
    const lack = recipeOf(each).lack();
    if (lack === undefined) made.push(await makePackage(each));
    else if (names.length > 0) throw new SetUpError(`${each.name} is not built: it ${lack}`);
    else say(`${each.name} is left out: it ${lack}`);
  }
  return made;
}

/** @param {PrebuiltPackage} prebuilt */
async function makePackage(prebuilt) {
  const {name, flavour, arch} = prebuilt;
  const {step, strip} = recipeOf(prebuilt);
  await setUp([step]);
  const folder = path.join(packagesFolder, name);
  fs.rmSync(folder, {recursive: true, force: true});
  fs.mkdirSync(folder, {recursive: true});
  const file = path.join(folder, `crossmap-${flavour}.node`);
  const {status, stderr} = spawnSync(
    strip,
    ['--strip-unneeded', '-o', file, addonFile(flavours[step === 'addon' ? 'cpu' : step])],
    {encoding: 'utf8'},
  );
  if (status !== 0) throw new SetUpError(`${strip}: ${stderr ?? 'it is missing'}`);
  const needs = needsBeyondSystem(file);
  if (needs.length > 0) throw new SetUpError(`${name} would not run elsewhere: ${needs.join('; ')}`);
  if (arch === process.arch) tryInCleanProcess(file, inRoot('dist/lib'));
  writePapers(prebuilt, folder, fs.statSync(file).size);
  const archive = await pack(folder, packagesFolder);
  const sections = sectionsOf(file).slice(0, 2);
  const largest = sections.map((section) => `${section.name} ${megabytes(section.bytes)}`).join(', ');
  say(
    `${name}: ${megabytes(archive.bytes)} packed, ${megabytes(archive.unpackedBytes)} unpacked; most of it ${largest}`,
  );
  if (archive.bytes > budgets[flavour])
    throw new SetUpError(
      `${name} takes ${megabytes(archive.bytes)} packed, more than ${megabytes(budgets[flavour])}`,
    );
  return {...archive, name};
}

/** @param {PrebuiltPackage} prebuilt */
function recipeOf({name}) {
  const recipe = recipes[name];
  if (recipe === undefined) throw new SetUpError(`prebuilt: no recipe builds ${name}`);
  return recipe;
}

/**
 * All that a package holds besides its addon.
 *
 * @param {PrebuiltPackage} prebuilt
 * @param {string} folder
 * @param {number} addonBytes
 */
function writePapers({name, flavour, platform, arch}, folder, addonBytes) {
  const {version, license, engines} = readJson(inRoot('package.json'));
  const manifest = {
    name,
    version,
    description: `The native addon of crossmap for ${platform} on ${arch}${flavour === 'cuda' ? ', with CUDA 13' : ''}`,
    license: flavour === 'cuda' ? `${license} AND LicenseRef-NVIDIA-CUDA-Toolkit-EULA` : license,
    engines,
    os: [platform],
    cpu: [arch],
    libc: ['glibc'],
    main: `crossmap-${flavour}.node`,
    files: [`crossmap-${flavour}.node`, 'NOTICE'],
    addonBytes,
  };
  writeJson(path.join(folder, 'package.json'), manifest);
  fs.copyFileSync(inRoot('LICENSE'), path.join(folder, 'LICENSE'));
  fs.writeFileSync(path.join(folder, 'NOTICE'), noticeOfAddon());
  fs.writeFileSync(
    path.join(folder, 'README.md'),
    `# ${name}\n\n${manifest.description}. It is installed with \`crossmap\`, which takes it where it fits: there is nothing in it to\n` +
      `be imported. It needs glibc ${oldestGlibc} or newer${flavour === 'cuda' ? ', and for the GPU an NVIDIA driver for CUDA 13 or newer' : ''}.\n`,
  );
}

/** What of NOTICE speaks of the program and of the addon, whose section is the last. */
function noticeOfAddon() {
  const notice = fs.readFileSync(inRoot('NOTICE'), 'utf8');
  const section = notice.indexOf('\nNative addon\n');
  if (section === -1) throw new SetUpError('prebuilt: NOTICE has no section "Native addon"');
  return notice.slice(0, notice.indexOf('\n\n') + 1) + notice.slice(section);
}

/** @param {number} bytes */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
