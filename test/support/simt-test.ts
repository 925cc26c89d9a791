/** simt-test, the program of the emulator's own cases, built beside the emulated device. */
import {execFileSync} from 'node:child_process';
import path from 'node:path';
import {root} from '../repository/support.js';

const program = path.join(root, 'build-cmake', 'Release', 'simt-test');

export interface SimtReport {
  readonly kind: string;
  readonly kernel: string;
  readonly text: string;
}

export interface SimtRun {
  /** `cudaError_t` of the last synchronisation. */
  readonly status: number;
  readonly error: string;
  readonly reports: readonly SimtReport[];
  readonly counters: readonly Readonly<Record<string, number | string>>[];
  /** Bytes of the allocations that were not released. */
  readonly leaks: readonly number[];
  /** Words of 32 bits. */
  readonly output: readonly number[];
}

/**
 * Runs a case.
 *
 * @param options.settings CROSSMAP_SIMT: "check=1,seed=7"
 * @param options.input words of 32 bits
 * @param options.arguments behind the name of the case
 */
export function runSimt(
  name: string,
  {settings = '', input, arguments: more = []}: SimtOptions = {},
): SimtRun {
  const printed = execFileSync(program, [name, ...(input ? ['input'] : []), ...more], {
    encoding: 'utf8',
    env: {...process.env, CROSSMAP_SIMT: settings},
    input: input ? Array.from(input, (word) => word >>> 0).join(' ') : '',
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(printed) as SimtRun;
}

export interface SimtOptions {
  readonly settings?: string;
  readonly input?: Iterable<number>;
  readonly arguments?: readonly string[];
}

/** The names of all cases. */
export function simtCases(): readonly string[] {
  return execFileSync(program, {encoding: 'utf8'}).trim().split('\n');
}

/** The numbers whose float32 bits these words are. */
export function asFloats(words: readonly number[]): number[] {
  return [...new Float32Array(new Uint32Array(words).buffer)];
}

/** The bits of these numbers as float32. */
export function floatBits(values: readonly number[]): number[] {
  return [...new Uint32Array(new Float32Array(values).buffer)];
}
