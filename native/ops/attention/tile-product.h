#pragma once
// Products of tiles that lie in cache. Kernels only.
//
// A general matrix product packs both operands on every call; here they are packed once and used many times,
// and segments of ten tokens are common, so the products are our own: a block of the result stays in
// registers.
#include <cstdint>

#include "runtime/cpu/simd.h"

namespace crossmap::cpu {
namespace {

// A matrix of m by depth whose element (i, k) is data[i * row + k * depth]: as it lies, or transposed.
struct TileOperand {
  const float* data;
  int64_t row;
  int64_t depth;
};

enum class Into { replace, add };

// Registers: kBlockRows * kBlockVecs sums, kBlockVecs of b and one of a must fit in 32 (AVX-512) or 16.
constexpr int kBlockRows = 6;
constexpr int kBlockVecs = kIsa == Isa::avx512 ? 4 : 2;

// kRows by kVecs vectors of c = a @ b, or c += a @ b; b has rows of kVecs vectors or more.
template <int kRows, int kVecs, Into into>
inline void blockProduct(int64_t depth, TileOperand a, const float* b, int64_t strideB, float* c,
                         int64_t strideC) {
  Vec sums[kRows][kVecs];
  for (int i = 0; i < kRows; i++)
    for (int v = 0; v < kVecs; v++)
      sums[i][v] = into == Into::add ? load(c + i * strideC + v * kLanes) : Vec{};
  for (int64_t k = 0; k < depth; k++) {
    Vec row[kVecs];
    for (int v = 0; v < kVecs; v++) row[v] = load(b + k * strideB + v * kLanes);
    for (int i = 0; i < kRows; i++) {
      const Vec factor = broadcast(a.data[i * a.row + k * a.depth]);
      for (int v = 0; v < kVecs; v++) sums[i][v] = fma(factor, row[v], sums[i][v]);
    }
  }
  for (int i = 0; i < kRows; i++)
    for (int v = 0; v < kVecs; v++) store(c + i * strideC + v * kLanes, sums[i][v]);
}

// What is left of the rows, fewer than kRows + 1.
template <int kRows, int kVecs, Into into>
inline void restProduct(int64_t rows, int64_t depth, TileOperand a, const float* b, int64_t strideB, float* c,
                        int64_t strideC) {
  if (rows == kRows) return blockProduct<kRows, kVecs, into>(depth, a, b, strideB, c, strideC);
  if constexpr (kRows > 1) restProduct<kRows - 1, kVecs, into>(rows, depth, a, b, strideB, c, strideC);
}

template <int kVecs, Into into>
void panelProduct(int64_t m, int64_t depth, TileOperand a, const float* b, int64_t strideB, float* c,
                  int64_t strideC) {
  int64_t i = 0;
  for (; i + kBlockRows <= m; i += kBlockRows) {
    const TileOperand rows{a.data + i * a.row, a.row, a.depth};
    blockProduct<kBlockRows, kVecs, into>(depth, rows, b, strideB, c + i * strideC, strideC);
  }
  const TileOperand rows{a.data + i * a.row, a.row, a.depth};
  restProduct<kBlockRows - 1, kVecs, into>(m - i, depth, rows, b, strideB, c + i * strideC, strideC);
}

// c [m, n] = a [m, depth] @ b [depth, n], or c += it. n is a multiple of kLanes.
template <Into into>
void tileProduct(int64_t m, int64_t n, int64_t depth, TileOperand a, const float* b, int64_t strideB,
                 float* c, int64_t strideC) {
  int64_t column = 0;
  for (; column + kBlockVecs * kLanes <= n; column += kBlockVecs * kLanes)
    panelProduct<kBlockVecs, into>(m, depth, a, b + column, strideB, c + column, strideC);
  if constexpr (kBlockVecs > 2)
    for (; column + 2 * kLanes <= n; column += 2 * kLanes)
      panelProduct<2, into>(m, depth, a, b + column, strideB, c + column, strideC);
  for (; column < n; column += kLanes)
    panelProduct<1, into>(m, depth, a, b + column, strideB, c + column, strideC);
}

}  // namespace
}  // namespace crossmap::cpu
