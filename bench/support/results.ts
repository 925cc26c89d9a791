/** The figures of benches as JSON. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import {native} from '../../lib/native.js';
import type {Times} from './sample.js';

/** What was measured of one case; times in seconds. */
export interface CaseResult {
  readonly title: string;
  readonly ours: Times;
  readonly peer?: Times & {readonly name: string};
  readonly gflopsPerSecond?: number;
  readonly gigabytesPerSecond?: number;
  readonly tokensPerSecond?: number;
  /** Most bytes held besides what was held before the run: results and working memory. */
  readonly extraBytes: number;
  readonly materializedBytes?: number;
}

/** A run of one bench. */
interface BenchResult {
  readonly bench: string;
  readonly version: string;
  readonly device: string;
  readonly node: string;
  readonly date: string;
  readonly cases: readonly CaseResult[];
}

/** Processor, instruction set and threads. */
export function deviceText(): string {
  const {instructionSet, threads} = native.cpuInfo();
  const model = os.cpus()[0]?.model ?? 'processor';
  return `cpu, ${model}, ${instructionSet}, ${threads} threads`;
}

/** Writes the figures to a file that holds one entry for each bench: an earlier one of the same bench is replaced. */
export function writeResults(file: string, bench: string, cases: readonly CaseResult[]): void {
  const others = readResults(file).filter((each) => each.bench !== bench);
  const result: BenchResult = {
    bench,
    version: ourVersion(),
    device: deviceText(),
    node: process.version,
    date: new Date().toISOString(),
    cases,
  };
  writeFileSync(file, `${JSON.stringify([...others, result], undefined, 2)}\n`);
}

function readResults(file: string): readonly BenchResult[] {
  if (!existsSync(file)) return [];
  const results: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(results)) throw new Error(`${file} is not a file of bench results`);
  return results as BenchResult[];
}

function ourVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'); // from dist/bench/support
  return (JSON.parse(text) as {version: string}).version;
}
