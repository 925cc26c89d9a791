#pragma once
// What is computed for each row of x, y and the extra negatives alone: norms and own scores before the
// matrices of scores, the gradient through the normalisation after them; and the few numbers that all kernels
// read.
#include <cstdint>

#include "ops/contrastive/contrastive.h"
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/fault.cuh"
#include "runtime/cuda/device/numeric.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/device/shared.cuh"

namespace crossmap::cuda {
namespace {

constexpr int kRowThreads = 256;
constexpr int kRowsOfBlock = kRowThreads / kWarpSize;
constexpr int kSides = 3;  // x, y, extra negatives

// 1 / |row| = mantissa * scale, a power of two. Rows times their scale have norms from 1/2 to 1 and the same
// digits as before: products of these neither overflow nor vanish, whatever the norms are, and what is left
// of the normalisation, the mantissas, is taken into the scores.
struct UnitFactor {
  float scale, mantissa;
};

__device__ inline UnitFactor unitFactorOf(float inverseNorm) {
  constexpr float kLeast = 0x1p-126f;
  constexpr float kMost = 3.402823466e38f;
  // No norm: a row of zeros or of an absent pair, or one that holds NaN or infinity.
  if (!(inverseNorm > 0 && inverseNorm <= kMost)) return {1.f, inverseNorm};
  int exponent = 0;
  if (inverseNorm < kLeast) return {kLeast, inverseNorm * 0x1p126f};
  const float mantissa = 2 * frexpf(inverseNorm, &exponent);
  return {ldexpf(1.f, exponent - 1), mantissa};
}

// Numbers in device memory, written once and read by every kernel.
struct Scalars {
  double totalWeight;
  float mostWeight;
  float gradientFactor;  // dLoss / d(loss of a pair with that weight); backward pass only
  float inverseTau;
  float positiveMargin;  // margin / tau, taken from the logits of positives
  // Whether all logits lie so close together that 2^(logit / ln 2 - referenceExponent) is a normal float32
  // for each, and so is the sum of 2^27 of these: one such power then serves row and column alike, with no
  // maxima.
  int32_t isNarrow;
  float referenceExponent;
  int32_t isClamped;  // theta is above the limit, and has no gradient
  int32_t isVoid;     // all pairs are absent, or weights cannot be used: loss and gradients are 0
};
static_assert(sizeof(Scalars) == 40, "threads read it whole: padding would be memory that nobody writes");

__device__ inline bool isAbsent(const int32_t* groups, int64_t pair) { return groups && groups[pair] < 0; }

struct ScalarsArgs {
  const float* theta;     // [1], or null
  const float* weights;   // [pairs], or null
  const int32_t* groups;  // [pairs], or null
  const float* dLoss;     // [1], or null in the forward pass
  int64_t pairs;
  float fixedInverseTau, margin, directionFactor;
  FaultSlot* fault;  // null in the backward pass
  Scalars* scalars;
};

__device__ inline void setTemperature(const ScalarsArgs& args, Scalars& to) {
  constexpr float kMostInverseTau = 100;
  const float grown = args.theta ? expf(*args.theta) : 0;
  to.isClamped = grown > kMostInverseTau;
  to.inverseTau = !args.theta ? args.fixedInverseTau : to.isClamped ? kMostInverseTau : grown;
  to.positiveMargin = args.margin * to.inverseTau;
  // Scores are cosines: no logit is above `most`, and none below -most - |positiveMargin|, but for rounding.
  constexpr float kRounding = 1.001f;
  constexpr float kMostExponent = 100, kLeastExponent = -120;
  const float most = kRounding * kLog2E * (to.inverseTau + fmaxf(0.f, -to.positiveMargin));
  const float least = -kRounding * kLog2E * (to.inverseTau + fmaxf(0.f, to.positiveMargin));
  to.referenceExponent = ceilf(fmaxf(0.f, most - kMostExponent));
  to.isNarrow = least - to.referenceExponent >= kLeastExponent;
}

// One block, which owns all of `scalars`. Bound by latency: it reads weights and groups once, in a fixed
// order. Shared memory: 32 doubles for sums.
__global__ void __launch_bounds__(1024) scalarsKernel(ScalarsArgs args) {
  auto* sScratch = sharedMemory<double>();
  const bool isEven = !args.weights && !args.groups;  // each pair counts 1
  double sum = 0;
  float most = 0;
  bool isPresent = isEven, isBad = false;  // of any pair
  for (int64_t pair = threadIdx.x; pair < args.pairs && !isEven; pair += blockDim.x) {
    if (isAbsent(args.groups, pair)) continue;
    const float weight = args.weights ? args.weights[pair] : 1.f;
    isPresent = true;
    isBad = isBad || !(weight >= 0 && weight < kInfinity);
    sum += weight;
    most = fmaxf(most, weight);
  }
  isPresent = __syncthreads_or(isPresent);
  isBad = __syncthreads_or(isBad);
  sum = blockSum(sum, sScratch);
  most = blockMax(most, reinterpret_cast<float*>(sScratch));
  if (threadIdx.x > 0) return;
  Scalars result{};
  setTemperature(args, result);
  result.totalWeight = isEven ? static_cast<double>(args.pairs) : sum;
  result.mostWeight = isEven ? 1.f : most;
  const bool isFaulty = isPresent && (isBad || result.totalWeight == 0);
  result.isVoid = isFaulty || !isPresent;
  if (args.dLoss)
    result.gradientFactor = static_cast<float>(double{args.directionFactor} * *args.dLoss *
                                               result.mostWeight / result.totalWeight);
  *args.scalars = result;
  if (isFaulty && args.fault) reportFault(args.fault, 0, 0);
}

// Rows of one side in their own memory, and their copy times powers of two.
template <typename E>
struct SideRows {
  const E* rows;              // [count, features]
  E* scaled;                  // [count, stride]
  const float* inverseNorms;  // [count]
  int64_t count;
};

// Elements of a row from `d` on, zeros from `features` on. A row may lie at any address: it is read by the
// same packs then, element by element, so that all sums keep their order.
template <int width, typename E>
__device__ inline Pack<E, width> loadOfRow(const E* row, int64_t d, int64_t features, bool isWide) {
  if (isWide) return loadPack<width>(row + d);
  Pack<E, width> pack{};
#pragma unroll
  for (int i = 0; i < width; i++)
    if (d + i < features) pack.values[i] = row[d + i];
  return pack;
}

// The row that a warp owns.
__device__ inline int64_t rowOfWarp() { return int64_t{blockIdx.x} * kRowsOfBlock + warpIndex(); }

__device__ inline float inverseNormOf(double squares) {
  const double inverse = 1 / sqrt(squares);
  constexpr double kMost = 3.4028234663852886e38;
  if (squares == 0) return 0;
  // 1 / infinity would be the 0 of a row of zeros. And written so that NaN stays NaN.
  return inverse == 0 ? nanf("") : static_cast<float>(inverse > kMost ? kMost : inverse);
}

template <typename E>
struct MeasureArgs {
  const E *x, *y;         // [count, features]; y null for the extra negatives
  const int32_t* groups;  // [count], or null
  int64_t count, features;
  bool isWide;
  float *xInverseNorms, *yInverseNorms, *scores;  // [count] each; the last two null without y
};

// A warp owns a row: the inverse norms, and with y the pair's own score; all 0 of a pair that is absent. Sums
// are float64, so that squares neither overflow nor vanish, and since the own score decides how small a loss
// can be told from 0. Bound by reading the rows once. No shared memory.
template <typename E>
__global__ void __launch_bounds__(kRowThreads, 4) measureKernel(MeasureArgs<E> args) {
  const int64_t row = rowOfWarp();
  if (row >= args.count) return;  // of all lanes alike
  const E* y = args.y ? args.y + row * args.features : nullptr;
  constexpr int width = kPackWidth<E>;
  const int64_t features = isAbsent(args.groups, row) ? 0 : args.features;
  double xSquares = 0, ySquares = 0, product = 0;
  for (int64_t d = laneIndex() * width; d < features; d += kWarpSize * width) {
    const auto rX = loadOfRow<width>(args.x + row * args.features, d, args.features, args.isWide);
#pragma unroll
    for (int i = 0; i < width; i++) {
      const double each = widen(rX.values[i]);
      xSquares += each * each;
    }
    if (!y) continue;  // of all lanes alike
    const auto rY = loadOfRow<width>(y, d, args.features, args.isWide);
#pragma unroll
    for (int i = 0; i < width; i++) {
      const double each = widen(rY.values[i]);
      ySquares += each * each;
      product += each * widen(rX.values[i]);
    }
  }
  const float xInverse = inverseNormOf(warpSum(xSquares));
  if (laneIndex() == 0) args.xInverseNorms[row] = xInverse;
  if (!y) return;  // of all lanes alike
  const float yInverse = inverseNormOf(warpSum(ySquares));
  product = warpSum(product);
  if (laneIndex() > 0) return;
  args.yInverseNorms[row] = yInverse;
  args.scores[row] = static_cast<float>(product * xInverse * yInverse);
}

template <typename E>
struct ScaleArgs {
  SideRows<E> sides[kSides];  // one for each y of the grid
  int64_t features, stride;
  bool isWide;
};

// A warp owns a row of a side's copy: the row times its power of two, with zeros from `features` to `stride`,
// so that the products read whole packs and whole steps whatever the shape and the address of the rows; and
// zeros for a row of zeros or of an absent pair, which is not read. Exact, but for elements of float16 that
// are below 2^-14 of their row's norm. Bound by memory: each row is read and written once. No shared memory.
template <typename E>
__global__ void __launch_bounds__(kRowThreads) scaleKernel(const __grid_constant__ ScaleArgs<E> args) {
  constexpr int width = kPackWidth<E>;
  const SideRows<E>& side = args.sides[blockIdx.y];
  const int64_t row = rowOfWarp();
  if (row >= side.count) return;  // of all lanes alike
  const float inverseNorm = side.inverseNorms[row], scale = unitFactorOf(inverseNorm).scale;
  const int64_t features = inverseNorm == 0 ? 0 : args.features;
  const E* from = side.rows + row * args.features;
  for (int64_t d = laneIndex() * width; d < args.stride; d += kWarpSize * width) {
    Pack<E, width> rX{};
    if (d < features) rX = loadOfRow<width>(from, d, features, args.isWide);
#pragma unroll
    for (int i = 0; i < width; i++) rX.values[i] = round<E>(widen(rX.values[i]) * scale);
    storePack(side.scaled + row * args.stride + d, rX);
  }
}

// Rows of one side and the gradient of their copies times their powers of two.
template <typename E>
struct SideGradients {
  const E* rows;              // [count, features]
  const float* inverseNorms;  // [count]
  const float* sums;          // [count, stride]
  E* gradients;               // [count, features]
  int64_t count;
};

template <typename E>
struct NormalizeArgs {
  SideGradients<E> sides[kSides];  // one for each y of the grid
  int64_t features, stride;
  float pullScale;
  const Scalars* scalars;
  bool isWide;
};

// A warp owns a row of a side's gradient: dx = (du - (du . u) u) / max(|x|, 1e-12). The sums hold du times
// the row's mantissa, pullScale and all that the gradients of logits have in common. Bound by memory: sums
// and rows are read twice, the second time from the first-level cache, gradients written once. No shared
// memory.
template <typename E>
__global__ void __launch_bounds__(kRowThreads) normalizeKernel(NormalizeArgs<E> args) {
  constexpr float kMostInverseNorm = 1e12f;
  constexpr int kWidth = kPackWidth<float>;  // whole lines of the sums, halves of 16-bit rows
  const SideGradients<E>& side = args.sides[blockIdx.y];
  const Scalars scalars = *args.scalars;
  const int64_t row = rowOfWarp();
  if (row >= side.count) return;  // of all lanes alike
  const float inverseNorm = side.inverseNorms[row];
  const E* x = side.rows + row * args.features;
  const float* sums = side.sums + row * args.stride;
  E* to = side.gradients + row * args.features;
  // A row of zeros has no gradient, nor has one of an absent pair.
  const bool isZero = inverseNorm == 0 || scalars.isVoid;
  const float unscale =
      scalars.gradientFactor * scalars.inverseTau / (unitFactorOf(inverseNorm).mantissa * args.pullScale);
  const float factor = inverseNorm > kMostInverseNorm ? kMostInverseNorm : inverseNorm;
  float along = 0;
  for (int64_t d = laneIndex() * kWidth; d < args.features; d += kWarpSize * kWidth) {
    const auto rX = loadOfRow<kWidth>(x, d, args.features, args.isWide);
    const auto rSums = loadPack<kWidth>(sums + d);
#pragma unroll
    for (int i = 0; i < kWidth; i++) along += rSums.values[i] * unscale * (widen(rX.values[i]) * inverseNorm);
  }
  along = warpSum(along);
  for (int64_t d = laneIndex() * kWidth; d < args.features; d += kWarpSize * kWidth) {
    const auto rX = loadOfRow<kWidth>(x, d, args.features, args.isWide);
    const auto rSums = loadPack<kWidth>(sums + d);
    Pack<E, kWidth> rDx;
#pragma unroll
    for (int i = 0; i < kWidth; i++) {
      const float du = rSums.values[i] * unscale;
      const float dx = (du - along * (widen(rX.values[i]) * inverseNorm)) * factor;
      rDx.values[i] = round<E>(isZero ? 0.f : dx);
    }
    if (args.isWide) {
      storePack(to + d, rDx);
      continue;
    }
#pragma unroll
    for (int i = 0; i < kWidth; i++)
      if (d + i < args.features) to[d + i] = rDx.values[i];
  }
}

}  // namespace
}  // namespace crossmap::cuda
