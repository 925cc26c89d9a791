// What nvcc tells of kernels on every architecture: of those of the addon with CUDA, and of files alone.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {flavours, parallelJobs} from '../setup/addon.mjs';
import {capture} from '../setup/commands.mjs';
import {kernelObject} from '../setup/cuda.mjs';
import {readJson} from '../setup/files.mjs';
import {inRoot, root} from '../setup/places.mjs';
import {SetUpError, showProgress} from '../setup/say.mjs';
import {setUp} from '../setup/set-up.mjs';
import {architectures} from './architectures.mjs';
import {findDemangler, kernelNames} from './names.mjs';
import {complaintsOf, parsePtxas} from './ptxas.mjs';

/** @typedef {import('./nvcc.mjs').Told} Told */

/**
 * A kernel on one architecture.
 *
 * @typedef {import('./ptxas.mjs').Usage & {
 *   file: string,
 *   kernel: string,
 *   architecture: string,
 *   threads: number | undefined,
 *   usesTensorCores: boolean,
 *   usesDynamicShared: boolean,
 * }} CompiledKernel
 */

/**
 * @typedef {object} Compiled
 * @property {string} file
 * @property {number} seconds
 * @property {readonly string[]} complaints warnings and errors; a file with any counts as failed
 * @property {readonly CompiledKernel[]} kernels
 */

/**
 * The kernels of the addon with CUDA, which is built where it is not current: only what changed is compiled.
 *
 * @returns {Promise<Compiled[]>} in the order of native/sources.json; one with a complaint and no kernels where the
 *   build failed
 */
export async function builtKernels() {
  try {
    await setUp(['packages', 'cuda']);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    return [{file: flavours.cuda.out, seconds: 0, complaints: [error.message], kernels: []}];
  }
  const filter = findDemangler();
  /** @type {readonly string[]} */
  const files = readJson(inRoot('native', 'sources.json')).cuda;
  return files.map((file) => {
    /** @type {Told | undefined} */
    const told = readJson(`${kernelObject(file)}.json`);
    if (!told) throw new Error(`${file}: its object has no figures beside it; remove ${flavours.cuda.out}`);
    return compiled(file, told, filter);
  });
}

/**
 * Compiles each file for all architectures, as many at a time as the machine has cores.
 *
 * @param {string} nvcc
 * @param {readonly string[]} files relative to the root, or absolute; include folders are `native` of their own checkout
 * @returns {Promise<Compiled[]>} in the order of the files
 */
export async function compileFiles(nvcc, files) {
  const filter = findDemangler();
  /** @type {Compiled[]} */
  const all = [];
  const queue = [...files.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, file] = next;
      showProgress(`nvcc ${file}`);
      all[index] = await compileFile(nvcc, file, filter);
    }
  };
  await Promise.all(Array.from({length: parallelJobs()}, worker));
  showProgress('');
  return all;
}

/**
 * @param {string} nvcc
 * @param {string} file
 * @param {string} filter program that demangles
 * @returns {Promise<Compiled>}
 */
async function compileFile(nvcc, file, filter) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crossmap-static-'));
  try {
    const object = path.join(folder, 'kernels.o');
    const launcher = inRoot('scripts', 'cuda', 'nvcc.mjs');
    const {status, output} = await capture([process.execPath, launcher, nvcc, ...flagsOf(file, object)]);
    if (status === 0) return compiled(file, readJson(`${object}.json`), filter);
    const complaints = complaintsOf(output);
    return {file, seconds: 0, complaints: complaints.length ? complaints : [output.trimEnd()], kernels: []};
  } finally {
    fs.rmSync(folder, {recursive: true, force: true});
  }
}

/**
 * Those of native/cuda.cmake.
 *
 * @param {string} file
 * @param {string} object
 */
function flagsOf(file, object) {
  // A file of another checkout goes with the headers of that one.
  const include = /^.*\/native(?=\/)/.exec(path.resolve(root, file))?.[0] ?? path.join(root, 'native');
  return ['-std=c++20', '--expt-relaxed-constexpr', '-O3', '-DNDEBUG', '-Werror', 'all-warnings'].concat(
    architectures.flatMap(({name}) => ['-gencode', `arch=compute_${name},code=sm_${name}`]),
    ['-I', include, '-c', file, '-o', object],
  );
}

/**
 * @param {string} file
 * @param {Told} told
 * @param {string} filter program that demangles
 * @returns {Compiled}
 */
function compiled(file, {seconds, output, entries}, filter) {
  const bySymbol = new Map(entries.map((entry) => [entry.symbol, entry]));
  const names = kernelNames(filter, [...bySymbol.keys()]);
  const kernels = parsePtxas(output).map(({symbol, ...usage}) => {
    const entry = bySymbol.get(symbol);
    if (!entry) throw new Error(`${file}: ptxas names the kernel ${symbol}, which is not in the PTX`);
    const {threads, usesTensorCores, usesDynamicShared} = entry;
    return {
      file,
      kernel: names.get(symbol) ?? symbol,
      ...usage,
      threads,
      usesTensorCores,
      usesDynamicShared,
    };
  });
  return {file, seconds, complaints: complaintsOf(output), kernels};
}
