#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "ops/contrastive/contrastive-cuda.h"
#include "ops/contrastive/contrastive-plan.h"
#include "ops/contrastive/contrastive-products-cuda.cuh"
#include "ops/contrastive/contrastive-softmax-cuda.cuh"
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

template <typename E>
void measureRows(Stream& stream, const Problem<E>& problem, const ContrastiveForward& out) {
  const auto& [x, y, z] = problem.sides;
  float* inverseNorms = out.inverseNorms.template data<float>();
  MeasureArgs<E> args{.x = x.rows,
                      .y = y.rows,
                      .groups = problem.groups,
                      .count = x.count,
                      .features = problem.features,
                      .isWide = problem.isWide,
                      .xInverseNorms = inverseNorms,
                      .yInverseNorms = inverseNorms + x.count,
                      .scores = out.statistics.template data<float>() +
                                static_cast<int64_t>(ContrastiveStatistic::score) * x.count};
  const auto run = [&] {
    launch(stream, {"contrastive measure", {ceilDiv(args.count, kRowsOfBlock)}, kRowThreads},
           measureKernel<E>, args);
  };
  run();
  args.x = z.rows;
  args.y = nullptr;
  args.groups = nullptr;
  args.count = z.count;
  args.xInverseNorms = inverseNorms + 2 * x.count;
  run();
}

// The sweep over all scores, and what it leaves for each pair.
template <typename E>
class Sweep {
 public:
  Sweep(Stream& stream, const Problem<E>& problem, const Device& device)
      : stream_(stream), problem_(problem), hasPartners_(problem.hasPartners()) {
    const int64_t pairs = problem.pairs();
    const auto newFloats = [&](int64_t count) { return newMemory<float>(memory_, device, count); };
    for (SoftmaxState& state : states_)
      state = {newFloats(pairs), newFloats(pairs), hasPartners_ ? newFloats(pairs) : nullptr};
    if (hasPartners_) partnerCounts_ = newFloats(pairs);
    panelRows_ = std::min(sweepPanelRows(stream.architecture().multiprocessors, problem.mostRows()),
                          roundUp(pairs, kScoreTile));
    const int64_t columns = roundUp(problem.mostRows(), kScoreTile);
    const int64_t partials = columns / kScoreTile * panelRows_ * 2;  // of rows, and as many of columns
    output_ = {.rowPartials = newFloats(partials),
               .columnPartials = newFloats(partials),
               .rowPartners = hasPartners_ ? newFloats(partials) : nullptr,
               .columnPartners = hasPartners_ ? newFloats(partials) : nullptr,
               .rowStride = panelRows_,
               .columnStride = columns};
  }

  void run(const ScoreMatrix& matrix) {
    ScorePanel panel = panelOf(problem_, matrix);
    for (; panel.rowBegin < panel.rows.count; panel.rowBegin += panelRows_) runPanel(matrix, panel);
  }

  void finish(const ContrastiveOptions& options, const ContrastiveForward& out) {
    const int64_t blocks = ceilDiv(problem_.pairs(), kRowThreads);
    auto* losses = newMemory<double>(memory_, out.loss.device(), blocks);
    const FinishArgs args{.rows = states_[0],
                          .columns = states_[1],
                          .partnerCounts = partnerCounts_,
                          .weights = problem_.weights,
                          .groups = problem_.groups,
                          .scalars = problem_.scalars,
                          .pairs = problem_.pairs(),
                          .oneDirectional = problem_.oneDirectional,
                          .margin = static_cast<float>(options.margin),
                          .statistics = out.statistics.template data<float>(),
                          .losses = losses};
    launch(stream_, {"contrastive finish", {blocks}, kRowThreads, kSumBytes}, finishKernel, args);
    const LossArgs lossArgs{.losses = losses,
                            .count = blocks,
                            .directionFactor = problem_.directionFactor(),
                            .scalars = problem_.scalars,
                            .loss = out.loss.template data<float>()};
    launch(stream_, {"contrastive loss", {1}, kRowThreads, kSumBytes}, lossKernel, lossArgs);
  }

