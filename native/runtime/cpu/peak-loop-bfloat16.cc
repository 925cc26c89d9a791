// VDPBF16PS and AMX are enabled for the functions of this file alone, as in gemm-bfloat16.cc and
// gemm-tiles.cc, and used where processor and system allow it when the program runs.
#include "runtime/cpu/peak.h"
#include "runtime/cpu/simd.h"
#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512bf16,amx-tile,amx-bf16"))), apply_to = function)
#elif defined(__AVX512F__)
#pragma GCC push_options
#pragma GCC target("avx512bf16,amx-tile,amx-bf16")
#endif

#include "runtime/cpu/peak-loop.h"

#if defined(__AVX512F__)
#include "runtime/cpu/pair-dot.h"
#include "runtime/cpu/tiles.h"
#endif

namespace crossmap::cpu {

#if defined(__AVX512F__)

namespace {

// A word of two such bfloat16.
float pairOf(float factor) {
  const auto bits = std::bit_cast<uint32_t>(factor) & 0xffff0000u;
  return std::bit_cast<float>(bits | bits >> 16);
}

float runPairs(float factor) {
  return runVectors<addDots>(broadcast(pairOf(factor)), broadcast(pairOf(-factor)));
}

constexpr int kTileWordCount = kTileRows * kTileColumns;

// Four sums, as in a product of matrices: the processor takes 16 cycles for each product and 52 until its sum
// is there. Tiles 0 to 3 hold them, 4 to 7 the factors.
float runTiles(float factor) {
  alignas(64) float words[kTileWordCount];
  for (float& word : words) word = pairOf(factor);
  enterTiles();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, words, kTileRowBytes);
  _tile_loadd(5, words, kTileRowBytes);
  _tile_loadd(6, words, kTileRowBytes);
  _tile_loadd(7, words, kTileRowBytes);
  for (int64_t round = 0; round < kPeakRounds; round++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  float sums[4 * kTileWordCount];
  _tile_stored(0, sums, kTileRowBytes);
  _tile_stored(1, sums + kTileWordCount, kTileRowBytes);
  _tile_stored(2, sums + 2 * kTileWordCount, kTileRowBytes);
  _tile_stored(3, sums + 3 * kTileWordCount, kTileRowBytes);
  leaveTiles();
  return sums[0];
}

constexpr double kTilesFlops = 4.0 * kPeakRounds * 2 * kTileRows * kTileColumns * (kTileRowBytes / 2);

}  // namespace

template <>
PeakLoop bfloat16PeakLoop<kIsa>(MultiplyAdd form) {
  if (form == MultiplyAdd::pairs && __builtin_cpu_supports("avx512bf16")) return {vectorFlops(2), runPairs};
  if (form == MultiplyAdd::tiles && usesTiles()) return {kTilesFlops, runTiles};
  return {};
}

#else

template <>
PeakLoop bfloat16PeakLoop<kIsa>(MultiplyAdd) {
  return {};
}

#endif

}  // namespace crossmap::cpu

#if defined(__AVX512F__) && defined(__clang__)
#pragma clang attribute pop
#elif defined(__AVX512F__)
#pragma GCC pop_options
#endif
