/** The figures of benches as JSON: a file for each bench. */
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import {join} from 'node:path';
import {native} from '../../lib/native.js';
import {version} from '../../lib/version.js';
import type {PeerFacts} from '../duels/peer.js';
import type {Comparison} from './comparison.js';
import type {FigureTable} from './figure-table.js';
import {processorName} from './processor.js';
import {isQuick} from './quick.js';

/** Where figures come from. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** That our kernels choose by. */
  readonly instructionSet: string;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  /** Processes that wanted a core in the minute before: figures count where it is near 0. */
  readonly load: number;
}

/** A run of one bench. */
export interface BenchResult {
  /** `ops/matmul` */
  readonly bench: string;
  readonly version: string;
  readonly date: string;
  /** Whether the run was a quick one, whose times mean nothing. */
  readonly quick: boolean;
  readonly machine: Machine;
  /** The other programs, those that are not here among them. */
  readonly peers: readonly PeerFacts[];
  readonly comparisons: readonly Comparison[];
  /** Figures that are no times of sides. */
  readonly tables?: readonly FigureTable[];
}

// Of the start: what the bench itself does would count too.
const [load = NaN] = os.loadavg();

export function machine(): Machine {
  return {
    processor: processorName(),
    cores: os.cpus().length,
    instructionSet: native.cpuInfo().instructionSet,
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()}`,
    node: process.version,
    load,
  };
}

/** `Intel Xeon, 2 cores, avx512` */
export function machineText({processor, cores, instructionSet}: Machine): string {
  return `${processor}, ${cores} cores, ${instructionSet}`;
}

/** Writes FOLDER/ops-matmul.json: an earlier run of the same bench is replaced. */
export function writeResult(
  folder: string,
  {bench, peers, comparisons, tables}: Pick<BenchResult, 'bench' | 'comparisons' | 'peers' | 'tables'>,
): void {
  const result: BenchResult = {
    bench,
    version,
    date: new Date().toISOString(),
    quick: isQuick,
    machine: machine(),
    peers,
    comparisons,
    ...(tables !== undefined && {tables}),
  };
  mkdirSync(folder, {recursive: true});
  writeFileSync(
    join(folder, `${bench.replaceAll('/', '-')}.json`),
    `${JSON.stringify(result, undefined, 1)}\n`,
  );
}

/** What most readers look for comes first. */
const areas = ['torch', 'node', 'scaling', 'nn', 'ops', 'data', 'product'];

/** All results in a folder, by area, then by name. */
export function readResults(folder: string): readonly BenchResult[] {
  const place = ({bench}: BenchResult): number => areas.indexOf(bench.split('/')[0] ?? '');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as BenchResult)
    .sort((a, b) => place(a) - place(b));
}
