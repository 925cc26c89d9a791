#pragma once
// Shared memory of a block. All of it is dynamic: a launcher says how many bytes, a kernel how they are laid
// out.
#include <cstdint>

#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// The block's shared memory from byte `offset` on; it begins at a multiple of 1024.
template <typename T>
__device__ inline T* sharedMemory(int offset = 0) {
#ifdef CROSSMAP_SIMT
  return reinterpret_cast<T*>(simt::dynamicShared() + offset);
#else
  extern __shared__ __align__(1024) char crossmapShared[];
  return reinterpret_cast<T*>(crossmapShared + offset);
#endif
}

// The 32-bit address that copyAsync and loadMatrix take.
__device__ inline uint32_t sharedAddress(const void* pointer) {
#ifdef CROSSMAP_SIMT
  return simt::sharedAddress(pointer);
#else
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
#endif
}

}  // namespace crossmap::cuda
