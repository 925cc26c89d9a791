#pragma once
// The launches of the backward pass on CUDA.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "ops/contrastive/contrastive-problem-cuda.cuh"
#include "ops/contrastive/contrastive-products-cuda.cuh"
#include "ops/contrastive/contrastive-softmax-cuda.cuh"

namespace crossmap::cuda {
namespace {

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
}  // namespace crossmap::cuda
