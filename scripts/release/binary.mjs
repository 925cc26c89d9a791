// What a built addon is: its sections, what it needs of a system, whether it loads. By binutils, for any processor.
import {spawnSync} from 'node:child_process';
import {SetUpError} from '../setup/say.mjs';

/** Of the C library; Debian 12, Ubuntu 22.04, RHEL 9 and Amazon Linux 2023 have it. */
export const oldestGlibc = '2.34';

/** Of glibc, and the compiler's own, which Node needs too. */
const systemLibraries = /^(?:libc|libm|libdl|librt|libpthread|libgcc_s)\.so\.\d+$|^ld-linux-[\w-]+\.so\.\d+$/;

/**
 * What keeps an addon from running on another system, as sentences; none where nothing does.
 *
 * @param {string} file
 */
export function needsBeyondSystem(file) {
  const dynamic = readelf(['--dynamic', file]);
  const libraries = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name);
  const versions = [...readelf(['--version-info', file]).matchAll(/Name: (\w+)_([\d.]+)/g)];
  const newest = versions
    .filter(([, library]) => library === 'GLIBC')
    .map(([, , version = '']) => version)
    .sort(byVersion)
    .at(-1);
  return [
    ...libraries.filter((name) => !systemLibraries.test(name)).map((name) => `it needs ${name}`),
    ...(/\((?:RPATH|RUNPATH)\)/.test(dynamic) ? ['it looks for libraries in a folder of this machine'] : []),
    ...(newest !== undefined && byVersion(newest, oldestGlibc) > 0
      ? [`it needs glibc ${newest}, newer than ${oldestGlibc}`]
      : []),
  ];
}

/**
 * The largest sections of an addon.
 *
 * @param {string} file
 * @returns {{name: string, bytes: number}[]} the largest first
 */
export function sectionsOf(file) {
  const rows = readelf(['--section-headers', '--wide', file]).matchAll(
    /^ +\[ *\d+\] +(\S+) +(\S+) +[\da-f]+ +[\da-f]+ +([\da-f]+) /gm,
  );
  return [...rows]
    .filter(([, , type]) => type !== 'NOBITS')
    .map(([, name = '', , size = '']) => ({name, bytes: Number.parseInt(size, 16)}))
    .sort((a, b) => b.bytes - a.bytes);
}

/**
 * Loads an addon in a process with no environment and computes with it.
 *
 * @param {string} file
 * @param {string} library the built library's folder
 */
export function tryInCleanProcess(file, library) {
  const program = `
    import {full} from ${JSON.stringify(`file://${library}/tensor/index.js`)};
    import {matmul} from ${JSON.stringify(`file://${library}/ops/index.js`)};
    console.log(String(await matmul(full([2, 3], 1), full([3, 2], 2)).data()));`;
  const {status, signal, stdout, stderr} = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', program],
    {
      encoding: 'utf8',
      env: {CROSSMAP_ADDON: file},
    },
  );
  if (status === 0 && stdout.trim() === '6,6,6,6') return;
  const how = signal ?? `status ${status}`;
  throw new SetUpError(`${file} does not compute in a clean process (${how}): ${stdout}${stderr}`);
}

/** @param {readonly string[]} args */
function readelf(args) {
  const {status, stdout, stderr, error} = spawnSync('readelf', args, {encoding: 'utf8', maxBuffer: 2 ** 26});
  if (error) throw new SetUpError('readelf is missing: sudo apt-get install binutils');
  if (status !== 0) throw new SetUpError(`readelf ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/**
 * @param {string} a
 * @param {string} b
 */
function byVersion(a, b) {
  return a.localeCompare(b, 'en', {numeric: true});
}
