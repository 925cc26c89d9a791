#pragma once
// What the backward pass makes of a tile of scores while it lies in registers: the gradients of its logits,
// and its part of that of theta.
#include <cstdint>

#include "ops/contrastive/contrastive-scores-cuda.cuh"
#include "runtime/cuda/gemm.cuh"

namespace crossmap::cuda {
namespace {

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
