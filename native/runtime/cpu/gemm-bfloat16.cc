// Not every processor with AVX-512 has VDPBF16PS, so it is enabled for the functions of this file alone, the
// templates that it includes among them, and used where it is worth it when the program runs.
#include "runtime/cpu/simd.h"
#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512bf16"))), apply_to = function)
#elif defined(__AVX512F__)
#pragma GCC push_options
#pragma GCC target("avx512bf16")
#endif

#include "runtime/cpu/gemm-bfloat16.h"

#if defined(__AVX512F__)
#include "runtime/cpu/pair-dot.h"
#endif

namespace crossmap::cpu {

#if defined(__AVX512F__)

namespace {

constexpr MicroKernels kPairKernels = vectorKernels<addDots>(Panels::pairs);

}  // namespace

template <>
const MicroKernels* pairKernels<kIsa>() {
  return gainsByPairDots() ? &kPairKernels : nullptr;
}

#else

template <>
const MicroKernels* pairKernels<kIsa>() {
  return nullptr;
}

#endif

}  // namespace crossmap::cpu

#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute pop
#elif defined(__AVX512F__)
#pragma GCC pop_options
#endif
