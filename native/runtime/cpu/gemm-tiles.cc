// AMX is enabled for the functions of this file alone, as VDPBF16PS is in gemm-bfloat16.cc, and used where
// processor and system allow it when the program runs.
#include "runtime/cpu/simd.h"
#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16"))), apply_to = function)
#elif defined(__AVX512F__)
#pragma GCC push_options
#pragma GCC target("amx-tile,amx-bf16")
#endif

#include "runtime/cpu/gemm-tiles.h"

#if defined(__AVX512F__)
#include "runtime/cpu/tiles.h"
#endif

namespace crossmap::cpu {

#if defined(__AVX512F__)

namespace {

constexpr int kMicroTileRows = 2 * kTileRows;
constexpr int kMicroTileColumns = 2 * kTileColumns;

void leaveGemm() {
  leaveTiles();
  _mm_sfence();  // what was written past the caches is there before another thread hears of it
}

// Sums are whole micro-tiles, [32, 32].
template <bool down, bool across>
void multiplyMicroTile(const MicroTile& tile) {
  multiplyTiles<down, across>({.words = tile.words,
                               .a = tile.a,
                               .strideA = kTileWords,
                               .stepA = kMicroTileRows * kTileWords,
                               .b = tile.b,
                               .strideB = kMicroTileColumns,
                               .c = tile.c,
                               .strideC = kMicroTileColumns,
                               .add = tile.add});
}

constexpr MicroKernel kTileKernels[] = {multiplyMicroTile<false, false>, multiplyMicroTile<false, true>,
                                        multiplyMicroTile<true, false>, multiplyMicroTile<true, true>};

constexpr MicroKernels kKernels{
    .panels = Panels::tiles,
    .shape = {.rows = kMicroTileRows,
              .columns = kMicroTileColumns,
              .rowStep = kTileRows,
              .columnStep = kTileColumns,
              .wordElements = 2,
              .wordStep = kTileWords,
              .blockWords = 192,
              .tileRows = 256,
              .tileColumns = 256,
              .leastTaskFlops = 1e7},
    .kernels = kTileKernels,
    .enter = enterTiles,
    .leave = leaveGemm,
};

}  // namespace

template <>
const MicroKernels* tileKernels<kIsa>() {
  return usesTiles() ? &kKernels : nullptr;
}

#else

template <>
const MicroKernels* tileKernels<kIsa>() {
  return nullptr;
}

#endif

}  // namespace crossmap::cpu

#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute pop
#elif defined(__AVX512F__)
#pragma GCC pop_options
#endif
