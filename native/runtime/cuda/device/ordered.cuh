#pragma once
// Blocks of one launch that take turns, so that what they add to the same memory is added in one order
// without atomics. A turn is a counter in global memory that the launcher sets to zero: the block of rank n
// waits until n others have passed theirs (PTX ISA, memory consistency: ld.acquire, red.release).
//
// A block may only wait for blocks that are certain to run. The hardware starts blocks in no order that is
// promised, so a kernel in which they wait hands out its work by tickets: whoever has one before mine has
// begun.
#include <cstdint>

#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// The number of blocks that took a ticket before this one. `tickets` is zero when the launch begins;
// `sTicket` is shared memory that stays as it is until all threads of the block have returned.
__device__ inline uint32_t takeTicket(uint32_t* tickets, uint32_t* sTicket) {
  if (threadIdx.x == 0) *sTicket = atomicAdd(tickets, 1u);
  __syncthreads();  // the ticket is there
  return *sTicket;
}

// Until as many blocks have passed. What they wrote before that, all threads of this block see afterwards.
__device__ inline void waitForTurn(const uint32_t* turn, uint32_t rank) {
  if (threadIdx.x == 0) {
#ifdef CROSSMAP_SIMT
    simt::waitForTurn(turn, rank);
#else
    uint32_t passed;
    do asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(passed) : "l"(turn) : "memory");
    while (passed != rank);
#endif
  }
  __syncthreads();  // the turn is this block's
}

// After waitForTurn: what this block has written is there for the next one. A barrier for all of its threads.
__device__ inline void passTurn(uint32_t* turn) {
  __syncthreads();  // all threads have written
  if (threadIdx.x == 0) {
#ifdef CROSSMAP_SIMT
    simt::passTurn(turn);
#else
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(turn) : "memory");
#endif
  }
}

}  // namespace crossmap::cuda
