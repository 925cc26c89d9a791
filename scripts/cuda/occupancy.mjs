// How many warps of a kernel a multiprocessor holds: the rules of cuda_occupancy.h for sm_80 and later.

const warpSize = 32;
const registers = 65536; // of a multiprocessor
const partitions = 4; // of a multiprocessor, each with its own registers and warps
const registerUnit = 256; // registers are given to a warp in so many
const sharedUnit = 128; // bytes
const systemSharedBytes = 1024; // that each block takes besides its own

/**
 * @typedef {object} Launch
 * @property {number} threads of a block
 * @property {number} registers of a thread
 * @property {number} sharedBytes of a block, static and dynamic
 */

/**
 * @typedef {object} Occupancy
 * @property {number} blocks resident on a multiprocessor
 * @property {number} occupancy resident warps as a share of the most that the multiprocessor holds
 * @property {'warps' | 'blocks' | 'registers' | 'shared'} limit what keeps a further block away; the first of several
 */

/**
 * A block that does not fit at all has 0 blocks.
 *
 * @param {Launch} launch
 * @param {import('./architectures.mjs').Architecture} architecture
 * @returns {Occupancy}
 */
export function occupancyOf(launch, architecture) {
  const warps = Math.ceil(launch.threads / warpSize);
  /** @type {readonly (readonly [Occupancy['limit'], number])[]} */
  const limits = [
    ['warps', Math.floor(architecture.warps / warps)],
    ['blocks', architecture.blocks],
    ['registers', blocksByRegisters(warps, launch.registers)],
    ['shared', blocksByShared(launch.sharedBytes, architecture)],
  ];
  const [limit, blocks] = limits.reduce((least, each) => (each[1] < least[1] ? each : least));
  return {blocks, occupancy: (blocks * warps) / architecture.warps, limit};
}

/**
 * @param {number} warps of a block
 * @param {number} perThread
 */
function blocksByRegisters(warps, perThread) {
  if (perThread === 0) return Infinity;
  const perWarp = roundUp(perThread * warpSize, registerUnit);
  // The warps of a block are dealt to the partitions in turn: the fullest one must have the registers.
  if (perWarp * roundUp(warps, partitions) > registers) return 0;
  const resident = Math.floor(registers / partitions / perWarp) * partitions;
  return Math.floor(resident / warps);
}

/**
 * @param {number} sharedBytes
 * @param {import('./architectures.mjs').Architecture} architecture
 */
function blocksByShared(sharedBytes, architecture) {
  if (sharedBytes > architecture.sharedBytesPerBlock) return 0;
  return Math.floor(architecture.sharedBytes / roundUp(sharedBytes + systemSharedBytes, sharedUnit));
}

/**
 * @param {number} value
 * @param {number} unit
 */
function roundUp(value, unit) {
  return Math.ceil(value / unit) * unit;
}
