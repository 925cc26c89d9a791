#include <utility>

#include "ops/contrastive/contrastive-cpu.h"
#include "ops/contrastive/contrastive-tiles-cpu.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kRowGrain = 64;

// Gradients of the unit rows, float32; null where none is wanted.
struct UnitGradients {
  float *u = nullptr, *v = nullptr, *z = nullptr;

  // From row `begin` on.
  float* of(const Problem& problem, const Rows* rows, int64_t begin) const {
    float* const all = rows == &problem.x ? u : rows == &problem.y ? v : z;
    return all ? all + begin * rows->features : nullptr;
  }
};

// What the gradient of a logit takes from its row or its column.
struct SoftmaxMarks {
  TileArray<float> lse, leftOut, weights, shares;
  TileArray<float> perExponential;  // weight e^-lse, where logits are bounded
};

// The same of the columns of a vector, or of one row.
struct SoftmaxVectors {
  Vec lse, weights, shares, perExponential;
};

SoftmaxVectors rowAt(const SoftmaxMarks& marks, int64_t row) {
  return {broadcast(marks.lse[row]), broadcast(marks.weights[row]), broadcast(marks.shares[row]),
          broadcast(marks.perExponential[row])};
}

SoftmaxVectors columnsAt(const SoftmaxMarks& marks, int64_t column) {
  return {load(&marks.lse[column]), load(&marks.weights[column]), load(&marks.shares[column]),
          load(&marks.perExponential[column])};
}

// Weights are dLoss / d(loss of the row).
SoftmaxMarks softmaxMarksOf(const Problem& problem, Direction direction, float factor, int64_t begin,
                            int64_t count) {
  using enum ContrastiveStatistic;
  const bool isRows = direction == Direction::rows;
  const float* lse = problem.statistic(isRows ? rowLse : columnLse) + begin;
  const float* leftOut = problem.statistic(isRows ? rowLeftOut : columnLeftOut) + begin;
  const float* shares = problem.statistic(share) + begin;
  SoftmaxMarks marks{};
  for (int64_t index = 0; index < count; index++) {
    marks.lse[index] = lse[index];
    marks.leftOut[index] = leftOut[index];
    marks.weights[index] = problem.x.isAbsent(begin + index) ? 0 : factor * problem.weight(begin + index);
    marks.shares[index] = shares[index];
  }
  if (problem.hasBoundedLogits())
    for (int64_t index = 0; index < count; index += kLanes)
      store(&marks.perExponential[index], load(&marks.weights[index]) * exp(-load(&marks.lse[index])));
  return marks;
}

// weight (P - t) of a vector of logits in one direction. `exponentials`, e^logit, are of bounded logits.
template <bool isPlain, bool isBounded>
Vec pullOf(IntVec isLeftOut, const Logits& logits, Vec exponentials, const SoftmaxVectors& of) {
  const Vec weighted =
      isBounded ? exponentials * of.perExponential : of.weights * exp(logits.values - of.lse);
  const Vec kept = isLeftOut ? Vec{} : weighted;
  if constexpr (isPlain) return kept;
  return kept - (logits.isPartner ? of.weights * of.shares : Vec{});
}

// Turns the scores of a tile into dLoss/dlogit, but for pairs themselves, which are left 0. Returns the sum
// of gradient times logit.
template <bool hasColumns, bool isPlain, bool isBounded>
double pullTile(const Tile& tile, const TileMarks& marks, const SoftmaxMarks& rows,
                const SoftmaxMarks& columns, float* scores) {
  double total = 0;
  for (int64_t i = 0; i < tile.rowCount; i++) {
    const SoftmaxVectors row = rowAt(rows, i);
    Vec rowTotal{};
    for (int64_t j = 0; j < tile.stride; j += kLanes) {
      float* const at = scores + i * tile.stride + j;
      const Logits logits = logitsAt<isPlain>(marks, i, j, load(at));
      const Vec exponentials = isBounded ? exp(logits.values) : Vec{};
      Vec pull = pullOf<isPlain, isBounded>(logits.notInRow, logits, exponentials, row);
      if constexpr (hasColumns)
        pull += pullOf<isPlain, isBounded>(logits.notInColumn, logits, exponentials, columnsAt(columns, j));
      store(at, pull);
      rowTotal = fma(pull, logits.values, rowTotal);
    }
    total += sum(rowTotal);
  }
  return total;
}

