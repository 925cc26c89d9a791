// Compiling kernels with nvcc for every architecture, to see what it tells of them.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parallelJobs} from '../setup/addon.mjs';
import {capture, isOnPath} from '../setup/commands.mjs';
import {root} from '../setup/places.mjs';
import {showProgress} from '../setup/say.mjs';
import {architectures} from './architectures.mjs';
import {findDemangler, kernelNames} from './names.mjs';
import {complaintsOf, parsePtx, parsePtxas} from './ptxas.mjs';

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

/** nvcc as CMake would find it, or nothing. */
export function findNvcc() {
  const home = process.env['CUDA_HOME'] ?? process.env['CUDA_PATH'];
  const places = [process.env['CUDACXX'], 'nvcc', home && path.join(home, 'bin', 'nvcc')];
  return places.find((place) => place && isOnPath(place));
}

/**
 * The compiler's release, `13.0.88`.
 *
 * @param {string} nvcc
 */
export function nvccVersion(nvcc) {
  const {stdout} = spawnSync(nvcc, ['--version'], {encoding: 'utf8'});
  return /\bV(\d+\.\d+\.\d+)/.exec(stdout ?? '')?.[1] ?? 'unknown';
}

/**
 * Compiles each file once for all architectures, as many at a time as the machine has cores.
 *
 * @param {string} nvcc
 * @param {readonly string[]} files relative to the root, or absolute; include folders are `native` of their own checkout
 * @returns {Promise<Compiled[]>} in the order of the files
 */
export async function compileKernels(nvcc, files) {
  const filter = findDemangler();
  /** @type {Compiled[]} */
  const compiled = [];
  const queue = [...files.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [index, file] = next;
      showProgress(`nvcc ${file}`);
      compiled[index] = await compileOne(nvcc, file, filter);
    }
  };
  await Promise.all(Array.from({length: parallelJobs()}, worker));
  showProgress('');
  return compiled;
}

/**
 * @param {string} nvcc
 * @param {string} file
 * @param {string} filter program that demangles
 * @returns {Promise<Compiled>}
 */
async function compileOne(nvcc, file, filter) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'crossmap-static-'));
  try {
    const start = performance.now();
    const {status, output} = await capture([nvcc, ...flagsOf(file, folder)]);
    const seconds = (performance.now() - start) / 1000;
    const complaints = complaintsOf(output);
    if (status !== 0 && complaints.length === 0) complaints.push(output.trimEnd() || `${nvcc} failed`);
    return {
      file,
      seconds,
      complaints,
      kernels: complaints.length ? [] : kernelsOf(file, output, folder, filter),
    };
  } finally {
    fs.rmSync(folder, {recursive: true, force: true});
  }
}

/**
 * @param {string} file
 * @param {string} folder for what lies between source and object, PTX among it
 */
function flagsOf(file, folder) {
  // A file of another checkout goes with the headers of that one.
  const include = /^.*\/native(?=\/)/.exec(path.resolve(root, file))?.[0] ?? path.join(root, 'native');
  return ['-std=c++20', '--expt-relaxed-constexpr', '-O3', '-Werror', 'all-warnings', '-I', include].concat(
    architectures.flatMap(({name}) => ['-gencode', `arch=compute_${name},code=sm_${name}`]),
    ['-Xptxas', '-v', '--keep', '--keep-dir', folder, '-c', file, '-o', path.join(folder, 'kernels.o')],
  );
}

/**
 * @param {string} file
 * @param {string} output of nvcc
 * @param {string} folder with the PTX
 * @param {string} filter program that demangles
 * @returns {CompiledKernel[]}
 */
function kernelsOf(file, output, folder, filter) {
  const usages = parsePtxas(output);
  // Bounds and instructions are the same in all PTX; the least architecture's is there in any case.
  const stem = path.basename(file).replace(/\.cu$/, '');
  const ptx = fs.readFileSync(path.join(folder, `${stem}.compute_${architectures[0]?.name}.ptx`), 'utf8');
  const entries = new Map(parsePtx(ptx).map((entry) => [entry.symbol, entry]));
  const names = kernelNames(filter, [...entries.keys()]);
  return usages.map(({symbol, ...usage}) => {
    const entry = entries.get(symbol);
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
}
