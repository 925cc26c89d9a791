// Not every processor with AVX-512 has VDPBF16PS, so it is enabled for the functions of this file alone, the
// templates that it includes among them, and asked for when the program runs.
#include "runtime/cpu/simd.h"
#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512bf16"))), apply_to = function)
#elif defined(__AVX512F__)
#pragma GCC push_options
#pragma GCC target("avx512bf16")
#endif

#include "runtime/cpu/gemm-bfloat16.h"

namespace crossmap::cpu {

#if defined(__AVX512F__)

namespace {

inline Vec multiplyAddPairs(Vec a, Vec b, Vec c) {
  return std::bit_cast<Vec>(
      _mm512_dpbf16_ps(std::bit_cast<__m512>(c), std::bit_cast<__m512bh>(a), std::bit_cast<__m512bh>(b)));
}

constexpr MicroKernels kPairKernels = vectorKernels<multiplyAddPairs>(Panels::pairs);

}  // namespace

template <>
const MicroKernels* pairKernels<kIsa>() {
  return __builtin_cpu_supports("avx512bf16") ? &kPairKernels : nullptr;
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
