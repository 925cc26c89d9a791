/** The flags of all benches. One set for all: `npm run bench -- --threads 1` reaches those that know no threads as well. */
import {parseArgs} from 'node:util';

export interface BenchFlags {
  /** Where figures are written. */
  readonly out: string | undefined;
  /** Of measurement: of each case of an op, of each sample of a duel. */
  readonly seconds: number;
  /** Of each side of a duel. */
  readonly samples: number;
  /** Of the sides of a duel, one after another. */
  readonly threads: readonly number[];
  /** Only cases with it in their title. */
  readonly text: string;
}

/** @throws for numbers that are none, and for flags that are not there */
export function parseBenchFlags(
  args: readonly string[],
  defaults: Pick<BenchFlags, 'samples' | 'seconds' | 'threads'>,
): BenchFlags {
  const {values: flags} = parseArgs({
    args: [...args],
    options: {
      out: {type: 'string'},
      seconds: {type: 'string', default: String(defaults.seconds)},
      samples: {type: 'string', default: String(defaults.samples)},
      threads: {type: 'string', default: defaults.threads.join()},
      case: {type: 'string', default: ''},
      quick: {type: 'boolean'}, // read by quick.ts, before sizes are chosen
    },
  });
  const seconds = Number(flags.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0; got ${flags.seconds}`);
  const samples = Number(flags.samples);
  if (!isCount(samples)) throw new Error(`--samples must be a whole number above 0; got ${flags.samples}`);
  const threads = flags.threads.split(',').map(Number);
  if (!threads.every(isCount))
    throw new Error(`--threads must be whole numbers above 0, as in 1,2; got ${flags.threads}`);
  return {out: flags.out, seconds, samples, threads, text: flags.case};
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}
