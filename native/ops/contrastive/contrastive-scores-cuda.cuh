#pragma once
// What becomes of a tile of scores while it lies in registers: partial softmax sums of its rows and columns
// in the forward pass, gradients in the backward pass.
#include <cstdint>

#include "ops/contrastive/contrastive-plan.h"
#include "ops/contrastive/contrastive-rows-cuda.cuh"
#include "runtime/cuda/gemm.cuh"

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

struct Sum {
  static constexpr float kNone = 0;
  __device__ static float of(float a, float b) { return a + b; }
  __device__ static float overRow(float value) { return quadSum(value); }
  __device__ static float overColumn(float value) { return columnSum(value); }
};

struct Most {
  static constexpr float kNone = -std::numeric_limits<float>::infinity();
  __device__ static float of(float a, float b) { return fmaxf(a, b); }
  __device__ static float overRow(float value) { return quadMax(value); }
  __device__ static float overColumn(float value) { return columnMax(value); }
};

// What an element adds to its row and to its column.
struct Added {
  float toRow, toColumn;
};

// Room for the results of each warp: of a row by the warps across, of a column by the warps down.
template <typename Tile>
constexpr int kReduceFloats = kTile*(Tile::kWarpsAcross + Tile::kWarpsDown);

// Reduces `added(row, column, accumulator)` over each row and each column of the tile; the calling thread
// gets the result of its own (entryOf). Fixed order: a thread's elements, the lanes, the warps. `sScratch` is
// free again when the call returns.
template <typename Operation, typename Tile, typename F>
__device__ inline float reduceTile(const Accumulators<Tile>& scores, float* sScratch, F&& added) {
  constexpr int kM = Tile::kRowFragments, kN = Tile::kColumnFragments;
  float* sColumns = sScratch + kTile * Tile::kWarpsAcross;
  float rColumns[kN][2];
#pragma unroll
  for (int n = 0; n < kN; n++) rColumns[n][0] = rColumns[n][1] = Operation::kNone;
#pragma unroll
  for (int m = 0; m < kM; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int row = scores.rowOf(m, half);
      float rRow = Operation::kNone;
#pragma unroll
      for (int n = 0; n < kN; n++)
#pragma unroll
        for (int odd = 0; odd < 2; odd++) {
          const Added each = added(row, scores.columnOf(n, odd), scores.values[m][n][2 * half + odd]);
          rRow = Operation::of(rRow, each.toRow);
          rColumns[n][odd] = Operation::of(rColumns[n][odd], each.toColumn);
        }
      rRow = Operation::overRow(rRow);
      if (laneIndex() % 4 == 0) sScratch[(warpIndex() % Tile::kWarpsAcross) * kTile + row] = rRow;
    }
#pragma unroll
  for (int n = 0; n < kN; n++)
#pragma unroll
    for (int odd = 0; odd < 2; odd++) {
      const float rColumn = Operation::overColumn(rColumns[n][odd]);
      if (laneIndex() < 4)
        sColumns[(warpIndex() / Tile::kWarpsAcross) * kTile + scores.columnOf(n, odd)] = rColumn;
    }
  __syncthreads();  // all warps have written their results
  const bool isRow = threadIdx.x < kTile;
  const float* sResults = (isRow ? sScratch : sColumns) + threadIdx.x % kTile;
  float result = sResults[0];
  for (int warp = 1; warp < (isRow ? Tile::kWarpsAcross : Tile::kWarpsDown); warp++)
    result = Operation::of(result, sResults[warp * kTile]);
  __syncthreads();  // all threads have read theirs: sScratch is free
  return result;
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

// Where the forward pass puts what a tile found. Partial results are pairs of floats.
struct SweepOutput {
  // [tile columns, rowStride], [tile rows of the panel, columnStride]: references and sums.
  float *rowPartials, *columnPartials;
  // The same of positives beside the pair itself: sums of logits and counts; or null.
  float *rowPartners, *columnPartners;
  int64_t rowStride, columnStride;
};

// A float of a partial result and the next.
__device__ inline void storePartial(float* partials, int64_t at, float first, float second) {
  storePack(partials + 2 * at, Pack<float, 2>{{first, second}});
}

// The tile's part of the softmax of each row and column, in three ways: where all is kept and one power of 2
// serves both; where marks leave something out; and where logits may lie so far apart that each row and
// column needs its own maximum. All are exact to rounding; they differ in what they cost.
template <typename Tile>
__device__ inline Pack<float, 2> sweepTile(const ForwardMarks& sMarks, const Scalars& scalars,
                                           const Accumulators<Tile>& scores, float* sScratch, bool hasMarks) {
  const auto logitAt = [&](int row, int column, float product, auto&& body) {
    const float score = scoreOf(sMarks, row, column, product);
    const Kept kept = keptAt(sMarks, row, column, score);
    return body(kept, logitOf(scalars, score, kept.isPartner));
  };
  if (scalars.isNarrow && !hasMarks) {
    const float sum = reduceTile<Sum>(scores, sScratch, [&](int row, int column, float product) {
      const float score = scoreOf(sMarks, row, column, product);
      const float power = powerOf(scalars, logitOf(scalars, score, false));
      return Added{power, power};
    });
    return {{scalars.referenceExponent, sum}};
  }
  if (scalars.isNarrow) {
    const float sum = reduceTile<Sum>(scores, sScratch, [&](int row, int column, float product) {
      return logitAt(row, column, product, [&](const Kept& kept, float logit) {
        const float power = powerOf(scalars, logit);
        return Added{kept.inRow ? power : 0.f, kept.inColumn ? power : 0.f};
      });
    });
    return {{scalars.referenceExponent, sum}};
  }
  const float most = reduceTile<Most>(scores, sScratch, [&](int row, int column, float product) {
    return logitAt(row, column, product, [&](const Kept& kept, float logit) {
      return Added{kept.inRow ? logit * kLog2E : -kInfinity, kept.inColumn ? logit * kLog2E : -kInfinity};
    });
  });
  // A row without anything kept has the maximum -inf, of which no difference can be taken, and the sum 0.
  float* sReferences = sScratch + kReduceFloats<Tile>;
  sReferences[threadIdx.x] = most == -kInfinity ? 0.f : most;
  __syncthreads();  // all references are written
  const float sum = reduceTile<Sum>(scores, sScratch, [&](int row, int column, float product) {
    return logitAt(row, column, product, [&](const Kept& kept, float logit) {
      const float exponent = logit * kLog2E;
      return Added{kept.inRow ? exp2Fast(exponent - sReferences[row]) : 0.f,
                   kept.inColumn ? exp2Fast(exponent - sReferences[kTile + column]) : 0.f};
    });
  });
  return {{most, sum}};
}

// Sum and number of the logits of positives beside the pair itself.
template <typename Tile>
__device__ inline Pack<float, 2> sweepPartners(const ForwardMarks& sMarks, const Scalars& scalars,
                                               const Accumulators<Tile>& scores, float* sScratch) {
  const auto reduce = [&](auto&& valueOf) {
    return reduceTile<Sum>(scores, sScratch, [&](int row, int column, float product) {
      const float score = scoreOf(sMarks, row, column, product);
      const Kept kept = keptAt(sMarks, row, column, score);
      const float value = kept.isPartner ? valueOf(logitOf(scalars, score, true)) : 0.f;
      return Added{value, value};
    });
  };
  const float logits = reduce([](float logit) { return logit; });
  return {{logits, reduce([](float) { return 1.f; })}};
}

// Shared memory: marks, room for reductions, references.
template <typename Tile>
constexpr int64_t kSweepBytes = sizeof(ForwardMarks) + sizeof(float) * (kReduceFloats<Tile> + kScoreThreads);

template <typename Tile>
__device__ inline void finishSweep(const ScorePanel& panel, const SweepOutput& output, int64_t tileRow,
                                   int64_t tileColumn, const Accumulators<Tile>& scores, char* sMemory) {
  auto& sMarks = *reinterpret_cast<ForwardMarks*>(sMemory);
  auto* sScratch = reinterpret_cast<float*>(sMemory + sizeof(ForwardMarks));
  const Scalars scalars = *panel.scalars;
  const TileArea tile = tileOf(panel, tileRow, tileColumn);
  const Entry entry = entryOf(panel, tile);
  loadMarks(panel, entry, sMarks);
  const bool isWhole = __syncthreads_and(entry.isPresent());  // all marks are written
  const bool hasMarks = panel.hasMarks() || tile.isDiagonal || !isWhole;
  const Pack<float, 2> rPartial = sweepTile(sMarks, scalars, scores, sScratch, hasMarks);
  const int64_t at = threadIdx.x % kTile;
  const int64_t place = entry.isRow ? tileColumn * output.rowStride + tileRow * kTile + at
                                    : tileRow * output.columnStride + tileColumn * kTile + at;
  if (float* partials = entry.isRow ? output.rowPartials : output.columnPartials)
    storePack(partials + 2 * place, rPartial);
  if (!output.rowPartners) return;  // of all threads alike
  const Pack<float, 2> rPartners = sweepPartners(sMarks, scalars, scores, sScratch);
  if (float* partners = entry.isRow ? output.rowPartners : output.columnPartners)
    storePack(partners + 2 * place, rPartners);
}

// Where the backward pass puts the gradients of a panel's logits.
template <typename E>
struct PullOutput {
  // [tile rows * kTile, stride], stride a multiple of kTile: dLoss/dlogit in units of
  // Scalars::gradientFactor, times pullScale and the mantissas of row and column, since the products are with
  // scaled rows.
  E* pulls;
  int64_t stride;
  float pullScale;
  float* theta;  // [tile rows, tile columns] sums of gradient times logit, or null
};

// The gradient of one logit in units of Scalars::gradientFactor, in two parts:
//   w_i (P_ij - t_ij)  and  w_j (Q_ij - t_ij);  of a pair itself P_ii - t_ii = (1 - t_ii) - (1 - P_ii)
struct Pull {
  float row, column, logit;
};

__device__ inline Pull pullAt(const BackwardMarks& sMarks, const Scalars& scalars, bool hasPairs, int row,
                              int column, float score) {
  const Kept kept = keptAt(sMarks, row, column, score);
  const int other = kTile + column;
  if (hasPairs && row == column && sMarks.ids[row] >= 0)
    return {sMarks.own[row], sMarks.own[other], sMarks.ownLogits[row]};
  Pull pull{0, 0, logitOf(scalars, score, kept.isPartner)};
  if (scalars.isNarrow) {
    const float power = powerOf(scalars, pull.logit);
    if (kept.inRow) pull.row = power * sMarks.narrow[row];
    if (kept.inColumn) pull.column = power * sMarks.narrow[other];
  } else {
    if (kept.inRow) pull.row = sMarks.weights[row] * exp2Fast((pull.logit - sMarks.lse[row]) * kLog2E);
    if (kept.inColumn)
      pull.column = sMarks.weights[other] * exp2Fast((pull.logit - sMarks.lse[other]) * kLog2E);
  }
  if (kept.isPartner) {
    pull.row -= sMarks.shares[row];
    pull.column -= sMarks.shares[other];
  }
  return pull;
}

// Two neighbouring fragments' pulls of a row, eight columns each, of which a lane has two and two. Lanes
// exchange so that each stores four neighbours, and the four lanes of a row 16: whole sectors of memory.
template <typename E>
__device__ inline void storePulls(E* gRow, const float (&low)[2], const float (&high)[2]) {
  const int lane = laneIndex() % 4;
  const bool isOdd = lane % 2 == 1;
  if constexpr (sizeof(E) == 4) {
    __syncwarp();  // lanes whose logits are left out went another way: all store together, so whole sectors
    storePack(gRow + 2 * lane, Pack<float, 2>{{low[0], low[1]}});
    storePack(gRow + 8 + 2 * lane, Pack<float, 2>{{high[0], high[1]}});
  } else {
    const uint32_t lowPair = packPair<E>(low[0], low[1]), highPair = packPair<E>(high[0], high[1]);
    const uint32_t other = __shfl_xor_sync(kAllLanes, isOdd ? lowPair : highPair, 1);
    auto* gPairs = reinterpret_cast<uint32_t*>(gRow) + (isOdd ? 4 + lane - 1 : lane);
    storePack(gPairs, isOdd ? Pack<uint32_t, 2>{{other, highPair}} : Pack<uint32_t, 2>{{lowPair, other}});
  }
}

// Stores `pullOf(row, column, score)` of all elements of the tile, padding included.
template <typename E, typename Tile, typename F>
__device__ inline void storeTile(const PullOutput<E>& output, E* gTile, const BackwardMarks& sMarks,
                                 const Accumulators<Tile>& scores, F&& pullOf) {
#pragma unroll
  for (int m = 0; m < Tile::kRowFragments; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int row = scores.rowOf(m, half);
      E* gRow = gTile + row * output.stride;
      const float rowFactor = sMarks.factors[row] * output.pullScale;
#pragma unroll
      for (int n = 0; n < Tile::kColumnFragments; n += 2) {
        float rPulls[2][2];
#pragma unroll
        for (int each = 0; each < 2; each++)
#pragma unroll
          for (int odd = 0; odd < 2; odd++) {
            const int column = scores.columnOf(n + each, odd);
            const float score = scoreOf(sMarks, row, column, scores.values[m][n + each][2 * half + odd]);
            const Pull pull = pullOf(row, column, score);
            rPulls[each][odd] = (pull.row + pull.column) * rowFactor * sMarks.factors[kTile + column];
          }
        storePulls(gRow + scores.columnOf(n, 0) - 2 * (laneIndex() % 4), rPulls[0], rPulls[1]);
      }
    }
}

// The thread's sum of pull times logit. The pulls of a softmax add up to 0, so its pair's own logit can be
// taken from all of its logits: without that, large terms of both signs would cancel.
template <typename Tile, typename F>
__device__ inline float thetaOf(const BackwardMarks& sMarks, const Accumulators<Tile>& scores, F&& pullOf) {
  float theta = 0;
#pragma unroll
  for (int m = 0; m < Tile::kRowFragments; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int row = scores.rowOf(m, half);
#pragma unroll
      for (int n = 0; n < Tile::kColumnFragments; n++)
#pragma unroll
        for (int odd = 0; odd < 2; odd++) {
          const int column = scores.columnOf(n, odd);
          const float score = scoreOf(sMarks, row, column, scores.values[m][n][2 * half + odd]);
          const Pull pull = pullOf(row, column, score);
          theta = fmaf(pull.row, pull.logit - sMarks.ownLogits[row], theta);
          theta = fmaf(pull.column, pull.logit - sMarks.ownLogits[kTile + column], theta);
        }
    }
  return theta;
}

// Shared memory: marks, room for the sum over the block.
constexpr int64_t kPullBytes = sizeof(BackwardMarks) + sizeof(float) * kWarpSize;

template <typename E, typename Tile>
__device__ inline void finishPulls(const ScorePanel& panel, const PullOutput<E>& output, int64_t tileRow,
                                   int64_t tileColumn, int64_t tileColumns, const Accumulators<Tile>& scores,
                                   char* sMemory) {
  auto& sMarks = *reinterpret_cast<BackwardMarks*>(sMemory);
  const Scalars scalars = *panel.scalars;
  const TileArea tile = tileOf(panel, tileRow, tileColumn);
  const Entry entry = entryOf(panel, tile);
  loadMarks(panel, entry, sMarks);
  loadPullMarks(panel, entry, scalars, sMarks);
  const bool isWhole = __syncthreads_and(entry.isPresent());  // all marks are written
  // Those that have a pair with itself.
  const bool hasPairs = tile.isDiagonal && panel.kind == ScoreKind::pairs;
  E* gTile = output.pulls + tileRow * kTile * output.stride + tileColumn * kTile;
  const auto finish = [&](auto&& pullOf) {
    storeTile(output, gTile, sMarks, scores, pullOf);
    return output.theta ? thetaOf(sMarks, scores, pullOf) : 0.f;
  };
  float theta = 0;
  if (scalars.isNarrow && !panel.hasMarks() && !tile.isDiagonal && isWhole)
    theta = finish([&](int row, int column, float score) {
      const float logit = logitOf(scalars, score, false), power = powerOf(scalars, logit);
      return Pull{power * sMarks.narrow[row], power * sMarks.narrow[kTile + column], logit};
    });
  else
    theta = finish([&](int row, int column, float score) {
      return pullAt(sMarks, scalars, hasPairs, row, column, score);
    });
  if (!output.theta) return;  // of all threads alike
  const float sum = blockSum(theta, reinterpret_cast<float*>(sMemory + sizeof(BackwardMarks)));
  if (threadIdx.x == 0) output.theta[tileRow * tileColumns + tileColumn] = sum;
}

}  // namespace
}  // namespace crossmap::cuda
