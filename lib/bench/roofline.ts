/** How long a GPU needs at least for what the emulator counted: a model, not a measurement. */
import type {KernelCounters} from '../kernel-counters.js';

/** Rates of a GPU. */
export interface Gpu {
  readonly name: string;
  /** Operations per second of matrix products on tensor cores, by the dtype of the factors. */
  readonly flopsPerSecond: Readonly<Record<MatrixKind, number>>;
  /** Bytes per second of the memory of the device. */
  readonly memoryBytesPerSecond: number;
  /** Bytes per second of the shared memories of all multiprocessors. */
  readonly sharedBytesPerSecond: number;
  /** Fused multiply-adds per second in float32. */
  readonly fmasPerSecond: number;
  /** Powers, reciprocals and roots per second of the special-function units. */
  readonly specialFunctionsPerSecond: number;
}

/** Dtypes that tensor cores multiply. */
type MatrixKind = keyof KernelCounters['products'];

/** Of an H100 SXM5: its multiprocessors, times their highest clock. */
const h100Clocks = 132 * 1.98e9;

/**
 * H100 SXM5 80 GB. Products and memory are those of NVIDIA's "H100 Tensor Core GPU" data sheet, which gives products with sparsity: half of
 * them. The rest is for each clock of a multiprocessor, from the CUDA C++ Programming Guide: 128 bytes of shared memory, which is 32 banks
 * of 4 bytes, and, from its table of the throughput of arithmetic instructions for compute capability 9.0, 128 fused multiply-adds and 16
 * special functions, with which FlashAttention-3 (arXiv:2407.08608) reckons too.
 */
export const h100: Gpu = {
  name: 'H100 SXM',
  flopsPerSecond: {bfloat16: 989e12, float16: 989e12, tf32: 494.5e12},
  memoryBytesPerSecond: 3.35e12,
  sharedBytesPerSecond: 128 * h100Clocks,
  fmasPerSecond: 128 * h100Clocks,
  specialFunctionsPerSecond: 16 * h100Clocks,
};

/** Operations of one instruction of a warp: twice its multiplications, 16 x 8 x 16 for 16-bit factors, 16 x 8 x 8 for tf32. */
const flopsOfProduct: Readonly<Record<MatrixKind, number>> = {
  bfloat16: 2 * 16 * 8 * 16,
  float16: 2 * 16 * 8 * 16,
  tf32: 2 * 16 * 8 * 8,
};

/** Bytes of a sector, the least that moves between caches and memory. */
export const sectorBytes = 32;

/** Bytes that shared memory gives in one wavefront: a word of each of 32 banks. */
const wavefrontBytes = 128;

/** Matrix operations that kernels issued, whether or not anything needs them. */
export function issuedFlops(counters: readonly KernelCounters[]): number {
  return total(counters, ({products: {bfloat16, float16, tf32}}) => {
    const of = flopsOfProduct;
    return bfloat16 * of.bfloat16 + float16 * of.float16 + tf32 * of.tf32;
  });
}

/** Bytes of the sectors that warps asked for; what caches hold is counted each time. */
export function movedBytes(counters: readonly KernelCounters[]): number {
  return total(counters, ({globalSectors}) => globalSectors * sectorBytes);
}

/** Wavefronts of shared memory for each that is needed: 1 is without conflicts. NaN where shared memory is not used. */
export function conflictRatio(counters: readonly KernelCounters[]): number {
  const wavefronts = total(counters, (each) => each.sharedWavefronts);
  return wavefronts / total(counters, (each) => each.idealSharedWavefronts);
}

/** Fused multiply-adds outside of tensor cores, as far as kernels write them as such. */
export function totalFmas(counters: readonly KernelCounters[]): number {
  return total(counters, ({fmas}) => fmas);
}

/** Powers and roots that threads compute, each an instruction of the special-function unit or more. */
export function totalSpecialFunctions(counters: readonly KernelCounters[]): number {
  return total(counters, ({specialFunctions}) => specialFunctions);
}

/** What bounds a time. */
type Bound = 'memory' | 'multiply-adds' | 'shared memory' | 'special functions' | 'tensor cores';

/** Least time in seconds, and what it goes into. */
export interface Roofline {
  readonly seconds: number;
  readonly bound: Bound;
}

/**
 * The longest of five times: of the products that were issued, of `memoryBytes` from memory, of all wavefronts of shared memory, of the
 * fused multiply-adds and of the special functions. That each of them overlaps with the others, launches, latencies, arithmetic that is not
 * counted, and multiprocessors without work are left out, so that a GPU takes longer.
 */
export function rooflineOf(counters: readonly KernelCounters[], memoryBytes: number, gpu: Gpu): Roofline {
  const wavefronts = total(counters, (each) => each.sharedWavefronts);
  const products = total(counters, (each) => {
    const seconds = (kind: MatrixKind): number =>
      (each.products[kind] * flopsOfProduct[kind]) / gpu.flopsPerSecond[kind];
    return seconds('bfloat16') + seconds('float16') + seconds('tf32');
  });
  const times: readonly Roofline[] = [
    {bound: 'tensor cores', seconds: products},
    {bound: 'shared memory', seconds: (wavefronts * wavefrontBytes) / gpu.sharedBytesPerSecond},
    {bound: 'special functions', seconds: totalSpecialFunctions(counters) / gpu.specialFunctionsPerSecond},
    {bound: 'multiply-adds', seconds: totalFmas(counters) / gpu.fmasPerSecond},
  ];
  const memory: Roofline = {bound: 'memory', seconds: memoryBytes / gpu.memoryBytesPerSecond};
  return times.reduce((longest, each) => (each.seconds > longest.seconds ? each : longest), memory);
}

function total(counters: readonly KernelCounters[], of: (each: KernelCounters) => number): number {
  return counters.reduce((sum, each) => sum + of(each), 0);
}
