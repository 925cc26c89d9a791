#pragma once
// Which tile of a matrix of scores a block has, and what decides for each of its scores whether it counts.
#include <cstdint>

#include "ops/contrastive/contrastive-plan.h"
#include "ops/contrastive/contrastive-rows-cuda.cuh"

namespace crossmap::cuda {
namespace {

constexpr int kTile = static_cast<int>(kScoreTile);
constexpr int kScoreThreads = 2 * kTile;  // one for each row and column of a tile

// One side of a matrix of scores: the numbers of its rows, or of its columns.
struct ScoreSide {
  int64_t count;
  const float* inverseNorms;  // [count]
  const int32_t* groups;      // [count], or null where each row is a group of its own and none is absent
  const float* ownScores;     // [count] to which the threshold is added; null where nothing is left out by it
  // The softmax whose part a logit is, in the backward pass. Null where it is part of none.
  const float *lse, *leftOut, *shares, *pairScores;  // [count]
  const float* weights;                              // [count], or null where all are 1
};

enum class ScoreKind : int32_t { pairs, own, extra };

// A rectangle of a matrix of scores.
struct ScorePanel {
  ScoreSide rows, columns;
  ScoreKind kind;
  GroupMode groupMode;            // what rows and columns of one group are to each other in this matrix
  int64_t rowBegin, columnBegin;  // multiples of a tile
  float threshold;
  const Scalars* scalars;

  // Whether anything of pairs that are present, but the pair itself, may be left out.
  __device__ bool hasMarks() const {
    return groupMode != GroupMode::none || rows.ownScores || columns.ownScores;
  }
};

// A tile's numbers for its rows, then for its columns, in shared memory.
struct ForwardMarks {
  static constexpr int32_t kNoRow = -1;  // beyond the edge, or of an absent pair

  float factors[kScoreThreads];     // mantissas of 1 / norm
  float limits[kScoreThreads];      // a higher score is left out, unless a positive's
  int32_t ids[kScoreThreads];       // 0 or more, left out where row and column have the same; or kNoRow
  int32_t partners[kScoreThreads];  // positives beside the pair itself where row and column have the same
};

struct BackwardMarks : ForwardMarks {
  float lse[kScoreThreads];
  float weights[kScoreThreads];  // in units of the greatest
  float narrow[kScoreThreads];   // weight * e^-lse, in units of the reference
  float shares[kScoreThreads];   // weight * share of a positive
  float own[kScoreThreads];      // weight * (P_ii - t_ii)
  float ownLogits[kScoreThreads];
};

// Which tile a block has, and what is the same for all of it.
struct TileArea {
  int64_t rowBegin, columnBegin;  // in the matrix
  int rowCount, columnCount;      // at most kTile
  bool isDiagonal;                // has pairs of a row with itself
};

__device__ inline TileArea tileOf(const ScorePanel& panel, int64_t tileRow, int64_t tileColumn) {
  const int64_t rowBegin = panel.rowBegin + tileRow * kTile;
  const int64_t columnBegin = panel.columnBegin + tileColumn * kTile;
  return {rowBegin, columnBegin, static_cast<int>(min(panel.rows.count - rowBegin, int64_t{kTile})),
          static_cast<int>(min(panel.columns.count - columnBegin, int64_t{kTile})),
          panel.kind != ScoreKind::extra && rowBegin == columnBegin};
}

// Whether the thread's number is a row's, which, and its group.
struct Entry {
  bool isRow;
  int64_t index;
  int32_t group;  // below 0 beyond the edge, and of an absent pair

