#pragma once
// The arguments of the op as its kernels take them, and the products of unit rows that make up the scores.
// Kernels only; internal linkage as in simd.h.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "ops/contrastive/contrastive.h"
#include "runtime/cpu/gemm.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {
namespace {

// Packing and loading rows costs 1 / tileRows of the products; 512 rows' scores, 1 MiB, still stay near.
constexpr int64_t kMostTileRows = 512;
constexpr int64_t kLeastTileRows = 32;
constexpr float kMostInverseTau = 100;
// Where no logit is further from 0, e^logit, sums of it over any number of pairs and their quotients stay
// within float32 as they are: no maximum needs to be known, and rows and columns share one e^logit.
constexpr float kMostBoundedLogit = 40;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Rows of x, y or z, and 1 / norm of each.
struct Rows {
  const void* data = nullptr;  // [count, features]
  DType dtype = DType::float32;
  int64_t count = 0;
  int64_t features = 0;
  const float* inverseNorms = nullptr;  // [count]
  const int32_t* groups = nullptr;      // [count], or null where each row is a group of its own

  bool isAbsent(int64_t row) const { return groups && groups[row] < 0; }
};

// The arguments of the op as pointers and numbers.
struct Problem {
  Rows x, y, z;
  const float* statistics;  // [kContrastiveStatistics, pairs]
  const float* weights;     // [pairs], or null where all are 1
  const float* theta;       // [1], or null where the temperature is fixed
  float fixedInverseTau;
  float margin;
  std::optional<float> threshold;
  GroupMode groupMode;
  bool bothScopes;
  bool oneDirectional;
  int64_t tileRows;
  // What products are computed of: bfloat16 where rows are and the processor multiplies it, else float32.
  DType productDType;

  int64_t pairs() const { return x.count; }
  const float* statistic(ContrastiveStatistic which) const {
    return statistics + static_cast<int64_t>(which) * pairs();
  }
  // theta, groups and weights may be read only while the op executes.
  bool isClamped() const { return theta && !(std::exp(*theta) <= kMostInverseTau) && !std::isnan(*theta); }
  float inverseTau() const {
    if (!theta) return fixedInverseTau;
    return isClamped() ? kMostInverseTau : std::exp(*theta);
  }
  // Scores are within [-1, 1], as products of unit rows.
  bool hasBoundedLogits() const { return inverseTau() * (1 + std::abs(margin)) <= kMostBoundedLogit; }
  float weight(int64_t pair) const { return x.isAbsent(pair) ? 0.f : weights ? weights[pair] : 1.f; }
  // The factor of each direction's mean.
  double directionFactor() const { return oneDirectional ? 1 : 0.5; }
};

Rows rowsOf(const Tensor& tensor, const float* inverseNorms, const int32_t* groups) {
  return {tensor.raw(), tensor.dtype(), tensor.size(0), tensor.size(1), inverseNorms, groups};
}

Problem problemOf(const Tensor& x, const Tensor& y, const ContrastiveOptions& options,
                  const ContrastiveForward& forward) {
  const int64_t pairs = x.size(0);
  const auto* inverseNorms = forward.inverseNorms.data<float>();
  const int32_t* groups = options.groups ? options.groups->data<int32_t>() : nullptr;
  return {
      .x = rowsOf(x, inverseNorms, groups),
      .y = rowsOf(y, inverseNorms + pairs, groups),
      .z = options.negatives ? rowsOf(*options.negatives, inverseNorms + 2 * pairs, nullptr) : Rows{},
      .statistics = forward.statistics.data<float>(),
      .weights = options.weights ? options.weights->data<float>() : nullptr,
      .theta = options.theta ? options.theta->data<float>() : nullptr,
      .fixedInverseTau = static_cast<float>(1 / options.temperature),
      .margin = static_cast<float>(options.margin),
      .threshold = options.threshold ? std::optional(static_cast<float>(*options.threshold)) : std::nullopt,
      .groupMode = options.groupMode,
      .bothScopes = options.scope == Scope::both,
      .oneDirectional = options.oneDirectional,
      // Eight tiles a side where there are few pairs, so that threads have work.
      .tileRows = std::clamp(roundUp(ceilDiv(pairs, 8), kLeastTileRows), kLeastTileRows, kMostTileRows),
      .productDType =
          x.dtype() == DType::bfloat16 && multipliesBFloat16<kIsa>() ? DType::bfloat16 : DType::float32,
  };
}

// Sum of the weights; 0 where all pairs are absent, and where it cannot be used: a weight is negative or not
// finite, or all are 0.
double totalWeight(const Problem& problem) {
  double sum = 0;
  for (int64_t pair = 0; pair < problem.pairs(); pair++) {
    const float weight = problem.weight(pair);
    if (!(weight >= 0 && weight < kInfinity)) return 0;
    sum += weight;
  }
  return sum;
}

// The power of two that is next to a number, towards 0; at least the least normal one.
inline float powerOfTwoWithin(float value) {
  constexpr uint32_t kExponent = 0x7f800000, kLeast = 0x00800000;
  return std::bit_cast<float>(std::max(std::bit_cast<uint32_t>(value) & kExponent, kLeast));
}

// The two directions of the loss: from x to y, and back.
enum class Direction { rows, columns };

// Products of unit rows with unit rows, all of them scores that count.
struct ScoreMatrix {
  const Rows *rows, *columns;
  Direction rowDirection;                    // whose softmax a row is part of
  std::optional<Direction> columnDirection;  // and a column; none where columns have no softmax
  enum class Kind { pairs, own, extra } kind;

  // Own-language scores are the same above and below the diagonal: only tiles on and above it are computed.
  bool isSymmetric() const { return kind == Kind::own; }

  // A tile on the diagonal of a symmetric matrix has each pair of rows both ways.
  bool hasColumnSoftmax(int64_t rowTile, int64_t columnTile) const {
    return columnDirection && !(isSymmetric() && rowTile == columnTile);
  }
};

std::vector<ScoreMatrix> scoreMatricesOf(const Problem& problem) {
  using enum Direction;
  using Kind = ScoreMatrix::Kind;
  const bool both = !problem.oneDirectional;
  std::vector<ScoreMatrix> matrices{
      {&problem.x, &problem.y, rows, both ? std::optional(columns) : std::nullopt, Kind::pairs}};
  if (problem.bothScopes) matrices.push_back({&problem.x, &problem.x, rows, rows, Kind::own});
  if (problem.bothScopes && both) matrices.push_back({&problem.y, &problem.y, columns, columns, Kind::own});
  if (problem.z.count > 0) matrices.push_back({&problem.x, &problem.z, rows, std::nullopt, Kind::extra});
  if (problem.z.count > 0 && both)
    matrices.push_back({&problem.y, &problem.z, columns, std::nullopt, Kind::extra});
  return matrices;
}

}  // namespace
}  // namespace crossmap::cpu
