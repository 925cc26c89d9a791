// The native addon, built by cmake-js, once as users run it and once under sanitizers.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {firstLine, isOnPath, runLogged} from './commands.mjs';
import {fingerprints, hash, listFiles, readJson, writeJson} from './files.mjs';
import {inRoot, packageFolder, root, toolScript} from './places.mjs';
import {say, since} from './say.mjs';
import {compilers, provideSystem} from './system.mjs';
import {toolEnvironment} from './tools.mjs';

/**
 * @typedef {object} Flavour
 * @property {string} what
 * @property {string} out build folder
 * @property {string} target of CMake: the addon's name
 * @property {string} config CMake's build type
 * @property {readonly string[]} options of CMake
 */

export const flavours = /** @satisfies {Record<string, Flavour>} */ ({
  cpu: {what: 'the native addon', out: 'build-cmake', target: 'crossmap-cpu', config: 'Release', options: []},
  simt: {
    what: 'the native addon with the emulated GPU',
    out: 'build-cmake',
    target: 'crossmap-simt',
    config: 'Release',
    options: [],
  },
  cuda: {
    what: 'the native addon with CUDA',
    out: 'build-cuda',
    target: 'crossmap-cuda',
    config: 'Release',
    options: ['CROSSMAP_CUDA=ON'],
  },
  arm64: {
    what: 'the native addon for arm64',
    out: 'build-arm64',
    target: 'crossmap-cpu',
    config: 'Release',
    options: [
      'CMAKE_SYSTEM_NAME=Linux',
      'CMAKE_SYSTEM_PROCESSOR=aarch64',
      'CMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
    ],
  },
  asan: {
    what: 'the native addon under AddressSanitizer and UBSan',
    out: 'build-asan',
    target: 'crossmap-cpu',
    config: 'RelWithDebInfo',
    options: ['CROSSMAP_SANITIZE=ON', 'CMAKE_CXX_COMPILER=g++'],
  },
});

/** @param {Flavour} flavour */
export function addonFile({out, target, config}) {
  return inRoot(out, config, `${target}.node`);
}

/** @param {Flavour} flavour */
export function addonIsCurrent(flavour) {
  const stamp = readStamp(flavour);
  return (
    fs.existsSync(addonFile(flavour)) &&
    stamp?.configuration === configuration(flavour) &&
    hash(JSON.stringify(stamp.files)) === hash(JSON.stringify(fingerprints(sources())))
  );
}

/**
 * Compiles what changed. Another compiler, library or option starts from an empty folder.
 *
 * @param {Flavour} flavour
 */
export async function buildAddon(flavour) {
  await provideSystem(['compiler', 'cmake', 'builder']);
  const start = performance.now();
  const folder = inRoot(flavour.out);
  const last = lastBuild(flavour);
  const key = configuration(flavour);
  const files = fingerprints(sources());
  const fresh = last?.stamp.configuration !== key;
  if (fresh) fs.rmSync(folder, {recursive: true, force: true});
  else touchOldSources(files, last.stamp.files, last.file);
  say(`building ${flavour.what} (${fresh ? 'all of it: takes minutes' : 'what changed'})`);
  await runLogged(
    `addon-${path.basename(flavour.out)}`,
    [
      process.execPath,
      toolScript('cmake-js', 'bin/cmake-js'),
      'build',
      '--out',
      flavour.out,
      '--config',
      flavour.config,
      '--target',
      flavour.target,
      '--parallel',
      String(parallelJobs()),
      ...flavour.options.map((option) => `--CD${option}`),
    ],
    {env: toolEnvironment()},
  );
  writeJson(stampFile(flavour), {configuration: key, files});
  say(`${flavour.what} built in ${since(start)}`);
}

/**
 * What Node needs to load the sanitized addon: the runtime first of all libraries, and with it libstdc++,
 * whose `__cxa_throw` it looks up when it starts. Leaks are not looked for: V8 frees nothing at exit. A request for
 * more memory than there is fails as it does without sanitizers.
 */
export function sanitizerEnvironment() {
  const libraries = ['libasan.so', 'libstdc++.so'].map((name) =>
    firstLine(['g++', `-print-file-name=${name}`]),
  );
  return {
    ...process.env,
    CROSSMAP_ADDON: addonFile(flavours.asan),
    LD_PRELOAD: libraries.join(' '),
    ASAN_OPTIONS:
      'detect_leaks=0:halt_on_error=1:abort_on_error=1:detect_stack_use_after_return=1:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'halt_on_error=1:abort_on_error=1:print_stacktrace=1',
  };
}

/** A compiler on these sources takes up to about 1 GiB: more jobs than that would swap. */
export function parallelJobs() {
  return Math.max(
    1,
    Math.min(os.availableParallelism?.() ?? os.cpus().length, Math.floor(os.totalmem() / 2 ** 30)),
  );
}

/**
 * All that decides how the compiler is called; the checkout's place too, for CMake keeps absolute paths.
 *
 * @param {Flavour} flavour
 */
function configuration(flavour) {
  const version = (/** @type {string} */ name) =>
    readJson(path.join(packageFolder(name) ?? '', 'package.json'))?.version;
  const compiler = compilers().find(isOnPath);
  return hash(
    JSON.stringify([
      root,
      process.platform,
      process.arch,
      flavour.options,
      compiler && [compiler, firstLine([compiler, '--version'])],
      isOnPath('ninja'),
      version('cmake-js'),
      version('node-addon-api'),
    ]),
  );
}

function sources() {
  return listFiles(['CMakeLists.txt', 'native']);
}

/**
 * @param {Flavour} flavour
 * @returns {{configuration: string, files: Record<string, string>} | undefined}
 */
function readStamp(flavour) {
  return readJson(stampFile(flavour));
}

/**
 * The last build of this flavour, or else of another one in the same folder: they share most objects.
 *
 * @param {Flavour} flavour
 */
function lastBuild(flavour) {
  const siblings = Object.values(flavours).filter(({out}) => out === flavour.out);
  for (const each of [flavour, ...siblings]) {
    const stamp = readStamp(each);
    if (stamp) return {stamp, file: stampFile(each)};
  }
  return undefined;
}

/** @param {Flavour} flavour */
function stampFile({out, target}) {
  return inRoot(out, `.${target}.json`);
}

/**
 * Ninja and make go by times. A file that was unpacked or copied with its old time looks built to them, so a
 * file whose content changed gets a new time where it needs one.
 *
 * @param {Record<string, string>} files
 * @param {Record<string, string>} before
 * @param {string} lastBuild file written at the end of the last build
 */
function touchOldSources(files, before, lastBuild) {
  const built = fs.statSync(lastBuild).mtimeMs;
  const now = new Date();
  for (const [file, print] of Object.entries(files)) {
    if (before[file] !== print && fs.statSync(inRoot(file)).mtimeMs <= built)
      fs.utimesSync(inRoot(file), now, now);
  }
}
