#pragma once
// What both passes on CUDA share: the arguments of the op, the matrices of scores that they make up, and the
// launches over rows alone.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "ops/contrastive/contrastive-scores-cuda.cuh"
#include "runtime/cuda/launch.h"

namespace crossmap::cuda {
namespace {

constexpr int64_t kSumBytes = kWarpSize * sizeof(double);

enum Side { xSide, ySide, zSide };

// The two directions of the loss: from x to y, and back.
enum class Direction { rows, columns };

// Products of unit rows with unit rows, all of them scores that count.
struct ScoreMatrix {
  Side rows, columns;
  Direction rowDirection;                    // whose softmax a row is part of
  std::optional<Direction> columnDirection;  // and a column; none where columns have no softmax
  ScoreKind kind;
};

// The arguments of the op as pointers and numbers, and the memory that both passes need.
template <typename E>
struct Problem {
  std::array<SideRows<E>, kSides> sides{};
  int64_t features, stride;  // of the rows, and of their copies
  bool isWide;               // whether the rows can be read in packs
  const float* statistics;   // [kContrastiveStatistics, pairs]
  const int32_t* groups;     // [pairs], or null where each pair is a group of its own and none is absent
  const float* weights;      // [pairs], or null where all are 1
  std::optional<float> threshold;
  GroupMode groupMode;
  bool bothScopes;
  bool oneDirectional;
  Scalars* scalars = nullptr;
  std::vector<Tensor> memory{};  // of the copies and the scalars