// The pairs themselves, on the diagonal of a diagonal tile: P_ii - t_ii = (1 - t_ii) - (1 - P_ii).
double pullPairs(const Problem& problem, const Tile& tile, const TileMarks& marks, const SoftmaxMarks& rows,
                 const SoftmaxMarks& columns, float* scores) {
  const float* ownScores = problem.statistic(ContrastiveStatistic::score) + tile.rowBegin;
  double total = 0;
  for (int64_t i = 0; i < tile.rowCount; i++) {
    const float others = 1 - rows.shares[i];
    float pull = rows.weights[i] * (others - rows.leftOut[i]);
    if (!problem.oneDirectional) pull += columns.weights[i] * (others - columns.leftOut[i]);
    scores[i * tile.stride + i] = pull;
    total += double{pull} * (ownScores[i] * marks.inverseTau - marks.positiveMargin);
  }
  return total;
}

// The pulls of a tile as its two products take them: [rows, columns], to be multiplied by the rows of either
// side as they are kept.
struct Pulls {
  Matrix onRows;     // for the gradients of the rows
  Matrix onColumns;  // for those of the columns, transposed
};

// Rounds pulls to bfloat16, times the factors of the rows that they will be multiplied by. Both take the
// place of the float32 values, row by row: `onRows` the first half of a row's, `onColumns` the second.
Pulls roundPulls(const Tile& tile, const Workspace& workspace) {
  const auto& [rows, columns, scores, gemmMemory] = workspace;
  TileArray<float> row, ofColumns{};
  std::copy_n(columns.factors, tile.columnCount, ofColumns.values);
  for (int64_t i = 0; i < tile.rowCount; i++) {
    std::copy_n(scores + i * tile.stride, tile.stride, row.values);
    auto* const rounded = reinterpret_cast<BFloat16*>(scores + i * tile.stride);
    for (int64_t j = 0; j < tile.stride; j += kLanes) {
      store(rounded + j, load(&row[j]) * load(&ofColumns[j]));
      store(rounded + tile.stride + j, load(&row[j]) * rows.factors[i]);
    }
  }
  const auto* const all = reinterpret_cast<const BFloat16*>(scores);
  return {{all, DType::bfloat16, 2 * tile.stride},
          {all + tile.stride, DType::bfloat16, 2 * tile.stride, true}};
}

Pulls pullsOf(const Tile& tile, const Workspace& workspace) {
  if (workspace.rows.dtype == DType::bfloat16) return roundPulls(tile, workspace);
  const Matrix pulls{workspace.scores, DType::float32, tile.stride};
  return {pulls, {pulls.data, pulls.dtype, pulls.stride, true}};
}

// One tile: its scores anew, their gradients, and what these add to the unit rows of both sides. Returns the
// tile's part of dTheta.
double tileBackward(const Problem& problem, const ScoreMatrix& matrix, std::pair<int64_t, int64_t> at,
                    float factor, const UnitGradients& gradients, const Workspace& workspace) {
  const auto [rowTile, columnTile] = at;
  const Tile tile = tileAt(problem, matrix, rowTile, columnTile);
  computeScores(matrix, tile, workspace);
  const TileMarks marks = marksOf(problem, matrix, tile);
  const SoftmaxMarks rows =
      softmaxMarksOf(problem, matrix.rowDirection, factor, tile.rowBegin, tile.rowCount);
  const SoftmaxMarks columns =
      matrix.columnDirection
          ? softmaxMarksOf(problem, *matrix.columnDirection, factor, tile.columnBegin, tile.columnCount)
          : SoftmaxMarks{};
  float* const scores = workspace.scores;
  double total = 0;
  withFlags(
      [&](auto hasColumns, auto isPlain, auto isBounded) {
        total = pullTile<hasColumns, isPlain, isBounded>(tile, marks, rows, columns, scores);
      },
      matrix.hasColumnSoftmax(rowTile, columnTile), marks.isPlain, marks.isBounded);
  if (matrix.kind == ScoreMatrix::Kind::pairs && rowTile == columnTile)
    total += pullPairs(problem, tile, marks, rows, columns, scores);
  const Pulls pulls = pullsOf(tile, workspace);
  // Of the unit rows of one side: pulls / tau times those of the other.
  const auto add = [&](float* sums, int64_t count, const Matrix& pulls, int64_t others,
                       const TileRows& otherRows) {
    if (!sums) return;
    gemm<kIsa>(nullptr,
               {.m = count,
                .n = problem.x.features,
                .k = others,
                .a = pulls,
                .b = otherRows.matrix(),
                .c = sums,
                .dtypeC = DType::float32,
                .strideC = problem.x.features,
                .alpha = marks.inverseTau,
                .accumulate = true},
               workspace.gemm);
  };
  add(gradients.of(problem, matrix.rows, tile.rowBegin), tile.rowCount, pulls.onRows, tile.columnCount,
      workspace.columns);
  add(gradients.of(problem, matrix.columns, tile.columnBegin), tile.columnCount, pulls.onColumns,
      tile.rowCount, workspace.rows);
  return total;
}

