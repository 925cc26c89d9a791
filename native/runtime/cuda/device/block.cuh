#pragma once
// A block of one dimension, a multiple of the warp: sums over all its threads.
#include "runtime/cuda/device/warp.cuh"

namespace crossmap::cuda {

// The sum over the block, in every thread, always in the same order. `sScratch` [32] is shared memory; it is
// free again when the call returns.
template <typename T>
__device__ inline T blockSum(T value, T* sScratch) {
  value = warpSum(value);
  if (laneIndex() == 0) sScratch[warpIndex()] = value;
  __syncthreads();  // all warps have written
  T total{};
  for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarpSize; warp++) total += sScratch[warp];
  __syncthreads();  // all warps have read
  return total;
}

__device__ inline float blockMax(float value, float* sScratch) {
  value = warpMax(value);
  if (laneIndex() == 0) sScratch[warpIndex()] = value;
  __syncthreads();  // all warps have written
  float most = sScratch[0];
  for (int warp = 1; warp < static_cast<int>(blockDim.x) / kWarpSize; warp++)
    most = fmaxf(most, sScratch[warp]);
  __syncthreads();  // all warps have read
  return most;
}

}  // namespace crossmap::cuda
