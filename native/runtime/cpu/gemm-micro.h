#pragma once
// The innermost loop of matrix products: a tile of c in registers. Kernels only.
#include <array>
#include <utility>

#include "runtime/cpu/simd.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

// c [rows, columns] (+)= alpha * a @ b for one micro-tile, from packed panels. A word of 32 bits is one
// float, or a pair of bfloat16 that follow each other along k.
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

// What panels hold; gemm-pack.h makes them.
enum class Panels {
  singles,  // words are floats; a and b [words, lines]
  pairs,    // words are pairs of bfloat16; a and b [words, lines]
  tiles,    // the same, but a [words / kTileWords, lines, kTileWords]
};

constexpr int64_t kLineBytes = 64;  // of the caches

// Words of a tile's row: with AMX a row has 64 bytes, and a tile 16 rows.
constexpr int kTileWords = 16;

// Sizes that kernels are fit for.
struct MicroShape {
  int rows, columns;          // of the largest micro-tile, and of panels
  int rowStep, columnStep;    // kernels write multiples of these; an edge between them goes through a buffer
  int wordElements;           // elements of k in a word
  int wordStep;               // a panel has a multiple of so many words, zeros at its end
  int blockWords;             // along k, at most: what a micro-tile reads of a and b
  int tileRows, tileColumns;  // at most, of what is one task
  double leastTaskFlops;      // about 10 µs: below, sharing costs more than it gains
};

// The kernels that compute a product.
struct MicroKernels {
  Panels panels;
  MicroShape shape;
  const MicroKernel* kernels;  // [rows / rowStep, columns / columnStep], by the steps that the tile has
  // Called before and after kernels of a thread, or null.
  void (*enter)();
  void (*leave)();

  MicroKernel kernel(int64_t rows, int64_t columns) const {
    const int64_t across = shape.columns / shape.columnStep;
    return kernels[(ceilDiv(rows, shape.rowStep) - 1) * across + ceilDiv(columns, shape.columnStep) - 1];
  }
};

namespace {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kMicroRows = 14;  // of 32 registers, 28 hold c, 2 a row of b, 1 an element of a
#else
constexpr int kMicroRows = 6;  // the same with 16 registers: 12, 2, 1
#endif
constexpr int kMicroVectors = 2;
constexpr int kMicroColumns = kMicroVectors * kLanes;

// Most elements of a micro-tile of any shape.
constexpr int kMostMicroElements = 32 * 32;

// `multiplyAdd(a, b, c)` gives c plus the products of the words. Both operands come from cache: a row of b is
// used for all rows of the tile, an element of a for the whole row.
template <auto multiplyAdd, int rows, int vectors>
void multiplyMicroTile(const MicroTile& tile) {
  Vec sums[rows][vectors] = {};
  const float* a = tile.a;
  const float* b = tile.b;
  // What is added to or written over arrives while the sums grow.
#pragma GCC unroll 14
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; v++) __builtin_prefetch(tile.c + r * tile.strideC + v * kLanes, 0, 2);
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
constexpr auto kVectorKernels = []<int... index>(std::integer_sequence<int, index...>) {
  return std::array<MicroKernel, sizeof...(index)>{
      multiplyMicroTile<multiplyAdd, index / kMicroVectors + 1, index % kMicroVectors + 1>...};
}
(std::make_integer_sequence<int, kMicroRows * kMicroVectors>{});

// Of vectors; any number of rows.
template <auto multiplyAdd>
constexpr MicroKernels vectorKernels(Panels panels) {
  return {
      .panels = panels,
      .shape = {.rows = kMicroRows,
                .columns = kMicroColumns,
                .rowStep = 1,
                .columnStep = kLanes,
                .wordElements = panels == Panels::pairs ? 2 : 1,
                .wordStep = 1,
                .blockWords = 512,           // a panel of b, 64 KB with AVX-512, is read from L2
                .tileRows = 8 * kMicroRows,  // 112: with 512 words 229 KB, half of a small L2 at most
                .tileColumns = 256,
                .leastTaskFlops = 1e6},
      .kernels = kVectorKernels<multiplyAdd>.data(),
      .enter = nullptr,
      .leave = nullptr,
  };
}

}  // namespace
}  // namespace crossmap::cpu
