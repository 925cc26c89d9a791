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

inline IntVec loadInts(const int32_t* from) {
  IntVec ints;
  std::memcpy(&ints, from, sizeof ints);
  return ints;
}

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

// Products leave out what no row sees, by squares of so many rows and keys: half of a tile on the diagonal.
constexpr int64_t kChunk = 16;

// The elements [begin, end) of one axis of a tile that need [from, to) of the other.
struct Band {
  int64_t begin, end;
  int64_t from, to;
};

class Bands {
 public:
  // Neighbours with the same needs become one band.
  void add(Band band) {
    if (count_ > 0 && bands_[count_ - 1].from == band.from && bands_[count_ - 1].to == band.to)
      bands_[count_ - 1].end = band.end;
    else
      bands_[count_++] = band;
  }
  const Band* begin() const { return bands_; }
  const Band* end() const { return bands_ + count_; }

 private:
  Band bands_[std::max(kTileRows, kTileKeys) / kChunk];
  int count_ = 0;
};

struct TileBands {
  Bands rows;  // rows and the keys that they see
  Bands keys;  // keys and the rows that see them
};

// The bands of rows that see some of `keys` keys from `first` on, of a segment with this prefix. Ends of the
// keys that a row sees rise with the row, so what a chunk needs is one range.
inline TileBands tileBands(const TileRows& rows, int64_t first, int64_t keys, int64_t prefix) {
  TileBands bands;
  if (first < prefix || rows.seeAll(first, first + keys, prefix)) {
    bands.rows.add({0, rows.count, 0, keys});
    bands.keys.add({0, keys, 0, rows.count});
    return bands;
  }
  for (int64_t r = 0; r < rows.count; r += kChunk) {
    const int64_t end = std::min(r + kChunk, rows.count);
    const int64_t from = std::clamp<int64_t>(rows.begin[r] - first, 0, keys) / kChunk * kChunk;
    const int64_t seen = std::clamp<int64_t>(rows.end[end - 1] - first, 0, keys);
    const int64_t to = std::min(keys, roundUp(seen, kChunk));
    bands.rows.add(from < to ? Band{r, end, from, to} : Band{r, end, 0, 0});
  }
  for (int64_t j = 0; j < keys; j += kChunk) {
    Band band{j, std::min(j + kChunk, keys), 0, 0};
    for (const Band& seeing : bands.rows) {
      if (j < seeing.from || j >= seeing.to) continue;
      if (band.to == 0) band.from = seeing.begin;
      band.to = seeing.end;
    }
    bands.keys.add(band);
  }
  return bands;
}

}  // namespace
}  // namespace crossmap::cpu
