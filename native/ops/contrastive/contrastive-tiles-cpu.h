#pragma once
// What the forward and the backward pass share: the products of unit rows that make up the scores, their
// tiles, and the order in which tiles are computed. Kernels only; internal linkage as in simd.h.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "ops/contrastive/contrastive.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/gemm.h"
#include "runtime/cpu/simd.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {
namespace {

// Packing and normalising rows costs 1 / tileRows of the products; 512 rows' scores, 1 MiB, still stay near.
constexpr int64_t kMostTileRows = 512;
constexpr int64_t kLeastTileRows = 32;
constexpr float kMostInverseTau = 100;
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

// The part of a tile's arrays that belongs to its rows or its columns, padded to whole vectors.
template <typename T>
struct alignas(64) TileArray {
  T values[kMostTileRows];

  T& operator[](int64_t index) { return values[index]; }
  const T& operator[](int64_t index) const { return values[index]; }
};

inline IntVec load(const int32_t* from) {
  IntVec vec;
  std::memcpy(&vec, from, sizeof vec);
  return vec;
}

// What decides which logits of a tile count, for its rows or its columns.
struct Marks {
  static constexpr int32_t kNoRow = -1;

  TileArray<int32_t> ids;       // 0 or more, left out where those of row and column are the same; or kNoRow
  TileArray<int32_t> partners;  // positives beside the pair itself where these are the same, but not the ids
  TileArray<float> limits;      // a higher score is left out, unless a positive's
};

enum class Side { row, column };

// Marks of the rows or columns `begin` and on of a matrix of scores.
Marks marksOf(const Problem& problem, const ScoreMatrix& matrix, Side side, int64_t begin, int64_t count) {
  const bool isExtra = matrix.kind == ScoreMatrix::Kind::extra;
  const bool isRow = side == Side::row;
  const Rows& rows = isRow ? *matrix.rows : *matrix.columns;
  const bool hasPartners =
      rows.groups && problem.groupMode == GroupMode::positives && matrix.kind == ScoreMatrix::Kind::pairs;
  const bool idsAreGroups = rows.groups && problem.groupMode != GroupMode::none && !hasPartners;
  const bool hasLimits = problem.threshold && (isRow || !isExtra);
  const int32_t never = isRow ? 0 : 1;  // what equals nothing of the other side
  const float* scores = problem.statistic(ContrastiveStatistic::score);
  Marks marks{};
  std::fill(marks.ids.values + count, marks.ids.values + kMostTileRows, Marks::kNoRow);
  for (int64_t index = 0; index < count; index++) {
    const int64_t pair = begin + index;
    const int32_t id = isExtra ? never : idsAreGroups ? rows.groups[pair] : static_cast<int32_t>(pair);
    marks.ids[index] = rows.isAbsent(pair) ? Marks::kNoRow : id;
    marks.partners[index] = hasPartners ? rows.groups[pair] : never;
    marks.limits[index] = hasLimits ? scores[pair] + *problem.threshold : kInfinity;
  }
  return marks;
}

// Both sides' marks of a tile.
struct TileMarks {
  Marks rows, columns;
  float inverseTau;
  float positiveMargin;  // margin / tau, taken from the logits of positives
};

// A vector of logits: which of them are positives beside the pair itself, and which are left out of the
// softmax of their row and of that of their column. Both pass over the pair itself: its share is found apart.
struct Logits {
  Vec values;
  IntVec isPartner, notInRow, notInColumn;
};

inline Logits logitsAt(const TileMarks& marks, int64_t row, int64_t column, Vec scores) {
  // Not above 0 where both are the same, or one alone has the sign of kNoRow.
  const IntVec never = (load(&marks.columns.ids[column]) ^ marks.rows.ids[row]) <= 0;
  const IntVec isPartner = (load(&marks.columns.partners[column]) == marks.rows.partners[row]) & ~never;
  const IntVec aboveRow = scores > marks.rows.limits[row];
  const IntVec aboveColumn = scores > load(&marks.columns.limits[column]);
  const Vec plain = scores * marks.inverseTau;
  return {isPartner ? plain - marks.positiveMargin : plain, isPartner, never | (aboveRow & ~isPartner),
          never | (aboveColumn & ~isPartner)};
}

// A float32 matrix of a tile, or its transpose.
Matrix matrixOf(const float* data, int64_t stride, bool transposed = false) {
  return {data, DType::float32, stride, transposed};
}

// Scores are summed over this many features at a time: more would need further working memory in gemm.
constexpr int64_t kMostDepth = 512;

// Working memory of one thread.
struct Workspace {
  float* rows;     // [tileRows, features] unit rows
  float* columns;  // the same
  float* scores;   // [tileRows, tileRows]
  float* gemm;     // its own

  // Floats of each of the four; whole cache lines.
  static std::array<int64_t, 4> sizes(const Problem& problem) {
    const int64_t tileRows = problem.tileRows, features = problem.x.features;
    // gemm needs no more for smaller sizes, so whole tiles bound those at the edges.
    const auto bytes = [](int64_t m, int64_t n, int64_t k) {
      return gemmWorkspaceBytes<kIsa>({.m = m,
                                       .n = n,
                                       .k = k,
                                       .a = matrixOf(nullptr, 0),
                                       .b = matrixOf(nullptr, 0),
                                       .c = nullptr,
                                       .dtypeC = DType::float32,
                                       .strideC = 0});
    };
    const int64_t gemm = std::max(bytes(tileRows, tileRows, std::min(features, kMostDepth)),
                                  bytes(tileRows, features, tileRows));
    constexpr int64_t kLine = 16;
    return {roundUp(tileRows * features, kLine), roundUp(tileRows * features, kLine),
            roundUp(tileRows * tileRows, kLine), roundUp(ceilDiv(gemm, int64_t{sizeof(float)}), kLine)};
  }
};

// As many workspaces as threads, taken and given back by the tiles.
class Workspaces {
 public:
  Workspaces(float* memory, int64_t count, const Problem& problem)
      : memory_(memory), sizes_(Workspace::sizes(problem)), taken_(static_cast<size_t>(count)) {}