 private:
  void runPanel(const ScoreMatrix& matrix, const ScorePanel& panel) {
    const int64_t rows = std::min(panelRows_, panel.rows.count - panel.rowBegin);
    const int64_t tileRows = ceilDiv(rows, kScoreTile),
                  tileColumns = ceilDiv(panel.columns.count, kScoreTile);
    const bool isPairs = matrix.kind == ScoreKind::pairs, isSymmetric = matrix.kind == ScoreKind::own;
    SweepArgs<E> args{.panel = panel,
                      .operands = {.rows = problem_.sides[matrix.rows].scaled,
                                   .columns = problem_.sides[matrix.columns].scaled,
                                   .stride = problem_.stride,
                                   .tileRows = tileRows,
                                   .tileColumns = tileColumns},
                      .output = output_};
    if (!isPairs) args.output.rowPartners = args.output.columnPartners = nullptr;
    if (!matrix.columnDirection) args.output.columnPartials = args.output.columnPartners = nullptr;
    launch(stream_,
           {"contrastive sweep", {tileRows * tileColumns}, kScoreThreads, ScoreTile<E>::kSharedBytes},
           sweepKernel<E>, args);

    using enum MergeArgs::Range;
    const auto stateOf = [&](Direction direction, int64_t begin) {
      SoftmaxState state = states_[static_cast<size_t>(direction)];
      return SoftmaxState{state.references + begin, state.sums + begin,
                          state.partners ? state.partners + begin : nullptr};
    };
    merge({.partials = args.output.rowPartials,
           .partners = args.output.rowPartners,
           .count = rows,
           .stride = output_.rowStride,
           .range = isSymmetric ? fromDiagonal : all,
           .tiles = tileColumns,
           .tileShift = -panel.rowBegin / kScoreTile,
           .state = stateOf(matrix.rowDirection, panel.rowBegin),
           .partnerCounts = partnerCounts_ ? partnerCounts_ + panel.rowBegin : nullptr,
           .isFirst = isPairs});
    if (!matrix.columnDirection) return;
    merge({.partials = args.output.columnPartials,
           .partners = args.output.columnPartners,
           .count = panel.columns.count,
           .stride = output_.columnStride,
           .range = isSymmetric ? toDiagonal : all,
           .tiles = tileRows,
           .tileShift = panel.rowBegin / kScoreTile,
           .state = stateOf(*matrix.columnDirection, 0),
           .partnerCounts = nullptr,
           .isFirst = isPairs && panel.rowBegin == 0});
  }

  void merge(const MergeArgs& args) {
    launch(stream_,
           {"contrastive merge",
            {ceilDiv(args.count, kWarpSize)},
            kMergeSlices * kWarpSize,
            3 * kMergeSlices * kWarpSize * static_cast<int64_t>(sizeof(float))},
           mergeKernel, args);
  }

  Stream& stream_;
  const Problem<E>& problem_;
  bool hasPartners_;
  std::vector<Tensor> memory_;
  std::array<SoftmaxState, 2> states_{};  // by Direction
  float* partnerCounts_ = nullptr;
  int64_t panelRows_;
  SweepOutput output_;
};

// The backward pass over all scores: sums of each side's gradient, and that of theta.
template <typename E>
class Pulls {
 public:
  Pulls(Stream& stream, const Problem<E>& problem, const ContrastiveBackward& out, const Device& device)
      : stream_(stream), problem_(problem) {
    const std::array<const std::optional<Tensor>*, kSides> wanted{&out.dx, &out.dy, &out.dNegatives};
    for (size_t side = 0; side < kSides; side++)
      if (*wanted[side] && problem.sides[side].count > 0)
        sums_[side] = newMemory<float>(memory_, device, problem.sides[side].count * problem.stride);
    side_ = pullPanelSide(stream.architecture().multiprocessors, dtypeOf<E>(), problem.features);
    rows_ = std::min(side_, roundUp(problem.pairs(), kScoreTile));
    output_.stride = std::min(side_, roundUp(problem.mostRows(), kScoreTile));
    output_.pulls = newMemory<E>(memory_, device, rows_ * output_.stride);
    output_.pullScale = kPullScale;
    output_.theta = nullptr;
    if (!out.dTheta) return;
    output_.theta = newMemory<float>(memory_, device, rows_ * output_.stride / (kScoreTile * kScoreTile));
    thetaTotal_ = newMemory<double>(memory_, device, 1);
  }

