#pragma once
// A warp: 32 threads that exchange registers. All of these are called by all lanes together.
#include <cstdint>

#include "runtime/cuda/language.h"

namespace crossmap::cuda {

inline constexpr int kWarpSize = 32;
inline constexpr uint32_t kAllLanes = 0xffffffffu;

// Of a block that has one dimension.
__device__ inline int laneIndex() { return static_cast<int>(threadIdx.x % kWarpSize); }
__device__ inline int warpIndex() { return static_cast<int>(threadIdx.x / kWarpSize); }

// The sum over the warp, in every lane, always in the same order.
template <typename T>
__device__ inline T warpSum(T value) {
#pragma unroll
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2)
    value += __shfl_xor_sync(kAllLanes, value, distance);
  return value;
}

__device__ inline float warpMax(float value) {
#pragma unroll
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2)
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, distance));
  return value;
}

// Over the four lanes that share a row of an mma accumulator (see matrix.cuh).
__device__ inline float quadSum(float value) {
  value += __shfl_xor_sync(kAllLanes, value, 1);
  return value + __shfl_xor_sync(kAllLanes, value, 2);
}

__device__ inline float quadMax(float value) {
  value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, 1));
  return fmaxf(value, __shfl_xor_sync(kAllLanes, value, 2));
}

// Over the eight lanes that share a column of an mma accumulator.
__device__ inline float columnSum(float value) {
  value += __shfl_xor_sync(kAllLanes, value, 4);
  value += __shfl_xor_sync(kAllLanes, value, 8);
  return value + __shfl_xor_sync(kAllLanes, value, 16);
}

__device__ inline float columnMax(float value) {
  value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, 4));
  value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, 8));
  return fmaxf(value, __shfl_xor_sync(kAllLanes, value, 16));
}

}  // namespace crossmap::cuda