  __device__ bool isPresent() const { return group >= 0; }
};

__device__ inline Entry entryOf(const ScorePanel& panel, const TileArea& tile) {
  const int thread = static_cast<int>(threadIdx.x), at = thread % kTile;
  const bool isRow = thread < kTile;
  const int32_t* groups = isRow ? panel.rows.groups : panel.columns.groups;
  const int64_t index = (isRow ? tile.rowBegin : tile.columnBegin) + at;
  if (at >= (isRow ? tile.rowCount : tile.columnCount)) return {isRow, index, ForwardMarks::kNoRow};
  return {isRow, index, groups ? groups[index] : static_cast<int32_t>(index)};
}

// Each thread loads the numbers of one row or column. A barrier must follow.
__device__ inline void loadMarks(const ScorePanel& panel, const Entry& entry, ForwardMarks& sMarks) {
  const ScoreSide& side = entry.isRow ? panel.rows : panel.columns;
  // What equals nothing of the other side.
  const int32_t never = entry.isRow ? 0 : 1;
  const auto at = threadIdx.x;
  const int64_t index = entry.index;
  const bool isPresent = entry.isPresent();
  const int32_t id = panel.kind == ScoreKind::extra       ? never
                     : panel.groupMode == GroupMode::mask ? entry.group
                                                          : static_cast<int32_t>(index);
  sMarks.factors[at] = isPresent ? unitFactorOf(side.inverseNorms[index]).mantissa : 0;
  sMarks.limits[at] = side.ownScores && isPresent ? side.ownScores[index] + panel.threshold : kInfinity;
  sMarks.ids[at] = isPresent ? id : ForwardMarks::kNoRow;
  sMarks.partners[at] = panel.groupMode == GroupMode::positives ? entry.group : never;
}

__device__ inline void loadPullMarks(const ScorePanel& panel, const Entry& entry, const Scalars& scalars,
                                     BackwardMarks& sMarks) {
  const ScoreSide& side = entry.isRow ? panel.rows : panel.columns;
  const bool hasSoftmax = side.lse && entry.isPresent();
  const auto at = threadIdx.x;
  const int64_t index = entry.index;
  const float lse = hasSoftmax ? side.lse[index] : kInfinity;
  const float weight = !hasSoftmax ? 0 : side.weights ? side.weights[index] / scalars.mostWeight : 1;
  const float share = hasSoftmax ? side.shares[index] : 0;
  const float leftOut = hasSoftmax ? side.leftOut[index] : 0;
  sMarks.lse[at] = lse;
  sMarks.weights[at] = weight;
  sMarks.narrow[at] = hasSoftmax ? weight * exp2f(fmaf(-lse, kLog2E, scalars.referenceExponent)) : 0;
  sMarks.shares[at] = weight * share;
  sMarks.own[at] = weight * ((1 - share) - leftOut);
  sMarks.ownLogits[at] =
      hasSoftmax ? fmaf(side.pairScores[index], scalars.inverseTau, -scalars.positiveMargin) : 0;
}

// What decides whether a logit counts, for its row and for its column. Both pass over the pair itself.
struct Kept {
  bool isPartner, inRow, inColumn;
};

__device__ inline Kept keptAt(const ForwardMarks& sMarks, int row, int column, float score) {
  // Not above 0 where both are the same or the row alone has the sign of kNoRow. The column's is asked for
  // first: with one condition for all, the compiler holds each column's id in a register, and one block of
  // the pulls takes the place of two.
  const int32_t columnId = sMarks.ids[kTile + column];
  const bool isOther = columnId >= 0 && (sMarks.ids[row] ^ columnId) > 0;
  const bool isPartner = isOther && sMarks.partners[row] == sMarks.partners[kTile + column];
  return {isPartner, isOther && (isPartner || !(score > sMarks.limits[row])),
          isOther && (isPartner || !(score > sMarks.limits[kTile + column]))};
}

__device__ inline float scoreOf(const ForwardMarks& sMarks, int row, int column, float product) {
  return product * sMarks.factors[row] * sMarks.factors[kTile + column];
}

__device__ inline float logitOf(const Scalars& scalars, float score, bool isPartner) {
  return score * scalars.inverseTau - (isPartner ? scalars.positiveMargin : 0.f);
}

__device__ inline float powerOf(const Scalars& scalars, float logit) {
  return exp2Fast(fmaf(logit, kLog2E, -scalars.referenceExponent));
}

}  // namespace
}  // namespace crossmap::cuda
