// bench/results/static.json: what each kernel needs on each architecture, and what may not grow unnoticed.
import path from 'node:path';
import {occupancyOf} from './occupancy.mjs';
import {architectures} from './architectures.mjs';

/**
 * A kernel on one architecture, as it is recorded.
 *
 * @typedef {object} Figures
 * @property {number} registers of a thread
 * @property {number} spillStores bytes of a thread
 * @property {number} spillLoads bytes of a thread
 * @property {number} stackBytes of a thread
 * @property {number} threads of a block: of the launch with the most shared memory in bench/gpu/launches.ts; where that does not launch
 *   the kernel, the most by its launch bounds, or 1024
 * @property {number} sharedBytes of a block in that launch
 * @property {number} blocks resident on a multiprocessor
 * @property {number} occupancy resident warps as a share of the most; from 0 to 1
 * @property {string} limit what keeps a further block away
 */

/**
 * @typedef {object} KernelRecord
 * @property {number | null} threads most of a block by its launch bounds; null where a kernel has none
 * @property {boolean} tensorCores
 * @property {number} sharedBytes that the kernel has by itself, without what a launch adds
 * @property {Record<string, Figures>} architectures by name: `sm_80`
 */

/**
 * @typedef {object} Acceptance
 * @property {string} reason
 * @property {readonly string[]} grown what grew, as the comparison named it
 */

/**
 * @typedef {object} StaticRecord
 * @property {string} nvcc version
 * @property {Record<string, KernelRecord>} kernels by file and name, sorted: `cast-cuda.cu castKernel<float>`
 * @property {readonly Acceptance[]} accepted oldest first
 */

/**
 * @param {readonly import('./compile.mjs').CompiledKernel[]} compiled
 * @param {import('./launches.mjs').Launches} launches
 * @returns {Record<string, KernelRecord>}
 */
export function recordKernels(compiled, launches) {
  /** @type {Record<string, KernelRecord>} */
  const kernels = {};
  for (const each of [...compiled].sort(byKernel)) {
    const {architecture, registers, spillStores, spillLoads, stackBytes} = each;
    const key = keyOf(each);
    const kernel = (kernels[key] ??= {
      threads: each.threads ?? null,
      tensorCores: each.usesTensorCores,
      sharedBytes: each.sharedBytes,
      architectures: {},
    });
    const usage = {registers, spillStores, spillLoads, stackBytes};
    const launch = launches.get(architecture)?.get(key);
    kernel.architectures[`sm_${architecture}`] = {
      ...usage,
      ...occupied(kernel, architecture, registers, launch),
    };
  }
  return kernels;
}

/**
 * What was recorded of the compiler, with the occupancy of the launches of now.
 *
 * @param {Readonly<Record<string, KernelRecord>>} kernels
 * @param {import('./launches.mjs').Launches} launches
 * @returns {Record<string, KernelRecord>}
 */
export function relaunchKernels(kernels, launches) {
  return Object.fromEntries(
    Object.entries(kernels).map(([key, {threads, tensorCores, sharedBytes, architectures}]) => {
      const kernel = {threads, tensorCores, sharedBytes};
      const relaunched = Object.entries(architectures).map(([name, figures]) => {
        const {registers, spillStores, spillLoads, stackBytes} = figures;
        const architecture = name.slice('sm_'.length);
        const launch = launches.get(architecture)?.get(key);
        const usage = {registers, spillStores, spillLoads, stackBytes};
        return [name, {...usage, ...occupied(kernel, architecture, registers, launch)}];
      });
      return [key, {...kernel, architectures: Object.fromEntries(relaunched)}];
    }),
  );
}

/**
 * Kernels whose dynamic shared memory nobody knows, so that their occupancy is too high.
 *
 * @param {readonly import('./compile.mjs').CompiledKernel[]} compiled
 * @param {import('./launches.mjs').Launches} launches
 * @returns {string[]}
 */
export function unknownLaunches(compiled, launches) {
  const unknown = compiled.filter(
    (each) => each.usesDynamicShared && !launches.get(each.architecture)?.has(keyOf(each)),
  );
  return [...new Set(unknown.map(keyOf))]
    .sort()
    .map(
      (key) => `${key} takes its shared memory at the launch, and bench/gpu/launches.ts does not launch it`,
    );
}

