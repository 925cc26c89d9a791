#pragma once
// The launches of the forward pass on CUDA.
#include <algorithm>
#include <array>
#include <vector>

#include "ops/contrastive/contrastive-problem-cuda.cuh"
#include "ops/contrastive/contrastive-products-cuda.cuh"
#include "ops/contrastive/contrastive-softmax-cuda.cuh"

namespace crossmap::cuda {
namespace {

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

}  // namespace
}  // namespace crossmap::cuda
