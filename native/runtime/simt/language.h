#pragma once
// CUDA as kernels are written in it, as plain C++. A block's threads are fibers; see block.h.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "runtime/simt/api/host.h"
#include "runtime/simt/launch.h"
#include "runtime/simt/thread-view.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) alignas(bytes)
#define __restrict__ __restrict

#define threadIdx (::simt::threadView().thread)
#define blockIdx (::simt::threadView().block)
#define blockDim (::simt::threadView().blockSize)
#define gridDim (::simt::threadView().gridSize)

// The line of the call, which tells one barrier from another.
#define SIMT_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace simt {

// ---- what runtime/cuda/device stands on

enum class MatrixKind { bfloat16, float16, tf32 };

char* dynamicShared();
uint32_t sharedAddress(const void* pointer);
void copyAsync(uint32_t to, const void* from, int bytes, int bytesRead);
void commitCopies();
void waitCopies(int pending);
void loadMatrices(uint32_t* results, int count, uint32_t address, bool isTransposed, SIMT_HERE);
void multiplyAdd(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, MatrixKind kind, SIMT_HERE);
float exp2Fast(float x);
uint32_t roundToTf32(float x);

// Arithmetic that is counted: a fused multiply-add, and what nvcc computes with the special-function unit.
float fmaf(float a, float b, float c);
float expf(float x);
float exp2f(float x);
float sqrtf(float x);
float rsqrtf(float x);
float tanhf(float x);

// One access of the whole value, which must be aligned to its size.
void loadBytes(void* to, const void* from, size_t bytes);
void storeBytes(void* to, const void* from, size_t bytes);

template <typename T>
inline T loadWide(const void* from) {
  T value;
  loadBytes(&value, from, sizeof(T));
  return value;
}

template <typename T>
inline void storeWide(void* to, const T& value) {
  storeBytes(to, &value, sizeof(T));
}

// Turns of blocks (ordered.cuh): a wait until so many blocks have passed the turn, and a pass, which hands on
// what lies before it.
void waitForTurn(const uint32_t* turn, uint32_t rank, SIMT_HERE);
void passTurn(uint32_t* turn);

// ---- what the functions below stand on

enum class Shuffle { index, up, down, exclusiveOr };
enum class Reduce { add, min, max, bitAnd, bitOr, bitXor };

int syncThreadsCount(bool vote, const char* file, int line);
void syncWarp(uint32_t mask, const char* file, int line);
uint64_t shuffle(uint32_t mask, uint64_t value, int source, Shuffle shuffle, int width, const char* file,
                 int line);
uint32_t ballot(uint32_t mask, bool value, const char* file, int line);
int64_t reduceLanes(uint32_t mask, int64_t value, Reduce reduce, const char* file, int line);
uint32_t activeMask();

// bar.sync and bar.arrive: `count` threads of whole warps, 0 for all of the block.
void barrierSync(int id, int count, SIMT_HERE);
void barrierArrive(int id, int count, SIMT_HERE);

template <typename T>
inline T shuffleValue(uint32_t mask, T value, int source, Shuffle how, int width, const char* file,
                      int line) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  bits = shuffle(mask, bits, source, how, width, file, line);
  __builtin_memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace simt

namespace crossmap {
namespace simt = ::simt;
}

// Kernels stand here, where these come before the functions of the same names in the library of the host.
namespace crossmap::cuda {
using ::simt::exp2f;
using ::simt::expf;
using ::simt::fmaf;
using ::simt::rsqrtf;
using ::simt::sqrtf;
using ::simt::tanhf;
}  // namespace crossmap::cuda

// ---- CUDA's own functions

inline void __syncthreads(SIMT_HERE) { simt::syncThreadsCount(false, file, line); }
inline int __syncthreads_count(int vote, SIMT_HERE) { return simt::syncThreadsCount(vote != 0, file, line); }
inline int __syncthreads_or(int vote, SIMT_HERE) {
  return simt::syncThreadsCount(vote != 0, file, line) != 0;
}
inline int __syncthreads_and(int vote, SIMT_HERE) {
  return simt::syncThreadsCount(vote == 0, file, line) == 0;
}
inline void __syncwarp(uint32_t mask = 0xffffffffu, SIMT_HERE) { simt::syncWarp(mask, file, line); }

