// The architectures that kernels are compiled for, and what a multiprocessor of each has.

/**
 * What bounds the number of resident blocks. From "Compute Capabilities" in NVIDIA's CUDA C++ Programming Guide.
 *
 * @typedef {object} Architecture
 * @property {string} name as nvcc spells it after `sm_`; `a` asks for instructions of that architecture alone
 * @property {number} warps most resident warps of a multiprocessor
 * @property {number} blocks most resident blocks of a multiprocessor
 * @property {number} sharedBytes most shared memory of a multiprocessor
 * @property {number} sharedBytesPerBlock most shared memory that one block can ask for
 */

/** @type {readonly Architecture[]} */
export const architectures = [
  {name: '80', warps: 64, blocks: 32, sharedBytes: 164 * 1024, sharedBytesPerBlock: 163 * 1024},
  {name: '86', warps: 48, blocks: 16, sharedBytes: 100 * 1024, sharedBytesPerBlock: 99 * 1024},
  {name: '89', warps: 48, blocks: 24, sharedBytes: 100 * 1024, sharedBytesPerBlock: 99 * 1024},
  {name: '90a', warps: 64, blocks: 32, sharedBytes: 228 * 1024, sharedBytesPerBlock: 227 * 1024},
  {name: '100', warps: 64, blocks: 32, sharedBytes: 228 * 1024, sharedBytesPerBlock: 227 * 1024},
  {name: '120', warps: 48, blocks: 24, sharedBytes: 100 * 1024, sharedBytesPerBlock: 99 * 1024},
];
