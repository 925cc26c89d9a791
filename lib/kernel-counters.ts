/** What the emulator tells of kernels. */

/** What the emulator counted in all launches of a kernel. */
export interface KernelCounters {
  /** The op that launched it, as it calls itself in errors. */
  readonly kernel: string;
  readonly launches: number;
  /** Blocks that were executed. */
  readonly blocks: number;
  /** Blocks that were not, since only the first and the last of a launch were asked for. */
  readonly blocksLeftOut: number;
  readonly threads: number;
  /** Dynamic shared memory of a block, at most. */
  readonly sharedBytes: number;
  /** Sectors of 32 bytes that the accesses of warps to global memory touch, each once in an access. */
  readonly globalSectors: number;
  /** Bytes that threads read and write in global memory. */
  readonly globalBytes: number;
  readonly sharedWavefronts: number;
  /** Wavefronts that the same accesses would take without bank conflicts. */
  readonly idealSharedWavefronts: number;
  /** `mma.sync` of a warp, by the dtype of its factors. */
  readonly products: Readonly<Record<'bfloat16' | 'float16' | 'tf32', number>>;
  /** Fused multiply-adds of single threads that kernels write as `fmaf`; what a compiler makes of `a * b + c` is not among them. */
  readonly fmas: number;
  /** Instructions of the special-function unit that threads execute, one for each power or square root; divisions are not among them. */
  readonly specialFunctions: number;
  /** Barriers that a block passed. */
  readonly barriers: number;
}

/** How a kernel was launched. */
export interface KernelLaunch {
  /** Where its code begins in the addon's file, as the file's table of symbols has it. */
  readonly entry: number;
  /** Threads of a block. */
  readonly threads: number;
  /** Dynamic shared memory of a block. */
  readonly sharedBytes: number;
}
