#pragma once
// The innermost loop of matrix products: a tile of c in registers. Kernels only.
#include <array>
#include <utility>

#include "runtime/cpu/simd.h"

namespace crossmap::cpu {

// c [rows, columns] (+)= alpha * a @ b for one micro-tile, from packed panels: a [words, kMicroRows], b
// [words, kMicroColumns]. A word of 32 bits is one float, or a pair of bfloat16 that follow each other along
// k.
struct MicroTile {
  int64_t words;
  const float* a;
  const float* b;
  float* c;
  int64_t strideC;
  float alpha;
  bool add;  // to what c holds
};

using MicroKernel = void (*)(const MicroTile&);

namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kMicroRows = 14;  // of 32 registers, 28 hold c, 2 a row of b, 1 an element of a
#else
constexpr int kMicroRows = 6;  // the same with 16 registers: 12, 2, 1
#endif
constexpr int kMicroVectors = 2;
constexpr int kMicroColumns = kMicroVectors * kLanes;

// Kernels by the rows and vectors that the tile has at the edges of a matrix.
using MicroKernels = std::array<std::array<MicroKernel, kMicroVectors>, kMicroRows>;

// `multiplyAdd(a, b, c)` gives c plus the products of the words. Both operands come from cache: a row of b is
// used for all rows of the tile, an element of a for the whole row.
template <auto multiplyAdd, int rows, int vectors>
void multiplyMicroTile(const MicroTile& tile) {
  Vec sums[rows][vectors] = {};
  const float* a = tile.a;
  const float* b = tile.b;
  for (int64_t word = 0; word < tile.words; word++) {
    Vec row[vectors];
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) row[v] = load(b + v * kLanes);
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++) {
      const Vec element = broadcast(a[r]);
#pragma GCC unroll 2
      for (int v = 0; v < vectors; v++) sums[r][v] = multiplyAdd(element, row[v], sums[r][v]);
    }
    a += kMicroRows;
    b += kMicroColumns;
  }
  const Vec alpha = broadcast(tile.alpha);
#pragma GCC unroll 14
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) {
      float* c = tile.c + r * tile.strideC + v * kLanes;
      store(c, tile.add ? fma(alpha, sums[r][v], load(c)) : alpha * sums[r][v]);
    }
}

template <auto multiplyAdd>
constexpr MicroKernels microKernels() {
  return []<int... rows>(std::integer_sequence<int, rows...>) {
    return MicroKernels{
        {{multiplyMicroTile<multiplyAdd, rows + 1, 1>, multiplyMicroTile<multiplyAdd, rows + 1, 2>}...}};
  }
  (std::make_integer_sequence<int, kMicroRows>{});
}

}  // namespace
}  // namespace crossmap::cpu
