#pragma once
// cp.async (PTX ISA, sm_80): copies from global to shared memory that land while the thread goes on. A thread
// sees its own copies after waitCopies, the block sees them after a barrier that follows.
#include <cstdint>

#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// 16 bytes from `from` to shared address `to`, both multiples of 16; zeros instead where not `valid`, and
// then `from` is not read.
__device__ inline void copyAsync16(uint32_t to, const void* from, bool valid = true) {
#ifdef CROSSMAP_SIMT
  simt::copyAsync(to, from, 16, valid ? 16 : 0);
#else
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(valid ? 16 : 0)
               : "memory");
#endif
}

// The same of 4 or 8 bytes.
template <int bytes>
__device__ inline void copyAsync(uint32_t to, const void* from, bool valid = true) {
  static_assert(bytes == 4 || bytes == 8);
#ifdef CROSSMAP_SIMT
  simt::copyAsync(to, from, bytes, valid ? bytes : 0);
#else
  asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(to), "l"(from), "n"(bytes),
               "r"(valid ? bytes : 0)
               : "memory");
#endif
}

// Makes a group of the thread's copies since the last one.
__device__ inline void commitCopies() {
#ifdef CROSSMAP_SIMT
  simt::commitCopies();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most `pending` of the thread's latest groups have not landed.
template <int pending>
__device__ inline void waitCopies() {
#ifdef CROSSMAP_SIMT
  simt::waitCopies(pending);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
#endif
}

}  // namespace crossmap::cuda
