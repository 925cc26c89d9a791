#pragma once
// Rows of bfloat16 as operands of products of pairs. Kernels only.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "ops/attention/tile.h"
#include "runtime/cpu/pair-product.h"

namespace crossmap::cpu {
namespace {

// Null where another type than bfloat16 is multiplied, or the processor multiplies no pairs.
template <typename E>
const PairKernel* pairKernelFor() {
  return std::is_same_v<E, BFloat16> ? pairKernel<kIsa>() : nullptr;
}

inline int64_t pairPadded(int64_t size) { return roundUp(size, kPairStep); }

// Words that `size` elements take along the depth.
inline int64_t pairWords(int64_t size) { return roundUp(size, 2 * kPairStep) / 2; }

constexpr int64_t kKeyWords = kTileKeys / 2;
constexpr int64_t kRowWords = kTileRows / 2;

// to [paddedRows, pairWords(size)]: pairs along the rows. `rowOf(r)` is where row r of `rows` lies.
template <typename RowOf>
void copyPairs(const RowOf& rowOf, int64_t rows, int64_t paddedRows, int64_t size, float* to) {
  const int64_t words = pairWords(size);
  const auto bytes = static_cast<size_t>(size) * sizeof(BFloat16);
  const auto rowBytes = static_cast<size_t>(words) * sizeof(float);
  for (int64_t r = 0; r < rows; r++) {
    auto* row = reinterpret_cast<std::byte*>(to + r * words);
    std::memcpy(row, rowOf(r), bytes);
    std::memset(row + bytes, 0, rowBytes - bytes);
  }
  std::memset(to + rows * words, 0, static_cast<size_t>(paddedRows - rows) * rowBytes);
}

inline BitsVec loadBits(const BFloat16* row, int64_t at, int64_t size) {
  HalfVec halves{};
  std::memcpy(&halves, row + at,
              static_cast<size_t>(std::min<int64_t>(kLanes, size - at)) * sizeof(BFloat16));
  return __builtin_convertvector(halves, BitsVec);
}

// to [paddedRows / 2, stride]: each word pairs an element with the one below it. paddedRows is even.
template <typename RowOf>
void pairRows(const RowOf& rowOf, int64_t rows, int64_t paddedRows, int64_t size, float* to, int64_t stride) {
  for (int64_t r = 0; r < paddedRows; r += 2) {
    float* const words = to + r / 2 * stride;
    if (r >= rows) {
      std::fill_n(words, pairPadded(size), 0.f);
      continue;
    }
    const BFloat16* upper = rowOf(r);
    const BFloat16* lower = r + 1 < rows ? rowOf(r + 1) : nullptr;
    for (int64_t d = 0; d < pairPadded(size); d += kLanes) {
      BitsVec bits{};
      if (d < size) {
        bits = loadBits(upper, d, size);
        if (lower) bits |= loadBits(lower, d, size) << 16;
      }
      store(words + d, std::bit_cast<Vec>(bits));
    }
  }
}

// Words of two vectors rounded to nearest even, the first in the lower halves. NaN stays NaN.
inline Vec pairOf(Vec low, Vec high) {
  const auto rounded = [](Vec vec) {
    const auto bits = std::bit_cast<BitsVec>(vec);
    return vec != vec ? bits | 0x400000u : bits + 0x7fffu + (bits >> 16 & 1u);
  };
  return std::bit_cast<Vec>(rounded(low) >> 16 | (rounded(high) & 0xffff0000u));
}

}  // namespace
}  // namespace crossmap::cpu
