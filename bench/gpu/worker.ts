/**
 * Times one case of bench/peers/cases.json as it is told, so that we and a peer can take turns: a line of JSON in, a line of JSON out.
 * `{"seconds": 0.2}` gives `{"seconds": ..., "runs": ..., "peakBytes": ...}` or `{"error": "..."}`. Times are wall times of runs that
 * are enqueued in a row, with one wait at the end; they go on for about as long as the request says. A process holds one case, so that its
 * memory is that case's.
 */
import {createInterface} from 'node:readline';
import {parseArgs} from 'node:util';
import {
  memory,
  requireDevice,
  resetPeakMemory,
  scope,
  synchronize,
  type Device,
} from '../../lib/tensor/index.js';
import {prepare, readCases, type Work, type WorkCase} from './work-case.js';

interface Request {
  readonly seconds: number;
}

const {values: flags} = parseArgs({
  options: {
    device: {type: 'string', default: 'cuda'},
    size: {type: 'string', default: 'full'},
    case: {type: 'string', default: '0'},
  },
});
const device = flags.device as Device;
requireDevice(device);
const found = readCases(flags.size === 'small' ? 'small' : 'full')[Number(flags.case)];
if (found === undefined) throw new Error(`there is no case ${flags.case}`);
const wanted: WorkCase = found;

const answer = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

let work: Work | undefined;
for await (const line of createInterface({input: process.stdin})) {
  try {
    answer(await measure(JSON.parse(line) as Request));
  } catch (error) {
    answer({error: error instanceof Error ? error.message : String(error)});
  }
}

async function measure({seconds}: Request): Promise<object> {
  const prepared = (work ??= await warmUp());
  resetPeakMemory(device);
  const once = await timed(prepared, 1);
  const runs = Math.max(1, Math.ceil(seconds / once));
  const {flops, bytes, tokens} = prepared;
  return {
    seconds: runs === 1 ? once : await timed(prepared, runs),
    runs,
    peakBytes: memory(device).peakBytes,
    flops,
    bytes,
    tokens,
  };
}

/** The first run, which fills caches, is not timed. */
async function warmUp(): Promise<Work> {
  const prepared = prepare(wanted, device);
  await timed(prepared, 1);
  return prepared;
}

async function timed({run}: Work, runs: number): Promise<number> {
  await synchronize(device);
  const start = performance.now();
  for (let each = 0; each < runs; each++) scope(run);
  await synchronize(device);
  return (performance.now() - start) / 1000 / runs;
}
