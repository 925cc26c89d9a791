/**
 * Tensors of more than 2^31 elements: an offset of 32 bits is wrong from there on. Each case looks at the last elements. `--device D`;
 * `--elements N` is another boundary, for dry runs; the last line is JSON.
 */
import {parseArgs} from 'node:util';
import {emptyCache, requireDevice, type Device} from '../../lib/tensor/index.js';
import {cases} from './large-cases.js';

const {values: flags} = parseArgs({
  options: {device: {type: 'string', default: 'cuda'}, elements: {type: 'string', default: String(2 ** 31)}},
});
const device = flags.device as Device;
const elements = Number(flags.elements);
requireDevice(device);

const results: {name: string; error?: string}[] = [];
for (const [name, run] of Object.entries(cases)) {
  try {
    await run({device, elements});
    results.push({name});
  } catch (error) {
    results.push({name, error: error instanceof Error ? error.message : String(error)});
  }
  console.error(JSON.stringify(results.at(-1)));
  emptyCache(device);
}
console.log(JSON.stringify(results));
process.exitCode = results.every(({error}) => error === undefined) ? 0 : 1;
