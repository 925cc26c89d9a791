#include "ops/contrastive/contrastive-cpu.h"
#include "ops/contrastive/contrastive-tiles-cpu.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kPairGrain = 64;

// Of each row of one direction, over the logits seen so far, the pair's own left out.
struct Softmax {
  float* max;       // [pairs] -inf before the first; 0 where logits are bounded, whatever they are
  float* sum;       // [pairs] of e^(logit - max)
  float* partners;  // [pairs] sum of the logits of positives beside the pair itself
};

struct Sweep {
  Softmax rows, columns;
  float* partnerCounts;  // [pairs] the same in both directions, since groups are

  static constexpr int64_t kArrays = 7;

  Sweep(float* memory, int64_t pairs)
      : rows{memory, memory + pairs, memory + 2 * pairs},
        columns{memory + 3 * pairs, memory + 4 * pairs, memory + 5 * pairs},
        partnerCounts(memory + 6 * pairs) {}

  const Softmax& of(Direction direction) const { return direction == Direction::rows ? rows : columns; }

  void clear(int64_t pairs, bool isBounded) const {
    for (const Softmax& softmax : {rows, columns}) {
      std::fill_n(softmax.max, pairs, isBounded ? 0 : -kInfinity);
      std::fill_n(softmax.sum, pairs, 0.f);
      std::fill_n(softmax.partners, pairs, 0.f);
    }
    std::fill_n(partnerCounts, pairs, 0.f);
  }
};

// 1 / |row|, 0 for a row of zeros. Squares are double, so that they neither overflow nor vanish.
template <typename E>
float inverseNorm(const E* row, int64_t features) {
  double squares = 0;
  for (int64_t d = 0; d < features; d++) squares += static_cast<double>(toFloat(row[d])) * toFloat(row[d]);
  if (squares == 0) return 0;
  // 1 / infinity would be the 0 of a row of zeros.
  if (squares == double{kInfinity}) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(std::min(1 / std::sqrt(squares), double{std::numeric_limits<float>::max()}));
}

void findInverseNorms(Context& context, const Rows& rows, float* inverseNorms) {
  onFloatDType(rows.dtype, [&]<typename E>(E) {
    context.pool.parallelFor(rows.count, kPairGrain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++)
        inverseNorms[row] =
            rows.isAbsent(row)
                ? 0
                : inverseNorm(static_cast<const E*>(rows.data) + row * rows.features, rows.features);
    });
  });
}

// s_ii, 0 of absent pairs. In float64: it decides how small a loss can be told from 0.
void findOwnScores(Context& context, const Problem& problem, float* scores) {
  const int64_t features = problem.x.features;
  onFloatDType(problem.x.dtype, [&]<typename E>(E) {
    context.pool.parallelFor(problem.pairs(), kPairGrain, [&](int64_t begin, int64_t end) {
      for (int64_t pair = begin; pair < end; pair++) {
        const E* x = static_cast<const E*>(problem.x.data) + pair * features;
        const E* y = static_cast<const E*>(problem.y.data) + pair * features;
        const double xFactor = problem.x.inverseNorms[pair], yFactor = problem.y.inverseNorms[pair];
        double sum = 0;
        if (!problem.x.isAbsent(pair))
          for (int64_t d = 0; d < features; d++) sum += toFloat(x[d]) * xFactor * (toFloat(y[d]) * yFactor);
        scores[pair] = static_cast<float>(sum);
      }
    });
  });
}

bool allAreAbsent(const Problem& problem) {
  const int32_t* groups = problem.x.groups;
  return groups && std::all_of(groups, groups + problem.pairs(), [](int32_t group) { return group < 0; });
}

// What a tile finds. Maxima are together with those of the tiles before; of bounded logits they stay 0.
struct Found {
  TileArray<float> rowMax, columnMax, columnSum, columnPartners;
};

// e^(logit - max), where a maximum of -inf stands for 0: -inf - -inf is NaN.
Vec shareOf(IntVec isLeftOut, Vec logits, Vec max) {
  const Vec shares = exp(logits - (max == -kInfinity ? Vec{} : max));
  return isLeftOut ? Vec{} : shares;
}

// Takes a tile into the running maximum and sum of one row or column.
void merge(const Softmax& softmax, int64_t at, float max, float sum) {
  const float before = softmax.max[at];
  if (before != max && before != -kInfinity) softmax.sum[at] *= std::exp(before - max);
  softmax.max[at] = max;
  softmax.sum[at] += sum;
}

