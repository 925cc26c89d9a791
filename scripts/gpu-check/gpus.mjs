// Which GPUs are here, and what they could do at most.
import {spawnSync} from 'node:child_process';

/**
 * @typedef {object} Gpu
 * @property {string} name as the driver calls it
 * @property {string} driver version
 * @property {number} memoryBytes
 * @property {string} capability `9.0`
 * @property {number} [flopsPerSecond] bfloat16 on tensor cores, dense, where the model is known
 */

const query = ['name', 'driver_version', 'memory.total', 'compute_cap'];

/**
 * Dense bfloat16 operations per second with float32 sums, from NVIDIA's data sheets (those that give figures with sparsity: half).
 * The first that a name contains counts.
 *
 * @type {readonly (readonly [RegExp, number])[]}
 */
const rates = [
  [/\bB200\b/, 2250e12],
  [/\bH200\b|\bGH200\b|\bH100 (?!PCIe|NVL)/, 989e12],
  [/\bH100 NVL\b/, 835e12],
  [/\bH100 PCIe\b/, 756e12],
  [/\bA100\b/, 312e12],
  [/\bL40S\b/, 362e12],
  [/\bL4\b/, 121e12],
  [/\bA10\b/, 125e12],
  [/\bRTX 4090\b/, 165e12],
  [/\bRTX 3090\b/, 71e12],
];

/** @returns {Gpu[]} none where there is no driver */
export function findGpus() {
  const result = spawnSync(
    'nvidia-smi',
    [`--query-gpu=${query.join(',')}`, '--format=csv,noheader,nounits'],
    {
      encoding: 'utf8',
    },
  );
  return result.status === 0 ? parseGpus(result.stdout) : [];
}

/**
 * @param {string} output of nvidia-smi, a line for each GPU
 * @returns {Gpu[]}
 */
export function parseGpus(output) {
  return output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', driver = '', mebibytes = '', capability = ''] = line
        .split(',')
        .map((each) => each.trim());
      const rate = rates.find(([pattern]) => pattern.test(name))?.[1];
      return {
        name,
        driver,
        memoryBytes: Number(mebibytes) * 2 ** 20,
        capability,
        ...(rate !== undefined && {flopsPerSecond: rate}),
      };
    });
}

/**
 * A name for files: `nvidia-h100-80gb-hbm3`.
 *
 * @param {string} name
 */
export function fileNameOf(name) {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}
