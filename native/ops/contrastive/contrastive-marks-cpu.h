#pragma once
// Which logits of a tile count, and how. Kernels only; internal linkage as in simd.h.
#include <algorithm>

#include "ops/contrastive/contrastive-problem-cpu.h"
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {
namespace {

// The part of a tile's arrays that belongs to its rows or its columns, padded to whole vectors.
template <typename T>
struct alignas(64) TileArray {
  T values[kMostTileRows];

  T& operator[](int64_t index) { return values[index]; }
  const T& operator[](int64_t index) const { return values[index]; }
};

inline IntVec load(const int32_t* from) {
  IntVec vec;
  std::memcpy(&vec, from, sizeof vec);
  return vec;
}

// What decides which logits of a tile count, for its rows or its columns.
struct Marks {
  static constexpr int32_t kNoRow = -1;

  TileArray<int32_t> ids;       // 0 or more, left out where those of row and column are the same; or kNoRow
  TileArray<int32_t> partners;  // positives beside the pair itself where these are the same, but not the ids
  TileArray<float> limits;      // a higher score is left out, unless a positive's
};

enum class Side { row, column };

bool hasPartners(const Problem& problem, const ScoreMatrix& matrix) {
  return problem.x.groups && problem.groupMode == GroupMode::positives &&
         matrix.kind == ScoreMatrix::Kind::pairs;
}

// Marks of the rows or columns `begin` and on of a matrix of scores.
Marks marksOf(const Problem& problem, const ScoreMatrix& matrix, Side side, int64_t begin, int64_t count) {
  const bool isExtra = matrix.kind == ScoreMatrix::Kind::extra;
  const bool isRow = side == Side::row;
  const Rows& rows = isRow ? *matrix.rows : *matrix.columns;
  const bool areMarked = hasPartners(problem, matrix);
  const bool idsAreGroups = rows.groups && problem.groupMode != GroupMode::none && !areMarked;
  const bool hasLimits = problem.threshold && (isRow || !isExtra);
  const int32_t never = isRow ? 0 : 1;  // what equals nothing of the other side
  const float* scores = problem.statistic(ContrastiveStatistic::score);
  Marks marks{};
  std::fill(marks.ids.values + count, marks.ids.values + kMostTileRows, Marks::kNoRow);
  for (int64_t index = 0; index < count; index++) {
    const int64_t pair = begin + index;
    const int32_t id = isExtra ? never : idsAreGroups ? rows.groups[pair] : static_cast<int32_t>(pair);
    marks.ids[index] = rows.isAbsent(pair) ? Marks::kNoRow : id;
    marks.partners[index] = areMarked ? rows.groups[pair] : never;
    marks.limits[index] = hasLimits ? scores[pair] + *problem.threshold : kInfinity;
  }
  return marks;
}

// Both sides' marks of a tile.
struct TileMarks {
  Marks rows, columns;
  float inverseTau;
  float positiveMargin;  // margin / tau, taken from the logits of positives
  bool isPlain;          // no row has partners, no score is limited: the ids alone decide
  bool isBounded;        // as kMostBoundedLogit says
};

// A vector of logits: which of them are positives beside the pair itself, and which are left out of the
// softmax of their row and of that of their column. Both pass over the pair itself: its share is found apart.
struct Logits {
  Vec values;
  IntVec isPartner, notInRow, notInColumn;
};

template <bool isPlain>
inline Logits logitsAt(const TileMarks& marks, int64_t row, int64_t column, Vec scores) {
  // Not above 0 where both are the same, or one alone has the sign of kNoRow.
  const IntVec never = (load(&marks.columns.ids[column]) ^ marks.rows.ids[row]) <= 0;
  const Vec plain = scores * marks.inverseTau;
  if constexpr (isPlain) return {plain, IntVec{}, never, never};
  const IntVec isPartner = (load(&marks.columns.partners[column]) == marks.rows.partners[row]) & ~never;
  const IntVec aboveRow = scores > marks.rows.limits[row];
  const IntVec aboveColumn = scores > load(&marks.columns.limits[column]);
  return {isPartner ? plain - marks.positiveMargin : plain, isPartner, never | (aboveRow & ~isPartner),
          never | (aboveColumn & ~isPartner)};
}

}  // namespace
}  // namespace crossmap::cpu