/** @param {import('./compile.mjs').CompiledKernel} kernel */
function keyOf({file, kernel}) {
  return `${path.basename(file)} ${kernel}`;
}

/**
 * @param {Pick<KernelRecord, 'threads' | 'sharedBytes'>} kernel
 * @param {string} architecture
 * @param {number} registers of a thread
 * @param {import('./launches.mjs').Launch | undefined} launch
 */
function occupied(kernel, architecture, registers, launch) {
  const found = architectures.find(({name}) => name === architecture);
  if (!found) throw new Error(`ptxas reports sm_${architecture}, which was not asked for`);
  const threads = launch?.threads ?? kernel.threads ?? 1024;
  const sharedBytes = kernel.sharedBytes + (launch?.sharedBytes ?? 0);
  const {blocks, occupancy, limit} = occupancyOf({threads, registers, sharedBytes}, found);
  return {threads, sharedBytes, blocks, occupancy: Math.round(occupancy * 1000) / 1000, limit};
}

/**
 * By file, then by name, in the order of architectures: a build's order of kernels means nothing.
 *
 * @param {import('./compile.mjs').CompiledKernel} a
 * @param {import('./compile.mjs').CompiledKernel} b
 */
function byKernel(a, b) {
  const order = [a.file.localeCompare(b.file), a.kernel.localeCompare(b.kernel)];
  const place = (/** @type {string} */ architecture) =>
    architectures.findIndex(({name}) => name === architecture);
  return order.find((each) => each !== 0) ?? place(a.architecture) - place(b.architecture);
}

/**
 * Spills in the main loop of a kernel on tensor cores, which nothing excuses: an operand that goes through memory
 * costs more than what it is multiplied with.
 *
 * @param {Readonly<Record<string, KernelRecord>>} kernels
 * @returns {string[]}
 */
export function mainLoopSpills(kernels) {
  return eachFigures(kernels).flatMap(({name, architecture, kernel, figures}) =>
    kernel.tensorCores && figures.spillStores + figures.spillLoads > 0
      ? [
          `${name} on ${architecture} spills in its main loop: ${figures.spillStores} bytes stored, ` +
            `${figures.spillLoads} loaded`,
        ]
      : [],
  );
}

/**
 * What is worse than before. A kernel that is new may have registers as it likes, but spills and a stack are growth.
 *
 * @param {Readonly<Record<string, KernelRecord>>} kernels
 * @param {Readonly<Record<string, KernelRecord>>} before
 * @returns {string[]}
 */
export function growth(kernels, before) {
  return eachFigures(kernels).flatMap(({name, architecture, figures}) => {
    const old = before[name]?.architectures[architecture];
    const grown = /** @type {const} */ (['registers', 'spillStores', 'spillLoads', 'stackBytes']).flatMap(
      (key) => {
        const was = old ? old[key] : key === 'registers' ? Infinity : 0;
        return figures[key] > was ? [`${key} ${was} -> ${figures[key]}`] : [];
      },
    );
    return grown.length ? [`${name} on ${architecture}: ${grown.join(', ')}`] : [];
  });
}

/**
 * Where the record is no longer what the compiler says, whatever the direction.
 *
 * @param {Readonly<Record<string, KernelRecord>>} kernels
 * @param {Readonly<Record<string, KernelRecord>>} before
 * @returns {string[]}
 */
export function differences(kernels, before) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(kernels)])].sort();
  return names.flatMap((name) => {
    const [now, old] = [kernels[name], before[name]];
    if (!old) return [`${name} is not recorded`];
    if (!now) return [`${name} is recorded and does not exist`];
    return JSON.stringify(now) === JSON.stringify(old) ? [] : [`${name} is recorded with other figures`];
  });
}

/**
 * As JSON with a line for each kernel's figures on an architecture, so that a change shows what it changed.
 *
 * @param {StaticRecord} record
 */
export function recordText(record) {
  const text = JSON.stringify(record, undefined, 1);
  return `${text.replace(/\{[^{}[\]]*\}/g, (figures) => figures.replace(/\s*\n\s*/g, ' '))}\n`;
}

/** @param {Readonly<Record<string, KernelRecord>>} kernels */
function eachFigures(kernels) {
  return Object.entries(kernels).flatMap(([name, kernel]) =>
    Object.entries(kernel.architectures).map(([architecture, figures]) => ({
      name,
      architecture,
      kernel,
      figures,
    })),
  );
}
