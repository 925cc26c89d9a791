/** Benches on the emulator, for people. */
import {sectorBytes, type Gpu, type StageResult} from '../bench/index.js';
import {bytes, count, fixed} from './format.js';
import {table} from './table.js';

/** A line for each stage: how far it is from the least, and the modelled time. */
export function describeStages(results: readonly StageResult[], gpu: Gpu): string[] {
  const heading = [
    'op',
    'bytes moved',
    'of least',
    'flops issued',
    'of needed',
    'FMA',
    'special',
    'conflicts',
    'modelled time',
    'bound by',
  ];
  return [
    ...table(heading, results.map(stageRow)),
    '',
    `The time is MODELLED, not measured: a roofline of ${gpu.name} (${terabytes(gpu.memoryBytesPerSecond)} memory,`,
    `${terabytes(gpu.sharedBytesPerSecond)} shared memory, ${teraflops(gpu.flopsPerSecond.bfloat16)} bfloat16, ` +
      `${teraflops(gpu.flopsPerSecond.tf32)} tf32,`,
    `${tera(gpu.fmasPerSecond)} T FMA/s, ${tera(gpu.specialFunctionsPerSecond)} T special functions/s), from counts of the emulator.`,
    'First where caches serve what is read again, then where they serve nothing. A GPU needs longer: launches, latencies and',
    'multiprocessors without work are left out.',
  ];
}

/** A line for each kernel of each stage. */
export function describeKernels(results: readonly StageResult[]): string[] {
  const heading = [
    'kernel',
    'launches',
    'blocks',
    'threads',
    'moved',
    'of asked',
    'conflicts',
    'mma',
    'FMA',
    'special',
    'barriers',
  ];
  const rows = results.flatMap(({op, shape, stage, kernels}) => [
    [`${op} ${shape} ${stage}`],
    ...kernels.map((each) => [
      `  ${each.kernel}`,
      String(each.launches),
      count(each.blocks),
      count(each.threads),
      bytes(each.globalSectors * sectorBytes),
      ratio((each.globalSectors * sectorBytes) / each.globalBytes),
      ratio(each.sharedWavefronts / each.idealSharedWavefronts),
      count(each.products.bfloat16 + each.products.float16 + each.products.tf32),
      count(each.fmas),
      count(each.specialFunctions),
      count(each.barriers),
    ]),
  ]);
  return table(heading, rows);
}

function stageRow(result: StageResult): string[] {
  const {op, shape, stage, bytesMoved, flopsIssued, fmas, specialFunctions, needed, cached, uncached} =
    result;
  return [
    `${op} ${shape} ${stage}`,
    bytes(bytesMoved),
    ratio(bytesMoved / needed.bytes),
    flopsIssued > 0 || needed.flops > 0 ? count(flopsIssued) : '-',
    ratio(flopsIssued / needed.flops),
    fmas > 0 ? count(fmas) : '-',
    specialFunctions > 0 ? count(specialFunctions) : '-',
    ratio(result.conflictRatio ?? NaN),
    `${microseconds(cached.seconds)} to ${microseconds(uncached.seconds)} µs`,
    cached.bound === uncached.bound ? cached.bound : `${cached.bound} to ${uncached.bound}`,
  ];
}

/** What has no denominator is not said. */
function ratio(value: number): string {
  return Number.isFinite(value) ? fixed(value, 2) : '-';
}

function microseconds(seconds: number): string {
  return fixed(seconds * 1e6, 2);
}

function terabytes(bytesPerSecond: number): string {
  return `${tera(bytesPerSecond)} TB/s`;
}

function teraflops(flopsPerSecond: number): string {
  return `${fixed(flopsPerSecond / 1e12, 1)} TFLOP/s`;
}

function tera(perSecond: number): string {
  return fixed(perSecond / 1e12, 2);
}
