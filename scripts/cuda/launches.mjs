// With how many threads and how much shared memory kernels are launched. The emulator tells, which executes the plans that choose it.
import {spawnSync} from 'node:child_process';
import {addonFile, flavours} from '../setup/addon.mjs';
import {inRoot} from '../setup/places.mjs';
import {SetUpError, showProgress} from '../setup/say.mjs';
import {setUp} from '../setup/set-up.mjs';
import {architectures} from './architectures.mjs';
import {findDemangler, kernelNames} from './names.mjs';

/**
 * A launch, as it bears on occupancy.
 *
 * @typedef {object} Launch
 * @property {number} threads of a block
 * @property {number} sharedBytes dynamic, of a block
 */

/**
 * A function of the addon.
 *
 * @typedef {object} NativeFunction
 * @property {number} entry where it begins in the file
 * @property {string} symbol
 * @property {string} file that was compiled
 */

/**
 * The launches of an architecture by file and name of the kernel: `cast-cuda.cu castKernel<float>`. By the architecture's name.
 *
 * @typedef {ReadonlyMap<string, ReadonlyMap<string, Launch>>} Launches
 */

/**
 * Launches the kernels on the emulator, whose addon is built where it is not current, and takes for each the launch with the most shared
 * memory. Plans depend on the shared memory of an architecture, which the emulator takes on.
 *
 * @returns {Promise<Launches>}
 */
export async function recordLaunches() {
  await setUp(['packages', 'simt', 'types']);
  const addon = addonFile(flavours.simt);
  const functions = parseFunctions(outputOf(['readelf', '--symbols', '--wide', addon]));
  const filter = findDemangler();
  /** @type {Map<number, ReadonlyMap<string, Launch>>} */
  const bySharedBytes = new Map();
  for (const sharedBytes of new Set(architectures.map((each) => each.sharedBytesPerBlock))) {
    showProgress(`launches with ${sharedBytes} bytes of shared memory`);
    const printed = outputOf([process.execPath, inRoot('dist', 'bench', 'gpu', 'launches.js')], {
      CROSSMAP_ADDON: addon,
      CROSSMAP_SIMT: `check=0,shared=${sharedBytes}`, // races and bounds are what the tests look at
    });
    const largest = largestLaunches(JSON.parse(printed), functions, (symbols) =>
      kernelNames(filter, symbols),
    );
    bySharedBytes.set(sharedBytes, largest);
  }
  showProgress('');
  return new Map(
    architectures.map(({name, sharedBytesPerBlock}) => [
      name,
      bySharedBytes.get(sharedBytesPerBlock) ?? new Map(),
    ]),
  );
}

/**
 * @param {readonly string[]} command
 * @param {NodeJS.ProcessEnv} [env] besides the process's own
 */
function outputOf([program = '', ...args], env = {}) {
  const {status, stdout, stderr, error} = spawnSync(program, args, {
    encoding: 'utf8',
    env: {...process.env, ...env},
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return stdout;
  throw new SetUpError(`static: ${program} ${args.join(' ')} failed: ${error?.message ?? stderr.trimEnd()}`);
}

/**
 * Reads the functions that are local to their files, as kernels are, from the table of `readelf --symbols --wide`, where they follow the
 * name of the file.
 *
 * @param {string} table
 * @returns {NativeFunction[]}
 */
export function parseFunctions(table) {
  /** @type {NativeFunction[]} */
  const functions = [];
  let file = '';
  for (const line of table.split('\n')) {
    // Number: value, size, type, binding, visibility, section, name.
    const [, value = '', , type, binding, , , symbol = ''] = line.trim().split(/\s+/);
    if (type === 'FILE') file = symbol;
    if (type === 'FUNC' && binding === 'LOCAL')
      functions.push({entry: Number.parseInt(value, 16), symbol, file});
  }
  return functions;
}

/**
 * @param {readonly (Launch & {entry: number})[]} launches
 * @param {readonly NativeFunction[]} functions
 * @param {(symbols: readonly string[]) => ReadonlyMap<string, string>} namesOf the kernels of a file
 * @returns {ReadonlyMap<string, Launch>} by file and name
 */
export function largestLaunches(launches, functions, namesOf) {
  /** @type {Map<string, Launch>} */
  const largest = new Map();
  const launched = functions.filter(({entry}) => launches.some((launch) => launch.entry === entry));
  for (const file of new Set(launched.map((each) => each.file))) {
    const local = launched.filter((each) => each.file === file);
    const names = namesOf(local.map(({symbol}) => symbol));
    for (const {entry, symbol} of local) {
      const of = launches.filter((launch) => launch.entry === entry);
      const {threads, sharedBytes} = of.reduce((a, b) => (b.sharedBytes > a.sharedBytes ? b : a));
      largest.set(`${file} ${names.get(symbol) ?? symbol}`, {threads, sharedBytes});
    }
  }
  return largest;
}
