/** Runs every case of the emulator's benches once on a device: what a checker of memory accesses watches. `--device D`. */
import {parseArgs} from 'node:util';
import {benchCases} from '../../lib/bench/index.js';
import {requireDevice, scope, synchronize, type Device} from '../../lib/tensor/index.js';

const {values: flags} = parseArgs({options: {device: {type: 'string', default: 'cuda'}}});
const device = flags.device as Device;
requireDevice(device);
const failures: string[] = [];
for (const {op, shape, prepare} of benchCases) {
  try {
    scope(() => {
      for (const {run} of prepare(device)) run();
    });
    await synchronize(device);
  } catch (error) {
    failures.push(`${op} ${shape}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
console.log(JSON.stringify({cases: benchCases.length, failures}));
process.exitCode = failures.length === 0 ? 0 : 1;
