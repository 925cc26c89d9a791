#pragma once
// Kernels that are bound by memory and whose elements do not meet: one loop over packs, for all such ops.
#include <algorithm>
#include <cstdint>

#include "runtime/cuda/device/numeric.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/launch.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

constexpr int kElementThreads = 256;

// Body, here and below, is the Args struct of an elementwise kernel. It has
//   kWidth                           elements of a pack
//   kLoads                           whether it loads anything
//   int64_t count                    elements in all
//   bool isWide                      whether all operands are aligned for packs; else they go one by one
//   load<width>(at) const            what elements `at` to `at` + width need from memory
//   store<width>(at, loaded)         computes and writes them
//   prepare()                        if it is there: called once by each thread before all else

// Packs of each operand in flight in one thread: the loads of all are out before one is used. One where
// nothing is loaded.
template <typename Body>
constexpr int kPacksInFlight = Body::kLoads ? 2 : 1;

// Elements `begin` to `begin` + packs * width, which are `packs` packs.
template <int width, typename Body>
__device__ inline void forPacks(Body& body, int64_t begin, int64_t packs) {
  using Loaded = decltype(body.template load<width>(int64_t{}));
  constexpr int kInFlight = kPacksInFlight<Body>;
  const int64_t stride = int64_t{gridDim.x} * kElementThreads * kInFlight;
  for (int64_t first = int64_t{blockIdx.x} * kElementThreads * kInFlight + threadIdx.x; first < packs;
       first += stride) {
    Loaded rLoaded[kInFlight];
#pragma unroll
    for (int each = 0; each < kInFlight; each++) {
      const int64_t pack = first + each * kElementThreads;
      if (pack < packs) rLoaded[each] = body.template load<width>(begin + pack * width);
    }
#pragma unroll
    for (int each = 0; each < kInFlight; each++) {
      const int64_t pack = first + each * kElementThreads;
      if (pack < packs) body.template store<width>(begin + pack * width, rLoaded[each]);
    }
  }
}

template <typename Body>
__device__ inline void forElements(Body& body) {
  if constexpr (requires { body.prepare(); }) body.prepare();
  const int64_t packs = body.isWide ? body.count / Body::kWidth : 0;
  forPacks<Body::kWidth>(body, 0, packs);
  // What is left over by packs, or all.
  if constexpr (Body::kWidth > 1) forPacks<1>(body, packs * Body::kWidth, body.count - packs * Body::kWidth);
}

// Each thread owns packs that are a block apart, so that a warp reads and writes whole lines. Bound by
// memory: each operand is read or written once. No shared memory.
template <typename Body>
__global__ void __launch_bounds__(kElementThreads, 2) elementsKernel(Body args) {
  Body body = args;
  forElements(body);
}

// Blocks for the elements of a body: at most `mostBlocks`, which then go over them in strides.
template <typename Body>
int64_t elementBlocks(const Body& body, int64_t mostBlocks) {
  const int64_t packs = ceilDiv(body.count, body.isWide ? Body::kWidth : 1);
  return std::min(ceilDiv(packs, kElementThreads * kPacksInFlight<Body>), mostBlocks);
}

template <typename Body>
void launchElements(Stream& stream, const char* op, const Body& body) {
  // Eight blocks fill a multiprocessor; eight times as many even out what they get.
  const int64_t mostBlocks = int64_t{64} * stream.architecture().multiprocessors;
  const int64_t blocks = elementBlocks(body, mostBlocks);
  launch(stream, {op, {blocks}, kElementThreads}, elementsKernel<Body>, body);
}

// A pack of elements that may lie at any address: sums keep their order then, since they go by the same
// packs.
template <int width, typename E>
__device__ inline Pack<E, width> loadElements(const E* from, bool isAligned) {
  if (isAligned) return loadPack<width>(from);
  Pack<E, width> pack;
#pragma unroll
  for (int i = 0; i < width; i++) pack.values[i] = from[i];
  return pack;
}

template <int width, typename E>
__device__ inline void storeElements(E* to, const Pack<E, width>& pack, bool isAligned) {
  if (isAligned) return storePack(to, pack);
#pragma unroll
  for (int i = 0; i < width; i++) to[i] = pack.values[i];
}

// Whether `width` elements at each of these addresses are one access; null is as good as any.
template <typename... E>
bool areAlignedFor(int width, const E*... pointers) {
  return ((reinterpret_cast<uintptr_t>(pointers) % (sizeof(E) * static_cast<size_t>(width)) == 0) && ...);
}

}  // namespace crossmap::cuda
