/** Run as a child with a small heap: prepares the data of a configuration, which the first argument is, and tells what memory it took. */
import {readFileSync} from 'node:fs';
import {parseConfig} from '../../lib/config/index.js';
import {prepareData} from '../../lib/data/index.js';

/** What the child prints, as JSON. */
export interface Measured {
  /** Most that was resident until all files were written. Then they are mapped, which counts as resident without taking memory. */
  readonly peakBytes: number;
  readonly documents: number;
  readonly sentences: number;
  readonly pairs: number;
  /** Text and pairs that are encoded. */
  readonly segments: number;
}

const [, , yaml = ''] = process.argv;
let peak = 0;
const {report} = await prepareData(parseConfig(yaml), {
  onProgress: ({stage}) => void (peak ||= stage === 'load' ? peakBytes() : 0),
});
const {languages, pairs} = report;
const measured: Measured = {
  peakBytes: peak,
  documents: sum(languages.map(({read}) => read.documents)),
  sentences: sum(languages.map(({read}) => read.sentences)),
  pairs: sum(pairs.map(({read}) => read)),
  segments: sum([...languages, ...pairs].map(({training}) => training.segments)),
};
process.stdout.write(JSON.stringify(measured));

/** Linux counts in `maxRSS` what the parent had when it started the child; not so in `VmHWM`. */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}
