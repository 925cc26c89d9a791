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
 * @property {number} blocks resident on a multiprocessor
 * @property {number} occupancy resident warps as a share of the most; from 0 to 1
 * @property {string} limit what keeps a further block away
 */

/**
 * @typedef {object} KernelRecord
 * @property {number | null} threads most of a block by its launch bounds, and what occupancy is computed for; null
 *   where a kernel has no bounds: then it is computed for 1024
 * @property {boolean} tensorCores
 * @property {number} sharedBytes static; and dynamic, where it is known
 * @property {boolean} sharedIsKnown whether `sharedBytes` is all; if not, occupancy is what registers and threads allow
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
 * @param {Readonly<Record<string, number>>} dynamicShared most bytes that launches add, by file and name of the kernel
 * @returns {Record<string, KernelRecord>}
 */
export function recordKernels(compiled, dynamicShared) {
  /** @type {Record<string, KernelRecord>} */
  const kernels = {};
  for (const each of [...compiled].sort(byKernel)) {
    const {registers, spillStores, spillLoads, stackBytes} = each;
    const key = `${path.basename(each.file)} ${each.kernel}`;
    const added = dynamicShared[key];
    const sharedBytes = each.sharedBytes + (added ?? 0);
    const {blocks, occupancy, limit} = occupancyFor(each, sharedBytes);
    kernels[key] ??= {
      threads: each.threads ?? null,
      tensorCores: each.usesTensorCores,
      sharedBytes,
      sharedIsKnown: !each.usesDynamicShared || added !== undefined,
      architectures: {},
    };
    kernels[key].architectures[`sm_${each.architecture}`] = {
      registers,
      spillStores,
      spillLoads,
      stackBytes,
      blocks,
      occupancy: Math.round(occupancy * 1000) / 1000,
      limit,
    };
  }
  return kernels;
}

/**
 * @param {import('./compile.mjs').CompiledKernel} kernel
 * @param {number} sharedBytes
 */
function occupancyFor({architecture, threads = 1024, registers}, sharedBytes) {
  const found = architectures.find(({name}) => name === architecture);
  if (!found) throw new Error(`ptxas reports sm_${architecture}, which was not asked for`);
  return occupancyOf({threads, registers, sharedBytes}, found);
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