  static int64_t floatsOf(const Problem& problem) {
    const auto sizes = Workspace::sizes(problem);
    return std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  }

  template <typename F>
  void with(F&& body) {
    const size_t index = take();
    const Release release{taken_[index]};
    const auto [rows, columns, scores, gemm] = sizes_;
    float* const first = memory_ + static_cast<int64_t>(index) * (rows + columns + scores + gemm);
    body(Workspace{first, first + rows, first + rows + columns, first + rows + columns + scores});
  }

 private:
  struct Release {
    std::atomic_flag& taken;
    ~Release() { taken.clear(std::memory_order_release); }
  };

  // One is free: there are as many as threads.
  size_t take() {
    for (size_t index = 0;; index = (index + 1) % taken_.size())
      if (!taken_[index].test_and_set(std::memory_order_acquire)) return index;
  }

  float* memory_;
  std::array<int64_t, 4> sizes_;
  std::vector<std::atomic_flag> taken_;
};

// Calls body(rowTile, columnTile, workspace) once for each tile of a matrix. Tiles are computed in rounds:
// in one, no two share rows or columns (row + column is the same, modulo their number), so what a tile adds
// to its rows and columns is its own at that time, and each row and column takes its tiles in a fixed order:
// the results are the same bits for any number of threads.
template <typename F>
void forEachTile(Context& context, Workspaces& workspaces, const Problem& problem, const ScoreMatrix& matrix,
                 F&& body) {
  const int64_t rowTiles = ceilDiv(matrix.rows->count, problem.tileRows);
  const int64_t columnTiles = ceilDiv(matrix.columns->count, problem.tileRows);
  const int64_t rounds = std::max(rowTiles, columnTiles);
  for (int64_t round = 0; round < rounds; round++)
    context.pool.parallelFor(rowTiles, 1, [&](int64_t rowTile, int64_t) {
      const int64_t columnTile = (round - rowTile + rounds) % rounds;
      if (columnTile >= columnTiles || (matrix.isSymmetric() && columnTile < rowTile)) return;
      workspaces.with([&](const Workspace& workspace) { body(rowTile, columnTile, workspace); });
    });
}

// A tile: which rows and columns of a matrix it covers.
struct Tile {
  int64_t rowBegin, rowCount;
  int64_t columnBegin, columnCount;
  int64_t stride;  // of its scores: columns, padded to whole vectors
};

Tile tileAt(const Problem& problem, const ScoreMatrix& matrix, int64_t rowTile, int64_t columnTile) {
  const int64_t rowBegin = rowTile * problem.tileRows, columnBegin = columnTile * problem.tileRows;
  const int64_t columnCount = std::min(problem.tileRows, matrix.columns->count - columnBegin);
  return {rowBegin, std::min(problem.tileRows, matrix.rows->count - rowBegin), columnBegin, columnCount,
          roundUp(columnCount, kLanes)};
}

TileMarks marksOf(const Problem& problem, const ScoreMatrix& matrix, const Tile& tile) {
  const float inverseTau = problem.inverseTau();
  return {marksOf(problem, matrix, Side::row, tile.rowBegin, tile.rowCount),
          marksOf(problem, matrix, Side::column, tile.columnBegin, tile.columnCount), inverseTau,
          problem.margin * inverseTau};
}

void loadUnitRows(const Rows& rows, int64_t begin, int64_t count, float* to) {
  const int64_t features = rows.features;
  onFloatDType(rows.dtype, [&]<typename E>(E) {
    for (int64_t row = 0; row < count; row++, to += features) {
      const E* from = static_cast<const E*>(rows.data) + (begin + row) * features;
      const float factor = rows.inverseNorms[begin + row];
      if (factor == 0) {
        std::fill_n(to, features, 0.f);
        continue;
      }
      int64_t d = 0;
      for (; d + kLanes <= features; d += kLanes) store(to + d, load(from + d) * factor);
      for (; d < features; d++) to[d] = toFloat(from[d]) * factor;
    }
  });
}

// The scores of a tile and the unit rows they come from; padding has score 0. Both passes call it with the
// same tiles, so the backward pass sees the very scores of the forward pass.
void computeScores(const ScoreMatrix& matrix, const Tile& tile, const Workspace& workspace) {
  const int64_t features = matrix.rows->features;
  loadUnitRows(*matrix.rows, tile.rowBegin, tile.rowCount, workspace.rows);
  loadUnitRows(*matrix.columns, tile.columnBegin, tile.columnCount, workspace.columns);
  for (int64_t d = 0; d == 0 || d < features; d += kMostDepth)
    gemm<kIsa>(nullptr,
               {.m = tile.rowCount,
                .n = tile.columnCount,
                .k = std::min(kMostDepth, features - d),
                .a = matrixOf(workspace.rows + d, features),
                .b = matrixOf(workspace.columns + d, features, true),
                .c = workspace.scores,
                .dtypeC = DType::float32,
                .strideC = tile.stride,
                .accumulate = d > 0},
               workspace.gemm);
  for (int64_t row = 0; row < tile.rowCount; row++)
    std::fill(workspace.scores + row * tile.stride + tile.columnCount,
              workspace.scores + (row + 1) * tile.stride, 0.f);
}

}  // namespace
}  // namespace crossmap::cpu