  int64_t pairs() const { return sides[xSide].count; }
  int64_t mostRows() const { return std::max(pairs(), sides[zSide].count); }
  const float* statistic(ContrastiveStatistic which) const {
    return statistics + static_cast<int64_t>(which) * pairs();
  }
  bool hasPartners() const { return groups && groupMode == GroupMode::positives; }
  // The factor of each direction's mean.
  float directionFactor() const { return oneDirectional ? 1.f : 0.5f; }
};

bool isAligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

template <typename T>
T* newMemory(std::vector<Tensor>& memory, const Device& device, int64_t count) {
  const int64_t floats = ceilDiv(count * static_cast<int64_t>(sizeof(T)), sizeOf(DType::float32));
  memory.push_back(empty({floats}, DType::float32, device));
  return static_cast<T*>(memory.back().raw());
}

template <typename E>
Problem<E> problemOf(const Tensor& x, const Tensor& y, const ContrastiveOptions& options,
                     const ContrastiveForward& forward) {
  const int64_t pairs = x.size(0), features = x.size(1);
  const auto* inverseNorms = forward.inverseNorms.data<float>();
  Problem<E> problem{
      .features = features,
      .stride = roundUp(std::max(features, int64_t{1}), kPackWidth<E>),
      .isWide = features % kPackWidth<E> == 0,
      .statistics = forward.statistics.data<float>(),
      .groups = options.groups ? options.groups->data<int32_t>() : nullptr,
      .weights = options.weights ? options.weights->data<float>() : nullptr,
      .threshold = options.threshold ? std::optional(static_cast<float>(*options.threshold)) : std::nullopt,
      .groupMode = options.groupMode,
      .bothScopes = options.scope == Scope::both,
      .oneDirectional = options.oneDirectional,
  };
  const auto add = [&](Side side, const Tensor& rows, const float* norms) {
    E* copies = newMemory<E>(problem.memory, x.device(), rows.size(0) * problem.stride);
    problem.sides[side] = {rows.data<E>(), copies, norms, rows.size(0)};
    problem.isWide = problem.isWide && isAligned(rows.raw());
  };
  add(xSide, x, inverseNorms);
  add(ySide, y, inverseNorms + pairs);
  if (options.negatives) add(zSide, *options.negatives, inverseNorms + 2 * pairs);
  problem.scalars = newMemory<Scalars>(problem.memory, x.device(), 1);
  return problem;
}

template <typename E>
std::vector<ScoreMatrix> scoreMatricesOf(const Problem<E>& problem) {
  using enum Direction;
  const bool both = !problem.oneDirectional;
  std::vector<ScoreMatrix> matrices{
      {xSide, ySide, rows, both ? std::optional(columns) : std::nullopt, ScoreKind::pairs}};
  if (problem.bothScopes) matrices.push_back({xSide, xSide, rows, rows, ScoreKind::own});
  if (problem.bothScopes && both) matrices.push_back({ySide, ySide, columns, columns, ScoreKind::own});
  if (problem.sides[zSide].count > 0) {
    matrices.push_back({xSide, zSide, rows, std::nullopt, ScoreKind::extra});
    if (both) matrices.push_back({ySide, zSide, columns, std::nullopt, ScoreKind::extra});
  }
  return matrices;
}

// Of a matrix's rows or columns: what decides which logits count, and for the backward pass the softmax.
template <typename E>
ScoreSide scoreSideOf(const Problem<E>& problem, const ScoreMatrix& matrix, Side side,
                      std::optional<Direction> direction) {
  using enum ContrastiveStatistic;
  ScoreSide result{.count = problem.sides[side].count,
                   .inverseNorms = problem.sides[side].inverseNorms,
                   .groups = side != zSide ? problem.groups : nullptr,
                   .ownScores = problem.threshold && side != zSide ? problem.statistic(score) : nullptr,
                   .lse = nullptr,
                   .leftOut = nullptr,
                   .shares = nullptr,
                   .pairScores = nullptr,
                   .weights = problem.weights};
  if (!direction) return result;
  const bool isRows = *direction == Direction::rows;
  result.lse = problem.statistic(isRows ? rowLse : columnLse);
  result.leftOut = problem.statistic(isRows ? rowLeftOut : columnLeftOut);
  result.shares = problem.statistic(share);
  result.pairScores = problem.statistic(score);
  return result;
}

// Positives are those of the other side alone: a group's rows of the own side are left out.
template <typename E>
GroupMode groupModeOf(const Problem<E>& problem, const ScoreMatrix& matrix) {
  if (!problem.groups || matrix.kind == ScoreKind::extra) return GroupMode::none;
  return matrix.kind == ScoreKind::own && problem.hasPartners() ? GroupMode::mask : problem.groupMode;
}

template <typename E>
ScorePanel panelOf(const Problem<E>& problem, const ScoreMatrix& matrix) {
  return {.rows = scoreSideOf(problem, matrix, matrix.rows, matrix.rowDirection),
          .columns = scoreSideOf(problem, matrix, matrix.columns, matrix.columnDirection),
          .kind = matrix.kind,
          .groupMode = groupModeOf(problem, matrix),
          .rowBegin = 0,
          .columnBegin = 0,
          .threshold = problem.threshold.value_or(0),
          .scalars = problem.scalars};
}

// Launches for each row of each side, a warp for each.
template <typename E>
Blocks rowBlocks(const Problem<E>& problem) {
  return {ceilDiv(problem.mostRows(), kRowsOfBlock), problem.sides[zSide].count > 0 ? kSides : 2};
}

template <typename E>
void scaleRows(Stream& stream, const Problem<E>& problem) {
  ScaleArgs<E> args{
      .sides = {}, .features = problem.features, .stride = problem.stride, .isWide = problem.isWide};
  std::copy(problem.sides.begin(), problem.sides.end(), args.sides);
  launch(stream, {"contrastive scale", rowBlocks(problem), kRowThreads}, scaleKernel<E>, args);
}

template <typename E>
void findScalars(Stream& stream, const Problem<E>& problem, const ContrastiveOptions& options,
                 const float* dLoss, FaultSlot* fault) {
  const ScalarsArgs args{.theta = options.theta ? options.theta->data<float>() : nullptr,
                         .weights = problem.weights,
                         .groups = problem.groups,
                         .dLoss = dLoss,
                         .pairs = problem.pairs(),
                         .fixedInverseTau = static_cast<float>(1 / options.temperature),
                         .margin = static_cast<float>(options.margin),
                         .directionFactor = problem.directionFactor(),
                         .fault = fault,
                         .scalars = problem.scalars};
  launch(stream, {"contrastive scalars", {1}, 1024, kSumBytes}, scalarsKernel, args);
}

}  // namespace
}  // namespace crossmap::cuda
