#pragma once
// What the forward pass makes of a tile of scores while it lies in registers: its part of the softmax of each
// row and column.
#include <cstdint>

#include "ops/contrastive/contrastive-scores-cuda.cuh"
#include "runtime/cuda/gemm.cuh"

namespace crossmap::cuda {
namespace {

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

// Where the forward pass puts what a tile found. Partial results are pairs of floats.
struct SweepOutput {
  // [tile columns, rowStride], [tile rows of the panel, columnStride]: references and sums.
  float *rowPartials, *columnPartials;
  // The same of positives beside the pair itself: sums of logits and counts; or null.
  float *rowPartners, *columnPartners;
  int64_t rowStride, columnStride;
};
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

}  // namespace
}  // namespace crossmap::cuda
