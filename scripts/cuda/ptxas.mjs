// What the compiler tells of kernels: the lines of `ptxas -v`, and the launch bounds in PTX.

/**
 * What one kernel needs on one architecture.
 *
 * @typedef {object} Usage
 * @property {number} registers of a thread
 * @property {number} spillStores bytes of a thread, with those of functions that are called
 * @property {number} spillLoads bytes of a thread, likewise
 * @property {number} stackBytes of a thread
 * @property {number} sharedBytes that the kernel has by itself, without what a launch adds
 */

/** @typedef {Usage & {symbol: string, architecture: string}} KernelUsage */

/**
 * Reads what nvcc prints with `-Xptxas -v`, for any number of kernels and architectures.
 *
 * @param {string} output
 * @returns {KernelUsage[]} in the order of the output
 */
export function parsePtxas(output) {
  /** @type {KernelUsage[]} */
  const kernels = [];
  for (const line of output.split('\n')) {
    const entry = /Compiling entry function '([^']+)' for 'sm_(\w+)'/.exec(line);
    if (entry) {
      const [, symbol = '', architecture = ''] = entry;
      kernels.push({
        symbol,
        architecture,
        registers: 0,
        spillStores: 0,
        spillLoads: 0,
        stackBytes: 0,
        sharedBytes: 0,
      });
    }
    const kernel = kernels.at(-1);
    if (kernel) readProperties(kernel, line);
  }
  return kernels;
}

/**
 * @param {KernelUsage} kernel of the entry that the line follows
 * @param {string} line
 */
function readProperties(kernel, line) {
  const number = (/** @type {RegExp} */ pattern) => Number(pattern.exec(line)?.[1] ?? 0);
  // A function that is not inlined has a frame of its own; the line of registers adds up those that can be open at once.
  kernel.spillStores += number(/(\d+) bytes spill stores/);
  kernel.spillLoads += number(/(\d+) bytes spill loads/);
  kernel.stackBytes = Math.max(
    kernel.stackBytes,
    number(/(\d+) bytes stack frame/),
    number(/(\d+) bytes cumulative stack size/),
  );
  kernel.registers ||= number(/Used (\d+) registers/);
  kernel.sharedBytes ||= number(/(\d+)(?:\+\d+)? bytes smem/);
}

/**
 * The lines that nvcc and its parts print besides the figures: warnings, errors, advice.
 *
 * @param {string} output
 */
export function complaintsOf(output) {
  return output.split('\n').filter((line) => /\b(?:warning|error|fatal)\b/i.test(line));
}

/**
 * What PTX says of a kernel.
 *
 * @typedef {object} Entry
 * @property {string} symbol
 * @property {number | undefined} threads most of a block, from `__launch_bounds__`
 * @property {boolean} usesTensorCores
 * @property {boolean} usesDynamicShared
 */

/**
 * Reads the kernels of a PTX file.
 *
 * @param {string} ptx
 * @returns {Entry[]} in the order of the file
 */
export function parsePtx(ptx) {
  // From each entry to the next one. A function called from several kernels stands before them all, and counts for none.
  const parts = ptx.split(/^(?:\.visible\s+|\.weak\s+)?\.entry\s+/m).slice(1);
  return parts.map((text) => {
    const symbol = /^[\w$]+/.exec(text)?.[0] ?? '';
    const bounds = /\.maxntid\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?/.exec(text);
    return {
      symbol,
      threads: bounds
        ? bounds
            .slice(1)
            .map((each) => Number(each ?? 1))
            .reduce((a, b) => a * b)
        : undefined,
      usesTensorCores: /\b(?:mma\.sync|wgmma)\b/.test(text),
      // The array has its mangled name: _ZN8crossmap4cuda14crossmapSharedE.
      usesDynamicShared: text.includes('crossmapShared'),
    };
  });
}