// Through the normalisation: dx = (du - (du . u) u) / max(|x|, 1e-12). `to` may be `du` itself.
void normalizeBackward(Context& context, const Rows& rows, const float* du, void* to) {
  constexpr float kMostInverseNorm = 1e12f;
  const int64_t features = rows.features;
  onFloatDType(rows.dtype, [&]<typename E>(E) {
    context.pool.parallelFor(rows.count, kRowGrain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const E* x = static_cast<const E*>(rows.data) + row * features;
        const float* from = du + row * features;
        E* dx = static_cast<E*>(to) + row * features;
        const float inverse = rows.inverseNorms[row], factor = std::min(inverse, kMostInverseNorm);
        if (inverse == 0) {
          std::fill_n(dx, features, fromFloat<E>(0));
          continue;
        }
        double dot = 0;
        for (int64_t d = 0; d < features; d++) dot += double{from[d]} * (toFloat(x[d]) * inverse);
        const auto along = static_cast<float>(dot);
        for (int64_t d = 0; d < features; d++)
          dx[d] = fromFloat<E>((from[d] - along * (toFloat(x[d]) * inverse)) * factor);
      }
    });
  });
}

// One gradient that is wanted: where its float32 sums are kept and where the result goes.
struct Result {
  Rows rows;
  float* sums;  // [count, features]
  void* to;     // the same memory for float32
};

void clear(Context& context, const Result& result) {
  const int64_t features = result.rows.features;
  context.pool.parallelFor(result.rows.count, kRowGrain, [&](int64_t begin, int64_t end) {
    std::fill(result.sums + begin * features, result.sums + end * features, 0.f);
  });
}

// float32 gradients are summed where they will lie; others in a float32 copy, kept until the op has run.
Result resultOf(const Rows& rows, const std::optional<Tensor>& out, std::vector<Tensor>& kept) {
  if (!out) return {rows, nullptr, nullptr};
  if (out->dtype() == DType::float32) return {rows, out->data<float>(), out->raw()};
  kept.push_back(empty(out->shape(), DType::float32, out->device()));
  return {rows, kept.back().data<float>(), out->raw()};
}

}  // namespace

template <Isa isa>
void contrastiveBackward(const ContrastiveForward& forward, const Tensor& x, const Tensor& y,
                         const ContrastiveOptions& options, const ContrastiveBackward& out) {
  const Problem problem = problemOf(x, y, options, forward);
  const int64_t threads = cpuOf(x.device()).threads();
  std::vector<Tensor> kept;
  const std::array results{resultOf(problem.x, out.dx, kept), resultOf(problem.y, out.dy, kept),
                           resultOf(problem.z, out.dNegatives, kept)};
  const Tensor workMemory = empty({threads, Workspace::floats(problem)}, DType::float32, x.device());
  enqueue(x.device(), "contrastiveBackward",
          [=, dLoss = forward.loss.data<float>(), workFloats = workMemory.data<float>(),
           dTheta = out.dTheta ? out.dTheta->data<float>() : nullptr](Context& context) {
            for (const Result& result : results)
              if (result.sums) clear(context, result);
            const UnitGradients gradients{results[0].sums, results[1].sums, results[2].sums};
            double total = 0;
            // Weights that cannot be used were reported by the forward pass; their gradients are 0.
            if (const double weight = totalWeight(problem); weight > 0) {
              const auto factor = static_cast<float>(problem.directionFactor() * *dLoss / weight);
              Workspaces workspaces(workFloats, threads, problem);
              // By row tile, since only one tile at a time adds to each.
              std::vector<double> totals(static_cast<size_t>(ceilDiv(problem.pairs(), problem.tileRows)));
              for (const ScoreMatrix& matrix : scoreMatricesOf(problem))
                forEachTile(context, workspaces, problem, matrix,
                            [&](int64_t rowTile, int64_t columnTile, const Workspace& workspace) {
                              totals[static_cast<size_t>(rowTile)] += tileBackward(
                                  problem, matrix, {rowTile, columnTile}, factor, gradients, workspace);
                            });
              for (const double each : totals) total += each;
            }
            for (const Result& result : results)
              if (result.sums) normalizeBackward(context, result.rows, result.sums, result.to);
            if (dTheta) *dTheta = problem.isClamped() ? 0.f : static_cast<float>(total);
          });
}

template void contrastiveBackward<kIsa>(const ContrastiveForward&, const Tensor&, const Tensor&,
                                        const ContrastiveOptions&, const ContrastiveBackward&);

}  // namespace crossmap::cpu