template <typename T>
inline T __shfl_sync(uint32_t mask, T value, int source, int width = 32, SIMT_HERE) {
  return simt::shuffleValue(mask, value, source, simt::Shuffle::index, width, file, line);
}
template <typename T>
inline T __shfl_up_sync(uint32_t mask, T value, int distance, int width = 32, SIMT_HERE) {
  return simt::shuffleValue(mask, value, distance, simt::Shuffle::up, width, file, line);
}
template <typename T>
inline T __shfl_down_sync(uint32_t mask, T value, int distance, int width = 32, SIMT_HERE) {
  return simt::shuffleValue(mask, value, distance, simt::Shuffle::down, width, file, line);
}
template <typename T>
inline T __shfl_xor_sync(uint32_t mask, T value, int bits, int width = 32, SIMT_HERE) {
  return simt::shuffleValue(mask, value, bits, simt::Shuffle::exclusiveOr, width, file, line);
}

inline uint32_t __ballot_sync(uint32_t mask, int vote, SIMT_HERE) {
  return simt::ballot(mask, vote != 0, file, line);
}
inline int __any_sync(uint32_t mask, int vote, SIMT_HERE) {
  return simt::ballot(mask, vote != 0, file, line) != 0;
}
inline int __all_sync(uint32_t mask, int vote, SIMT_HERE) {
  return simt::ballot(mask, vote == 0, file, line) == 0;
}
inline uint32_t __activemask() { return simt::activeMask(); }

#define SIMT_REDUCTION(name, T, how)                                                      \
  inline T name(uint32_t mask, T value, SIMT_HERE) {                                      \
    return static_cast<T>(simt::reduceLanes(mask, value, simt::Reduce::how, file, line)); \
  }
SIMT_REDUCTION(__reduce_add_sync, int, add)
SIMT_REDUCTION(__reduce_add_sync, unsigned, add)
SIMT_REDUCTION(__reduce_min_sync, int, min)
SIMT_REDUCTION(__reduce_min_sync, unsigned, min)
SIMT_REDUCTION(__reduce_max_sync, int, max)
SIMT_REDUCTION(__reduce_max_sync, unsigned, max)
SIMT_REDUCTION(__reduce_and_sync, unsigned, bitAnd)
SIMT_REDUCTION(__reduce_or_sync, unsigned, bitOr)
SIMT_REDUCTION(__reduce_xor_sync, unsigned, bitXor)
#undef SIMT_REDUCTION

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }

template <typename T>
inline T __ldg(const T* from) {
  return *from;
}

inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

template <typename T>
inline T min(T a, T b) {
  return b < a ? b : a;
}
template <typename T>
inline T max(T a, T b) {
  return a < b ? b : a;
}

namespace simt {

// Atomic by a loop, as `next(old)` is the new value.
template <typename T, typename Next>
inline T updateAtomically(T* at, Next&& next) {
  using Bits = std::conditional_t<sizeof(T) == 8, unsigned long, unsigned>;
  auto* bits = reinterpret_cast<Bits*>(at);
  Bits before = __atomic_load_n(bits, __ATOMIC_RELAXED);
  for (;;) {
    T old;
    __builtin_memcpy(&old, &before, sizeof(T));
    const T value = next(old);
    Bits after;
    __builtin_memcpy(&after, &value, sizeof(T));
    if (after == before) return old;
    if (__atomic_compare_exchange_n(bits, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      return old;
  }
}

}  // namespace simt

template <typename T>
inline T atomicAdd(T* at, std::type_identity_t<T> value) {
  return simt::updateAtomically(at, [=](T old) { return static_cast<T>(old + value); });
}
template <typename T>
inline T atomicMin(T* at, std::type_identity_t<T> value) {
  return simt::updateAtomically(at, [=](T old) { return value < old ? value : old; });
}
template <typename T>
inline T atomicMax(T* at, std::type_identity_t<T> value) {
  return simt::updateAtomically(at, [=](T old) { return old < value ? value : old; });
}
template <typename T>
inline T atomicExch(T* at, std::type_identity_t<T> value) {
  return simt::updateAtomically(at, [=](T) { return value; });
}
template <typename T>
inline T atomicCAS(T* at, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return simt::updateAtomically(at, [=](T old) { return old == expected ? value : old; });
}