  void run(const ScoreMatrix& matrix) {
    if (!sums_[matrix.rows] && !sums_[matrix.columns] && !output_.theta) return;
    const bool isSymmetric = matrix.kind == ScoreKind::own;
    ScorePanel panel = panelOf(problem_, matrix);
    for (; panel.rowBegin < panel.rows.count; panel.rowBegin += side_)
      for (panel.columnBegin = isSymmetric ? panel.rowBegin : 0; panel.columnBegin < panel.columns.count;
           panel.columnBegin += side_)
        runPanel(matrix, panel);
    hasExtra_ = hasExtra_ || matrix.kind == ScoreKind::extra;
  }

  void finish(const ContrastiveBackward& out) {
    NormalizeArgs<E> args{.sides = {},
                          .features = problem_.features,
                          .stride = problem_.stride,
                          .pullScale = kPullScale,
                          .scalars = problem_.scalars,
                          .isWide = problem_.isWide};
    const std::array<const std::optional<Tensor>*, kSides> wanted{&out.dx, &out.dy, &out.dNegatives};
    for (size_t side = 0; side < kSides; side++) {
      if (!sums_[side]) continue;
      const SideRows<E>& rows = problem_.sides[side];
      E* gradients = (*wanted[side])->template data<E>();
      args.sides[side] = {rows.rows, rows.inverseNorms, sums_[side], gradients, rows.count};
      args.isWide = args.isWide && isAligned(gradients);
    }
    launch(stream_, {"contrastive normalize", rowBlocks(problem_), kRowThreads}, normalizeKernel<E>, args);
    if (!out.dTheta) return;
    const FinishThetaArgs thetaArgs{thetaTotal_, problem_.scalars, out.dTheta->template data<float>()};
    launch(stream_, {"contrastive theta", {1}, 1}, finishThetaKernel, thetaArgs);
  }

 private:
  // Pulls reach 2, and 8 with the mantissas of row and column: what is least of them keeps most digits in
  // float16 where the greatest come near its end.
  static constexpr float kPullScale = dtypeOf<E>() == DType::float16 ? 4096 : 1;

