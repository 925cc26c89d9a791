#pragma once
#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// a * b rounded by itself: of a product and a sum nvcc makes one instruction, which rounds once, and so other
// numbers than those of the CPU. For the host too, as constexpr functions that call it are.
__host__ __device__ inline double roundedProduct(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

}  // namespace crossmap::cuda
