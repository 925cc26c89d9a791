#pragma once
// From the partial results of tiles to the softmax of each row and column, and from these to the loss.
#include <cstdint>

#include "ops/contrastive/contrastive-plan.h"
#include "ops/contrastive/contrastive-rows-cuda.cuh"

namespace crossmap::cuda {
namespace {

// Of one direction, over the logits seen so far, the pair's own left out. A sum is of
// 2^(logit / ln 2 - reference).
struct SoftmaxState {
  float* references;  // [pairs]
  float* sums;        // [pairs]
  float*
      partners;  // [pairs] sum of the logits of positives beside the pair itself; null where there are none
};

// What one direction of a panel's tiles found. Entries are rows or columns.
struct MergeArgs {
  const float* partials;  // [tiles, stride, 2] references and sums
  const float* partners;  // [tiles, stride, 2] sums of logits and counts; or null
  int64_t count, stride;
  // Entries have partial results of the tiles from `firstTile` to `endTile`; of a symmetric matrix a row of
  // tile n from n - tileShift on, a column of it up to n - tileShift.
  enum class Range : int32_t { all, fromDiagonal, toDiagonal } range;
  int64_t tiles, tileShift;
  SoftmaxState state;    // of the first entry on
  float* partnerCounts;  // or null
  bool isFirst;          // nothing is in the state yet
};

constexpr int kMergeSlices = 8;

// A block owns 32 entries of the state; each of its warps takes every eighth tile for all of them, so that
// loads are whole lines. Bound by memory: partial results are read twice, the second time from a cache. The
// order of all sums is that of the tiles, then of the warps.
// Shared memory: 8 x 32 floats, three times: maxima or sums, partners, counts.
__global__ void __launch_bounds__(kMergeSlices* kWarpSize) mergeKernel(MergeArgs args) {
  auto* sValues = sharedMemory<float>();
  float* sPartners = sValues + kMergeSlices * kWarpSize;
  float* sCounts = sPartners + kMergeSlices * kWarpSize;
  const int lane = laneIndex(), slice = warpIndex();
  const int64_t entry = int64_t{blockIdx.x} * kWarpSize + lane;
  const bool isIn = entry < args.count;
  const int64_t diagonal = entry / kScoreTile - args.tileShift;
  int64_t begin = 0, end = isIn ? args.tiles : 0;
  if (args.range == MergeArgs::Range::fromDiagonal) begin = max(diagonal, int64_t{0});
  if (args.range == MergeArgs::Range::toDiagonal) end = min(end, max(diagonal, int64_t{0}));
  const auto partial = [&](const float* partials, int64_t tile) {
    return loadPack<2>(partials + 2 * (tile * args.stride + entry));
  };

  float most = isIn && !args.isFirst ? args.state.references[entry] : -kInfinity;
  const float before = most;
  for (int64_t tile = begin + slice; tile < end; tile += kMergeSlices)
    most = fmaxf(most, partial(args.partials, tile).values[0]);
  sValues[slice * kWarpSize + lane] = most;
  __syncthreads();  // all warps have written their maxima
  for (int other = 0; other < kMergeSlices; other++) most = fmaxf(most, sValues[other * kWarpSize + lane]);
  // Where nothing is kept the maximum is -inf, of which no difference can be taken, and all sums are 0.
  const float reference = most == -kInfinity ? 0.f : most;

  float sum = 0, partners = 0, count = 0;
  for (int64_t tile = begin + slice; tile < end; tile += kMergeSlices) {
    const auto rPartial = partial(args.partials, tile);
    sum += rPartial.values[1] * exp2Fast(rPartial.values[0] - reference);
    if (!args.partners) continue;
    const auto rPartners = partial(args.partners, tile);
    partners += rPartners.values[0];
    count += rPartners.values[1];
  }
  __syncthreads();  // all warps have read the maxima: sValues is free
  sValues[slice * kWarpSize + lane] = sum;
  sPartners[slice * kWarpSize + lane] = partners;
  sCounts[slice * kWarpSize + lane] = count;
  __syncthreads();  // all warps have written their sums
  if (slice > 0 || !isIn) return;
  sum = args.isFirst ? 0.f : args.state.sums[entry] * exp2Fast(before - reference);
  partners = args.isFirst || !args.partners ? 0.f : args.state.partners[entry];
  count = 0;
  for (int other = 0; other < kMergeSlices; other++) {
    sum += sValues[other * kWarpSize + lane];
    partners += sPartners[other * kWarpSize + lane];
    count += sCounts[other * kWarpSize + lane];
  }
  args.state.references[entry] = most;
  args.state.sums[entry] = sum;
  if (!args.partners) return;
  args.state.partners[entry] = partners;
  if (args.partnerCounts) args.partnerCounts[entry] = count;
}

struct FinishArgs {
  SoftmaxState rows, columns;
  const float* partnerCounts;  // [pairs], or null where all are 0
  const float* weights;        // [pairs], or null
  const int32_t* groups;       // [pairs], or null
  const Scalars* scalars;
  int64_t pairs;
  bool oneDirectional;
  float margin;
  float* statistics;  // [kContrastiveStatistics, pairs]; scores are there already
  double* losses;     // [blocks]
};

struct PairResult {
  double loss, lse, leftOut;
};

// With d = lse of what is kept beside the pair itself - l_ii, lse - l_ii is log(1 + e^d) and 1 - P_ii is
// 1 / (1 + e^-d): nothing cancels where a pair is told apart well, and one with nothing beside it has loss 0.
__device__ inline PairResult pairResultOf(float reference, float sum, float partners, double ownLogit,
                                          double partnerCount) {
  constexpr double kLn2Double = 0.69314718055994530942;
  const double rest =
      sum == 0 ? -double{kInfinity} : double{reference} * kLn2Double + log(static_cast<double>(sum));
  const double d = rest - ownLogit;
  const double aboveOwn = d > 0 ? d + log1p(exp(-d)) : log1p(exp(d));
  const double ownAbovePositives = (partnerCount * ownLogit - partners) / (partnerCount + 1);
  return {aboveOwn + ownAbovePositives, ownLogit + aboveOwn, 1 / (1 + exp(-d))};
}

// A thread owns a pair's statistics, a block the sum of its losses. float64, which costs nothing at so few
// numbers. Shared memory: 32 doubles for sums.
__global__ void __launch_bounds__(kRowThreads, 4) finishKernel(FinishArgs args) {
  const Scalars scalars = *args.scalars;
  const int64_t pair = int64_t{blockIdx.x} * kRowThreads + threadIdx.x;
  double loss = 0;
  if (pair < args.pairs) {
    const auto at = [&](ContrastiveStatistic which) -> float& {
      return args.statistics[static_cast<int64_t>(which) * args.pairs + pair];
    };
    using enum ContrastiveStatistic;
    const double ownLogit = (double{at(score)} - args.margin) * scalars.inverseTau;
    const double count = args.partnerCounts ? args.partnerCounts[pair] : 0.f;
    const auto resultOf = [&](const SoftmaxState& state) {
      return pairResultOf(state.references[pair], state.sums[pair],
                          state.partners ? state.partners[pair] : 0.f, ownLogit, count);
    };
    const PairResult row = resultOf(args.rows);
    const PairResult column =
        args.oneDirectional ? pairResultOf(0, 0, 0, ownLogit, 0) : resultOf(args.columns);
    const auto set = [&](ContrastiveStatistic which, double value) {
      at(which) = scalars.isVoid ? 0.f : static_cast<float>(value);
    };
    set(rowLse, row.lse);
    set(columnLse, column.lse);
    set(rowLeftOut, row.leftOut);
    set(columnLeftOut, column.leftOut);
    set(share, 1 / (count + 1));
    set(score, at(score));
    const float weight = isAbsent(args.groups, pair) ? 0.f : args.weights ? args.weights[pair] : 1.f;
    loss = weight * (row.loss + (args.oneDirectional ? 0 : column.loss));
  }
  loss = blockSum(loss, sharedMemory<double>());
  if (threadIdx.x == 0) args.losses[blockIdx.x] = loss;
}

struct LossArgs {
  const double* losses;  // [count]
  int64_t count;
  double directionFactor;
  const Scalars* scalars;
  float* loss;  // [1]
};

// One block sums what the blocks before it found. Shared memory: 32 doubles.
__global__ void __launch_bounds__(kRowThreads) lossKernel(LossArgs args) {
  double sum = 0;
  for (int64_t at = threadIdx.x; at < args.count; at += kRowThreads) sum += args.losses[at];
  sum = blockSum(sum, sharedMemory<double>());
  if (threadIdx.x == 0)
    *args.loss = args.scalars->isVoid
                     ? 0.f
                     : static_cast<float>(sum * args.directionFactor / args.scalars->totalWeight);
}

struct ThetaArgs {
  const float* partials;  // [count] of the tiles of a panel
  int64_t count;
  double factor;
  bool isFirst;
  double* total;  // [1]
};

// One block adds the tiles of a panel to the total. Shared memory: 32 doubles.
__global__ void __launch_bounds__(kRowThreads) addThetaKernel(ThetaArgs args) {
  double sum = 0;
  for (int64_t at = threadIdx.x; at < args.count; at += kRowThreads) sum += args.partials[at];
  sum = blockSum(sum, sharedMemory<double>());
  if (threadIdx.x == 0) *args.total = (args.isFirst ? 0 : *args.total) + sum * args.factor;
}

struct FinishThetaArgs {
  const double* total;  // [1]
  const Scalars* scalars;
  float* dTheta;  // [1]
};

// One thread. No shared memory.
__global__ void finishThetaKernel(FinishThetaArgs args) {
  const bool isFixed = args.scalars->isClamped || args.scalars->isVoid;
  *args.dTheta = isFixed ? 0.f : static_cast<float>(*args.total * args.scalars->gradientFactor);
}

}  // namespace
}  // namespace crossmap::cuda