  void runPanel(const ScoreMatrix& matrix, const ScorePanel& panel) {
    const int64_t rows = std::min(side_, panel.rows.count - panel.rowBegin);
    const int64_t columns = std::min(side_, panel.columns.count - panel.columnBegin);
    const int64_t tileRows = ceilDiv(rows, kScoreTile), tileColumns = ceilDiv(columns, kScoreTile);
    const SideRows<E>&rowSide = problem_.sides[matrix.rows], &columnSide = problem_.sides[matrix.columns];
    const PullArgs<E> args{.panel = panel,
                           .operands = {.rows = rowSide.scaled,
                                        .columns = columnSide.scaled,
                                        .stride = problem_.stride,
                                        .tileRows = tileRows,
                                        .tileColumns = tileColumns},
                           .output = output_};
    launch(stream_, {"contrastive pull", {tileRows * tileColumns}, kScoreThreads, ScoreTile<E>::kSharedBytes},
           pullKernel<E>, args);

    // A square on the diagonal of a symmetric matrix has each pair of rows both ways: its rows alone have
    // all.
    const bool isSquare = matrix.kind == ScoreKind::own && panel.rowBegin == panel.columnBegin;
    const bool isPairs = matrix.kind == ScoreKind::pairs;
    const auto product = [&](Side side, bool isTransposed, bool accumulates) {
      const int64_t begin = isTransposed ? panel.columnBegin : panel.rowBegin;
      const int64_t otherBegin = isTransposed ? panel.rowBegin : panel.columnBegin;
      const int64_t count = isTransposed ? columns : rows;
      if (!sums_[side]) return Product<E>{};
      return Product<E>{
          .pulls = output_.pulls,
          .others = (isTransposed ? rowSide : columnSide).scaled + otherBegin * problem_.stride,
          .sums = sums_[side] + begin * problem_.stride,
          .pullStride = output_.stride,
          .stride = problem_.stride,
          .count = count,
          .depth = isTransposed ? rows : columns,
          .tiles = ceilDiv(count, kScoreTile) * ceilDiv(problem_.stride, kScoreTile),
          .isTransposed = isTransposed,
          .accumulates = accumulates,
      };
    };
    // The first to add to a side's sums overwrites them: the pairs' matrix, of the extra negatives x's.
    const bool isFirstOfColumns = panel.rowBegin == 0 && (isPairs || (matrix.columns == zSide && !hasExtra_));
    const ProductArgs<E> products{
        {product(matrix.rows, false, !(isPairs && panel.columnBegin == 0)),
         isSquare ? Product<E>{} : product(matrix.columns, true, !isFirstOfColumns)}};
    launch(stream_,
           {"contrastive product",
            {products.products[0].tiles + products.products[1].tiles},
            kScoreThreads,
            ScoreTile<E>::kSharedBytes},
           productKernel<E>, products);

    if (!output_.theta) return;
    const ThetaArgs thetaArgs{.partials = output_.theta,
                              .count = tileRows * tileColumns,
                              .factor = isSquare ? 0.5 : 1,
                              .isFirst = isPairs && panel.rowBegin == 0 && panel.columnBegin == 0,
                              .total = thetaTotal_};
    launch(stream_, {"contrastive theta", {1}, kRowThreads, kSumBytes}, addThetaKernel, thetaArgs);
  }

  Stream& stream_;
  const Problem<E>& problem_;
  std::vector<Tensor> memory_;
  std::array<float*, kSides> sums_{};  // [count, stride], or null where no gradient is wanted
  int64_t side_;                       // of a panel
  int64_t rows_;
  PullOutput<E> output_;
  double* thetaTotal_ = nullptr;
  bool hasExtra_ = false;
};

}  // namespace

void contrastive(Stream& stream, const Tensor& x, const Tensor& y, const ContrastiveOptions& options,
                 const ContrastiveForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Problem<E> problem = problemOf<E>(x, y, options, out);
    FaultSlot* fault = options.weights
                           ? stream.faultSlot("contrastive", ErrorCode::argument,
                                              [](int64_t, int32_t) {
                                                return "weights must be finite, 0 or more, and not all 0";
                                              })
                           : nullptr;
    measureRows(stream, problem, out);
    scaleRows(stream, problem);
    findScalars(stream, problem, options, nullptr, fault);
    Sweep<E> sweep(stream, problem, x.device());
    for (const ScoreMatrix& matrix : scoreMatricesOf(problem)) sweep.run(matrix);
    sweep.finish(options, out);
  });
}

void contrastiveBackward(Stream& stream, const ContrastiveForward& forward, const Tensor& x, const Tensor& y,
                         const ContrastiveOptions& options, const ContrastiveBackward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const Problem<E> problem = problemOf<E>(x, y, options, forward);
    scaleRows(stream, problem);
    // Weights that cannot be used were reported by the forward pass; their gradients are 0.
    findScalars(stream, problem, options, forward.loss.data<float>(), nullptr);
    Pulls<E> pulls(stream, problem, out, x.device());
    for (const ScoreMatrix& matrix : scoreMatricesOf(problem)) pulls.run(matrix);
    pulls.finish(out);
  });
}

}  // namespace crossmap::cuda
