// VDPBF16PS is enabled for the functions of this file alone, as in gemm-bfloat16.cc, and used where it is
// worth it when the program runs.
#include "runtime/cpu/simd.h"
#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512bf16"))), apply_to = function)
#elif defined(__AVX512F__)
#pragma GCC push_options
#pragma GCC target("avx512bf16")
#endif

#include "runtime/cpu/pair-vectors.h"

#if defined(__AVX512F__)
#include "runtime/cpu/pair-dot.h"
#endif

namespace crossmap::cpu {

#if defined(__AVX512F__)

namespace {

// 16 sums in registers hide the latency of VDPBF16PS.
constexpr int kRows = 8;
constexpr int kVectors = 2;
static_assert(kPairStep % kRows == 0 && kPairStep == kLanes);

// Of kRows rows and so many vectors of columns.
template <int vectors>
void multiplyBlock(const PairProduct& product, int64_t row, int64_t column) {
  const float* a = product.a + row * product.strideA;
  const float* b = product.b + column;
  float* const c = product.c + row * product.strideC + column;
  Vec sums[kRows][vectors] = {};
  for (int64_t word = 0; word < product.words; word++, b += product.strideB) {
    Vec columns[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) columns[v] = load(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; r++) {
      const Vec pair = broadcast(a[r * product.strideA + word]);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) sums[r][v] = addDots(pair, columns[v], sums[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      float* const to = c + r * product.strideC + v * kLanes;
      store(to, product.add ? sums[r][v] + load(to) : sums[r][v]);
    }
}

void multiplyInVectors(const PairProduct& product) {
  for (int64_t column = 0; column < product.n; column += kVectors * kLanes)
    for (int64_t row = 0; row < product.m; row += kRows)
      if (column + kLanes < product.n)
        multiplyBlock<kVectors>(product, row, column);
      else
        multiplyBlock<1>(product, row, column);
}

constexpr PairKernel kKernel{nullptr, nullptr, multiplyInVectors};

}  // namespace

template <>
const PairKernel* vectorPairKernel<kIsa>() {
  return gainsByPairDots() ? &kKernel : nullptr;
}

#else

template <>
const PairKernel* vectorPairKernel<kIsa>() {
  return nullptr;
}

#endif

}  // namespace crossmap::cpu

#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute pop
#elif defined(__AVX512F__)
#pragma GCC pop_options
#endif
