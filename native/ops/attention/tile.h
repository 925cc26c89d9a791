#pragma once
// Tiles of rows and keys in cache: filling them, and which of their elements are seen. Kernels only.
#include <algorithm>
#include <cstdint>

#include "ops/attention/attention-plan.h"
#include "runtime/cpu/simd.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {
namespace {

// Rows and keys of a tile: a panel of each operand of a product (64 x headDim x 4 bytes) fits beside the
// scores in the second-level cache at any headDim, and in the first at the common 64.
constexpr int64_t kTileRows = 64;
constexpr int64_t kTileKeys = 64;

inline int64_t paddedTo(int64_t size) { return roundUp(size, kLanes); }

// One row as float32, times `factor`, filled up with zeros to whole vectors.
template <typename E>
inline void copyRow(const E* from, int64_t size, float factor, float* to) {
  int64_t d = 0;
  for (; d + kLanes <= size; d += kLanes) store(to + d, load(from + d) * factor);
  if (d < size) store(to + d, loadPartial(from + d, size - d) * factor);
}

template <typename E>
inline void writeRow(const float* from, int64_t size, float factor, E* to) {
  int64_t d = 0;
  for (; d + kLanes <= size; d += kLanes) store(to + d, load(from + d) * factor);
  if (d < size) storePartial(to + d, load(from + d) * factor, size - d);
}

// Four floats, whatever the instruction set: transposes go by 4 x 4.
typedef float Quad __attribute__((vector_size(16)));

inline Quad loadQuad(const float* from) {
  Quad quad;
  std::memcpy(&quad, from, sizeof quad);
  return quad;
}

inline void storeQuad(float* to, Quad quad) { std::memcpy(to, &quad, sizeof quad); }

// to [columns, rows] = the transpose of from [rows, columns]; both are multiples of 4.
inline void transpose(const float* from, int64_t strideFrom, int64_t rows, int64_t columns, float* to,
                      int64_t strideTo) {
  for (int64_t row = 0; row < rows; row += 4)
    for (int64_t column = 0; column < columns; column += 4) {
      const float* source = from + row * strideFrom + column;
      const Quad a = loadQuad(source);
      const Quad b = loadQuad(source + strideFrom);
      const Quad c = loadQuad(source + 2 * strideFrom);
      const Quad d = loadQuad(source + 3 * strideFrom);
      const Quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      const Quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
      const Quad abHigh = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Quad cdHigh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      float* target = to + column * strideTo + row;
      storeQuad(target, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
      storeQuad(target + strideTo, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
      storeQuad(target + 2 * strideTo, __builtin_shufflevector(abHigh, cdHigh, 0, 1, 4, 5));
      storeQuad(target + 3 * strideTo, __builtin_shufflevector(abHigh, cdHigh, 2, 3, 6, 7));
    }
}

inline void clearRows(float* to, int64_t stride, int64_t begin, int64_t end) {
  std::fill(to + begin * stride, to + end * stride, 0.f);
}

// Where the rows of a tile lie, and which keys they see. Rows that only fill the last vector see none.
struct TileRows {
  int64_t count;
  int64_t at[kTileRows];     // (query * heads + head): times headDim in q, out and their gradients
  int32_t begin[kTileRows];  // keys seen besides the prefix, from the first of the segment
  int32_t end[kTileRows];

  // Whether every row sees all keys of [first, last).
  bool seeAll(int64_t first, int64_t last, int64_t prefix) const {
    return last <= prefix || (begin[count - 1] <= first && last <= end[0]);
  }
};

inline TileRows tileRows(const AttentionShape& shape, const AttentionView& view,
                         const AttentionSegment& segment, const RowBlock& block, int64_t kvHead) {
  TileRows rows;
  rows.count = block.rows;
  const int64_t group = shape.group();
  int64_t query = block.row / group;
  int64_t member = block.row % group;
  KeyRange seen = view.keysAt(segment.positionOf(query), segment.keys);
  for (int64_t r = 0; r < block.rows; r++) {
    rows.at[r] = (segment.firstQuery + query) * shape.heads + kvHead * group + member;
    rows.begin[r] = static_cast<int32_t>(seen.begin);
    rows.end[r] = static_cast<int32_t>(seen.end);
    if (++member < group) continue;
    member = 0;
    query++;
    seen = view.keysAt(segment.positionOf(query), segment.keys);
  }
  for (int64_t r = block.rows; r < paddedTo(block.rows); r++) rows.begin[r] = rows.end[r] = 0;
  return rows;
}

}  // namespace
}  // namespace crossmap::cpu
