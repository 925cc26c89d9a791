// AMX is enabled for the functions of this file alone, and used where processor and system allow it when the
// program runs.
#include "runtime/cpu/simd.h"
#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16"))), apply_to = function)
#elif defined(__AVX512F__)
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16")
#endif

#include "runtime/cpu/pair-product.h"
#include "runtime/cpu/pair-vectors.h"

#if defined(__AVX512F__)
#include "runtime/cpu/tiles.h"
#endif

namespace crossmap::cpu {

#if defined(__AVX512F__)

namespace {

void multiplyInTiles(const PairProduct& product) {
  for (int64_t row = 0; row < product.m; row += 2 * kPairStep) {
    const bool down = row + kPairStep < product.m;
    for (int64_t column = 0; column < product.n; column += 2 * kPairStep) {
      const bool across = column + kPairStep < product.n;
      const TileProduct tiles{.words = product.words,
                              .a = product.a + row * product.strideA,
                              .strideA = product.strideA,
                              .stepA = kPairStep,
                              .b = product.b + column,
                              .strideB = product.strideB,
                              .c = product.c + row * product.strideC + column,
                              .strideC = product.strideC,
                              .add = product.add};
      if (down && across)
        multiplyTiles<true, true>(tiles);
      else if (down)
        multiplyTiles<true, false>(tiles);
      else if (across)
        multiplyTiles<false, true>(tiles);
      else
        multiplyTiles<false, false>(tiles);
    }
  }
}

constexpr PairKernel kTiles{enterTiles, leaveTiles, multiplyInTiles};

}  // namespace

template <>
const PairKernel* pairKernel<kIsa>() {
  return usesTiles() ? &kTiles : vectorPairKernel<kIsa>();
}

#else

template <>
const PairKernel* pairKernel<kIsa>() {
  return nullptr;
}

#endif

}  // namespace crossmap::cpu

#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute pop
#elif defined(__AVX512F__)
#pragma GCC pop_options
#endif