template <bool hasColumns, bool isPlain>
void findMaxima(const Softmax& rows, const Tile& tile, const TileMarks& marks, const float* scores,
                Found& found) {
  for (int64_t i = 0; i < tile.rowCount; i++) {
    Vec max = broadcast(-kInfinity);
    for (int64_t j = 0; j < tile.stride; j += kLanes) {
      const Logits logits = logitsAt<isPlain>(marks, i, j, load(scores + i * tile.stride + j));
      max = cpu::max(max, logits.notInRow ? broadcast(-kInfinity) : logits.values);
      if constexpr (hasColumns) {
        const Vec kept = logits.notInColumn ? broadcast(-kInfinity) : logits.values;
        store(&found.columnMax[j], cpu::max(load(&found.columnMax[j]), kept));
      }
    }
    found.rowMax[i] = std::max(rows.max[tile.rowBegin + i], maxOf(max));
  }
}

template <bool hasColumns, bool isPlain, bool isBounded>
void addShares(const Sweep& sweep, const ScoreMatrix& matrix, const Tile& tile, const TileMarks& marks,
               const float* scores, Found& found) {
  const Softmax& rows = sweep.of(matrix.rowDirection);
  for (int64_t i = 0; i < tile.rowCount; i++) {
    const Vec max = broadcast(found.rowMax[i]);
    Vec rowSum{}, partners{};
    IntVec partnerCount{};
    for (int64_t j = 0; j < tile.stride; j += kLanes) {
      const Logits logits = logitsAt<isPlain>(marks, i, j, load(scores + i * tile.stride + j));
      const Vec exponentials = isBounded ? exp(logits.values) : Vec{};
      if constexpr (isBounded)
        rowSum += logits.notInRow ? Vec{} : exponentials;
      else
        rowSum += shareOf(logits.notInRow, logits.values, max);
      if constexpr (hasColumns) {
        const Vec shares = isBounded ? (logits.notInColumn ? Vec{} : exponentials)
                                     : shareOf(logits.notInColumn, logits.values, load(&found.columnMax[j]));
        store(&found.columnSum[j], load(&found.columnSum[j]) + shares);
      }
      if constexpr (!isPlain) {
        const Vec ofPartners = logits.isPartner ? logits.values : Vec{};
        partners += ofPartners;
        partnerCount -= logits.isPartner;
        if constexpr (hasColumns)
          store(&found.columnPartners[j], load(&found.columnPartners[j]) + ofPartners);
      }
    }
    const int64_t row = tile.rowBegin + i;
    merge(rows, row, found.rowMax[i], sum(rowSum));
    if constexpr (!isPlain) {
      rows.partners[row] += sum(partners);
      if (matrix.kind == ScoreMatrix::Kind::pairs)
        sweep.partnerCounts[row] += sum(__builtin_convertvector(partnerCount, Vec));
    }
  }
}

template <bool hasColumns, bool isPlain, bool isBounded>
void sweepTile(const Sweep& sweep, const ScoreMatrix& matrix, const Tile& tile, const TileMarks& marks,
               const float* scores) {
  const Softmax& columns = sweep.of(matrix.columnDirection.value_or(Direction::columns));
  Found found{};
  if constexpr (!isBounded) {
    if constexpr (hasColumns) {
      std::copy_n(columns.max + tile.columnBegin, tile.columnCount, found.columnMax.values);
      std::fill(found.columnMax.values + tile.columnCount, found.columnMax.values + tile.stride, -kInfinity);
    }
    findMaxima<hasColumns, isPlain>(sweep.of(matrix.rowDirection), tile, marks, scores, found);
  }
  addShares<hasColumns, isPlain, isBounded>(sweep, matrix, tile, marks, scores, found);
  if constexpr (hasColumns)
    for (int64_t j = 0; j < tile.columnCount; j++) {
      merge(columns, tile.columnBegin + j, found.columnMax[j], found.columnSum[j]);
      columns.partners[tile.columnBegin + j] += found.columnPartners[j];
    }
}

void sweepMatrix(Context& context, Workspaces& workspaces, const Problem& problem, const ScoreMatrix& matrix,
                 const Sweep& sweep) {
  forEachTile(context, workspaces, problem, matrix,
              [&](int64_t rowTile, int64_t columnTile, const Workspace& workspace) {
                const Tile tile = tileAt(problem, matrix, rowTile, columnTile);
                computeScores(matrix, tile, workspace);
                const TileMarks marks = marksOf(problem, matrix, tile);
                withFlags(
                    [&](auto hasColumns, auto isPlain, auto isBounded) {
                      sweepTile<hasColumns, isPlain, isBounded>(sweep, matrix, tile, marks, workspace.scores);
                    },
                    matrix.hasColumnSoftmax(rowTile, columnTile), marks.isPlain, marks.isBounded);
              });
}

