/** Mistakes that the emulator must catch: the table of docs/emulator.md is made from them. */

export interface BrokenKernel {
  /** The case of simt-test that makes it. */
  readonly name: string;
  /** A case that does not; by default the same name with "/correct". */
  readonly correct?: string;
  readonly mistake: string;
  /** The kind of report that catches it. */
  readonly caughtBy: string;
  /** The report names an address. */
  readonly hasAddress: boolean;
}

const twin = (name: string) => `${name}/broken`;
const pipeline = {correct: 'pipeline/correct', hasAddress: true} as const;
const turns = {correct: 'turns/correct', hasAddress: true} as const;

export const brokenKernels: readonly BrokenKernel[] = [
  {
    name: twin('missing-barrier'),
    mistake: 'a thread reads what another one of its block writes, without a barrier between',
    caughtBy: 'shared race',
    hasAddress: true,
  },
  {
    name: twin('shared-race'),
    mistake: 'all threads of a block write one shared element',
    caughtBy: 'shared race',
    hasAddress: true,
  },
  {
    name: twin('buffer-reuse'),
    mistake: 'a loop overwrites a shared buffer while other threads still read it',
    caughtBy: 'shared race',
    hasAddress: true,
  },
  {
    name: twin('warp-synchronous'),
    mistake: 'lanes exchange values through shared memory without __syncwarp',
    caughtBy: 'shared race',
    hasAddress: true,
  },
  {
    name: twin('weak-barrier'),
    mistake: '__syncwarp where warps exchange values and __syncthreads is needed',
    caughtBy: 'shared race',
    hasAddress: true,
  },
  {
    name: twin('global-race'),
    mistake: 'all blocks write one global element',
    caughtBy: 'global race',
    hasAddress: true,
  },
  {
    name: twin('neighbour-block'),
    mistake: 'a block reads what another one writes in the same launch',
    caughtBy: 'global race',
    hasAddress: true,
  },
  {
    name: twin('plain-sum'),
    mistake: 'blocks add to one global element without an atomic operation',
    caughtBy: 'global race',
    hasAddress: true,
  },
  {
    name: twin('global-out-of-bounds'),
    mistake: 'one thread reads past the end of a tensor',
    caughtBy: 'global out of bounds',
    hasAddress: true,
  },
  {
    name: twin('shared-out-of-bounds'),
    mistake: "one thread reads past the block's shared memory",
    caughtBy: 'shared out of bounds',
    hasAddress: true,
  },
  {
    name: twin('misaligned'),
    mistake: 'a 16-byte load at an address that is no multiple of 16',
    caughtBy: 'misaligned access',
    hasAddress: true,
  },
  {
    name: twin('uninitialised-shared'),
    mistake: 'shared memory is read that nobody has written',
    caughtBy: 'uninitialised shared memory',
    hasAddress: true,
  },
  {
    name: twin('uninitialised-global'),
    mistake: 'a workspace is read that nobody has written',
    caughtBy: 'uninitialised global memory',
    hasAddress: true,
  },
  {
    name: twin('use-after-free'),
    mistake: 'a tensor is read after it was released',
    caughtBy: 'use after free',
    hasAddress: true,
  },
  {
    name: twin('claimed-piece'),
    mistake: 'a tensor is written after the caching allocator has taken its memory back',
    caughtBy: 'use after free',
    hasAddress: true,
  },
  {
    name: twin('host-pointer'),
    mistake: 'a kernel is given a pointer to memory of the host',
    caughtBy: 'no device memory',
    hasAddress: true,
  },
  {
    name: twin('null-pointer'),
    mistake: 'a kernel is given a null pointer',
    caughtBy: 'no device memory',
    hasAddress: true,
  },
  {
    name: twin('divergent-barrier'),
    mistake: 'the threads of a block wait at two different __syncthreads',
    caughtBy: 'divergent barrier',
    hasAddress: false,
  },
  {
    name: twin('early-exit'),
    mistake: 'half of the block ends before a __syncthreads',
    caughtBy: 'divergent barrier',
    hasAddress: false,
  },
  {
    name: twin('divergent-shuffle'),
    mistake: 'the lanes of a warp are at two different shuffles of the whole warp',
    caughtBy: 'divergent warp instruction',
    hasAddress: false,
  },
  {
    name: twin('deadlock'),
    mistake: 'some lanes wait for their warp, the others for the block',
    caughtBy: 'deadlock',
    hasAddress: false,
  },
  {
    name: twin('named-barrier'),
    mistake: 'a named barrier at which the other warp never arrives',
    caughtBy: 'deadlock',
    hasAddress: false,
  },
  {
    ...pipeline,
    name: 'pipeline/no-wait',
    mistake: 'an asynchronous copy is used without a wait_group',
    caughtBy: 'copy not waited for',
  },
  {
    ...pipeline,
    name: 'pipeline/weak-wait',
    mistake: 'wait_group leaves one group too many in flight',
    caughtBy: 'copy not waited for',
  },
  {
    ...pipeline,
    name: 'pipeline/no-commit',
    mistake: 'asynchronous copies are never made a group, so that no wait concerns them',
    caughtBy: 'copy not waited for',
  },
  {
    ...pipeline,
    name: 'pipeline/no-barrier-after-wait',
    mistake: "a thread reads another one's copies after its own wait_group, without a barrier",
    caughtBy: 'shared race',
  },
  {
    ...pipeline,
    name: 'pipeline/no-barrier-before-reuse',
    mistake: 'a copy into a buffer begins while other threads still read it',
    caughtBy: 'shared race',
  },
  {
    ...turns,
    name: 'turns/no-wait',
    mistake: 'a block adds to what another one wrote without waiting for its turn',
    caughtBy: 'global race',
  },
  {
    ...turns,
    name: 'turns/no-barrier-after-wait',
    mistake: "threads go on before one of them has waited for the block's turn",
    caughtBy: 'global race',
  },
  {
    ...turns,
    name: 'turns/no-barrier-before-pass',
    mistake: 'a block passes its turn while some of its threads may still write',
    caughtBy: 'global race',
  },
  {
    ...turns,
    name: 'turns/no-pass',
    mistake: 'blocks wait for a turn that nobody passes',
    caughtBy: 'deadlock',
  },
  {
    name: twin('wait-for-later'),
    mistake: 'a block waits for one that may find room only when it has ended itself',
    caughtBy: 'deadlock',
    hasAddress: true,
  },
];
