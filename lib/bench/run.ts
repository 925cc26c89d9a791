/** Runs benches on the emulator and reads what its kernels did. */
import {CrossmapError} from '../errors.js';
import type {KernelCounters} from '../kernel-counters.js';
import {native} from '../native.js';
import {requireDevice, scope, synchronize} from '../tensor/index.js';
import type {BenchCase, Stage} from './bench-case.js';
import {memoryCases} from './memory-cases.js';
import {productCases} from './product-cases.js';
import {
  conflictRatio,
  h100,
  issuedFlops,
  movedBytes,
  rooflineOf,
  totalFmas,
  totalSpecialFunctions,
  type Gpu,
  type Roofline,
} from './roofline.js';
import type {Work} from './work.js';

/** What one stage of an op did, and how long a GPU would need for it at least. */
export interface StageResult {
  readonly op: string;
  readonly shape: string;
  readonly stage: Stage['name'];
  /** The least that the stage must do. */
  readonly needed: Work;
  /** Of the stage. */
  readonly flopsIssued: number;
  /** Of the stage: sectors that warps asked for, in bytes. */
  readonly bytesMoved: number;
  /** Of the stage, in all threads: fused multiply-adds outside of tensor cores. */
  readonly fmas: number;
  /** Of the stage, in all threads: powers and roots. */
  readonly specialFunctions: number;
  /** Wavefronts of shared memory for each that is needed; undefined where none is used. */
  readonly conflictRatio?: number;
  /** Where memory is read and written once only, and caches serve the rest. */
  readonly cached: Roofline;
  /** Where no cache serves anything. */
  readonly uncached: Roofline;
  readonly kernels: readonly KernelCounters[];
}

/** What `benchOnEmulator` gives. */
export interface EmulatorBench {
  readonly device: 'simt';
  /** The GPU that times are modelled for. */
  readonly modelledGpu: Gpu;
  readonly results: readonly StageResult[];
}

/** All benches on the emulator. */
export const benchCases: readonly BenchCase[] = [...productCases, ...memoryCases];

/** Names of the ops that have a bench, sorted. */
export const benchedOps: readonly string[] = [...new Set(benchCases.map(({op}) => op))].sort();

/**
 * Runs the benches of some ops, or of all, once each on the emulator: counts are exact and need no repetition.
 *
 * @param ops names of `benchedOps`; none means all
 * @yields a result for each stage
 * @throws ERR_ARGUMENT for an op that has no bench; ERR_ADDON where the emulator is not built; ERR_DEVICE where a kernel does
 *   what a GPU forbids
 */
export async function* benchOnEmulator(ops: readonly string[]): AsyncGenerator<StageResult> {
  const unknown = ops.find((op) => !benchedOps.includes(op));
  if (unknown !== undefined)
    throw new CrossmapError(
      'ERR_ARGUMENT',
      `bench: ${unknown} has no bench on the emulator; there are ${benchedOps.join(', ')}`,
    );
  requireDevice('simt');
  for (const each of benchCases) {
    if (ops.length > 0 && !ops.includes(each.op)) continue;
    const results = runCase(each);
    await synchronize('simt'); // rejects with what the emulator found wrong
    yield* results;
  }
}

/** All in one go: a scope frees what the stages make, and holds no promise. */
function runCase({op, shape, prepare}: BenchCase): readonly StageResult[] {
  return scope(() => prepare('simt').map((stage) => describe({op, shape}, stage, count(stage))));
}

function count({run}: Stage): readonly KernelCounters[] {
  native.simtCounters(); // waits for the work before
  native.simtProfile(true);
  try {
    run();
    return native.simtCounters();
  } finally {
    native.simtProfile(false);
  }
}

/** What the counters of a stage come to. */
export function describe(
  {op, shape}: {readonly op: string; readonly shape: string},
  {name, work}: Pick<Stage, 'name' | 'work'>,
  kernels: readonly KernelCounters[],
  gpu: Gpu = h100,
): StageResult {
  const conflicts = conflictRatio(kernels);
  const bytesMoved = movedBytes(kernels);
  return {
    op,
    shape,
    stage: name,
    needed: work,
    flopsIssued: issuedFlops(kernels),
    bytesMoved,
    fmas: totalFmas(kernels),
    specialFunctions: totalSpecialFunctions(kernels),
    ...(Number.isNaN(conflicts) ? {} : {conflictRatio: conflicts}),
    cached: rooflineOf(kernels, Math.min(work.bytes, bytesMoved), gpu),
    uncached: rooflineOf(kernels, bytesMoved, gpu),
    kernels,
  };
}