struct PairResult {
  double loss, lse, leftOut;
};

// With d = lse of what is kept beside the pair itself - l_ii, lse - l_ii is log(1 + e^d) and 1 - P_ii is
// 1 / (1 + e^-d): nothing cancels where a pair is told apart well, and one with nothing beside it has loss 0.
PairResult resultOf(const Softmax& softmax, int64_t pair, double ownLogit, double partnerCount) {
  const double rest =
      softmax.sum[pair] == 0 ? -double{kInfinity} : softmax.max[pair] + std::log(double{softmax.sum[pair]});
  const double d = rest - ownLogit;
  const double aboveOwn = d > 0 ? d + std::log1p(std::exp(-d)) : std::log1p(std::exp(d));
  const double ownAbovePositives =
      (partnerCount * ownLogit - softmax.partners[pair]) / (partnerCount + 1);  // l_ii - sum_j t_ij l_ij
  return {aboveOwn + ownAbovePositives, ownLogit + aboveOwn, 1 / (1 + std::exp(-d))};
}

// Loss and statistics from the sweep; the sum over pairs is in their order.
float finish(const Problem& problem, const Sweep& sweep, double totalWeight, float* statistics) {
  const auto row = [&](ContrastiveStatistic which) {
    return statistics + static_cast<int64_t>(which) * problem.pairs();
  };
  using enum ContrastiveStatistic;
  const double inverseTau = problem.inverseTau();
  double loss = 0;
  for (int64_t pair = 0; pair < problem.pairs(); pair++) {
    const double ownLogit = (double{row(score)[pair]} - problem.margin) * inverseTau;
    const double partnerCount = sweep.partnerCounts[pair];
    const PairResult forRow = resultOf(sweep.rows, pair, ownLogit, partnerCount);
    const PairResult forColumn = resultOf(sweep.columns, pair, ownLogit, partnerCount);
    row(rowLse)[pair] = static_cast<float>(forRow.lse);
    row(columnLse)[pair] = static_cast<float>(forColumn.lse);
    row(rowLeftOut)[pair] = static_cast<float>(forRow.leftOut);
    row(columnLeftOut)[pair] = static_cast<float>(forColumn.leftOut);
    row(share)[pair] = static_cast<float>(1 / (partnerCount + 1));
    loss += problem.weight(pair) * (forRow.loss + (problem.oneDirectional ? 0 : forColumn.loss));
  }
  return static_cast<float>(loss * problem.directionFactor() / totalWeight);
}

}  // namespace

template <Isa isa>
void contrastive(const Tensor& x, const Tensor& y, const ContrastiveOptions& options,
                 const ContrastiveForward& out) {
  const Problem problem = problemOf(x, y, options, out);
  const int64_t threads = cpuOf(x.device()).threads();
  const Tensor sweepMemory = empty({Sweep::kArrays, problem.pairs()}, DType::float32, x.device());
  const Tensor workMemory = empty({threads, Workspace::floats(problem)}, DType::float32, x.device());
  enqueue(x.device(), "contrastive",
          [=, loss = out.loss.data<float>(), statistics = out.statistics.data<float>(),
           inverseNorms = out.inverseNorms.data<float>(), sweepFloats = sweepMemory.data<float>(),
           workFloats = workMemory.data<float>()](Context& context) {
            const int64_t pairs = problem.pairs();
            findInverseNorms(context, problem.x, inverseNorms);
            findInverseNorms(context, problem.y, inverseNorms + pairs);
            if (problem.z.count > 0) findInverseNorms(context, problem.z, inverseNorms + 2 * pairs);
            const double weight = totalWeight(problem);
            if (weight == 0) {
              *loss = 0;
              std::fill_n(statistics, kContrastiveStatistics * pairs, 0.f);
              if (allAreAbsent(problem)) return;
              throw Error(ErrorCode::argument, "weights must be finite, 0 or more, and not all 0");
            }
            findOwnScores(context, problem,
                          statistics + static_cast<int64_t>(ContrastiveStatistic::score) * pairs);
            const Sweep sweep(sweepFloats, pairs);
            sweep.clear(pairs, problem.hasBoundedLogits());
            Workspaces workspaces(workFloats, threads, problem);
            for (const ScoreMatrix& matrix : scoreMatricesOf(problem))
              sweepMatrix(context, workspaces, problem, matrix, sweep);
            *loss = finish(problem, sweep, weight, statistics);
          });
}

template void contrastive<kIsa>(const Tensor&, const Tensor&, const ContrastiveOptions&,
                                const ContrastiveForward&);

}  // namespace crossmap::cpu
