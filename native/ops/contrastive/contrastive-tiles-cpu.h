#pragma once
// The tiles of scores that the forward and the backward pass share, and the order in which they are computed.
// Kernels only; internal linkage as in simd.h.
#include <array>
#include <atomic>
#include <numeric>
#include <type_traits>
#include <vector>

#include "ops/contrastive/contrastive-marks-cpu.h"
#include "ops/contrastive/contrastive-problem-cpu.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/gemm.h"
#include "runtime/cpu/simd.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {
namespace {

// Rows of one side of a tile as its products take them: row i times factors[i] is the unit row.
struct TileRows {
  void* values;    // [tileRows, features]
  float* factors;  // [tileRows], each in [1, 2); of float32 none, since the values are unit rows
  DType dtype;     // of the values: bfloat16 or float32
  int64_t features;

  // From feature `begin` on.
  Matrix matrix(bool transposed = false, int64_t begin = 0) const {
    return {static_cast<std::byte*>(values) + begin * sizeOf(dtype), dtype, features, transposed};
  }
};

// Scores are summed over this many features at a time: more would need further working memory in gemm.
constexpr int64_t kMostDepth = 512;

// Working memory of one thread.
struct Workspace {
  TileRows rows, columns;
  float* scores;  // [tileRows, tileRows]
  void* gemm;     // its own

  Workspace(float* memory, const Problem& problem) {
    const auto [values, factors, scores, gemm] = sizes(problem);
    const auto rowsAt = [&](float* at) {
      return TileRows{at, at + values, problem.productDType, problem.x.features};
    };
    rows = rowsAt(memory);
    columns = rowsAt(memory + values + factors);
    this->scores = memory + 2 * (values + factors);
    this->gemm = this->scores + scores;
  }

  static int64_t floats(const Problem& problem) {
    const auto [values, factors, scores, gemm] = sizes(problem);
    return 2 * (values + factors) + scores + gemm;
  }

 private:
  struct Sizes {
    int64_t values, factors, scores, gemm;
  };

  // In floats; whole cache lines.
  static Sizes sizes(const Problem& problem) {
    const int64_t tileRows = problem.tileRows, features = problem.x.features;
    const DType dtype = problem.productDType;
    // gemm needs no more for smaller sizes, so whole tiles bound those at the edges.
    const auto gemmBytes = [&](int64_t m, int64_t n, int64_t k) {
      return gemmWorkspaceBytes<kIsa>({.m = m,
                                       .n = n,
                                       .k = k,
                                       .a = {nullptr, dtype, 0},
                                       .b = {nullptr, dtype, 0},
                                       .c = nullptr,
                                       .dtypeC = DType::float32,
                                       .strideC = 0});
    };
    const auto lines = [](int64_t bytes) { return roundUp(ceilDiv(bytes, int64_t{sizeof(float)}), 16); };
    return {lines(tileRows * features * sizeOf(dtype)),
            dtype == DType::float32 ? 0 : lines(tileRows * int64_t{sizeof(float)}),
            lines(tileRows * tileRows * int64_t{sizeof(float)}),
            lines(std::max(gemmBytes(tileRows, tileRows, std::min(features, kMostDepth)),
                           gemmBytes(tileRows, features, tileRows)))};
  }
};

// As many workspaces as threads, taken and given back by the tiles.
class Workspaces {
 public:
  Workspaces(float* memory, int64_t count, const Problem& problem)
      : memory_(memory), problem_(problem), taken_(static_cast<size_t>(count)) {}

  template <typename F>
  void with(F&& body) {
    const size_t index = take();
    const Release release{taken_[index]};
    body(Workspace(memory_ + static_cast<int64_t>(index) * Workspace::floats(problem_), problem_));
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
  const Problem& problem_;
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
          marksOf(problem, matrix, Side::column, tile.columnBegin, tile.columnCount),
          inverseTau,
          problem.margin * inverseTau,
          !problem.threshold && !hasPartners(problem, matrix),
          problem.hasBoundedLogits()};
}

// Calls body with each flag as a type: std::true_type or std::false_type.
template <typename F>
void withFlags(F&& body) {
  body();
}

template <typename F, typename... Rest>
void withFlags(F&& body, bool flag, Rest... rest) {
  const auto go = [&](auto first) { withFlags([&](auto... others) { body(first, others...); }, rest...); };
  if (flag)
    go(std::true_type{});
  else
    go(std::false_type{});
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

// Rows times the power of two that brings their norm to (1/2, 1], which rounds nothing: products of any norms
// are as good as those of unit rows.
void loadScaledRows(const Rows& rows, int64_t begin, int64_t count, const TileRows& to) {
  const int64_t features = rows.features;
  const auto* from = static_cast<const BFloat16*>(rows.data) + begin * features;
  auto* values = static_cast<BFloat16*>(to.values);
  for (int64_t row = 0; row < count; row++, from += features, values += features) {
    const float inverseNorm = rows.inverseNorms[begin + row];
    const float scale = powerOfTwoWithin(inverseNorm);
    to.factors[row] = inverseNorm == 0 ? 0 : inverseNorm / scale;
    for (int64_t d = 0; d < features; d += kLanes)
      storeWithin(values, d, features, inverseNorm == 0 ? Vec{} : loadWithin(from, d, features) * scale);
  }
}

void loadRows(const Rows& rows, int64_t begin, int64_t count, const TileRows& to) {
  if (to.dtype == DType::bfloat16)
    loadScaledRows(rows, begin, count, to);
  else
    loadUnitRows(rows, begin, count, static_cast<float*>(to.values));
}

// The scores of a tile and the rows they come from; padding has score 0. Both passes call it with the same
// tiles, so the backward pass sees the very scores of the forward pass.
void computeScores(const ScoreMatrix& matrix, const Tile& tile, const Workspace& workspace) {
  const int64_t features = matrix.rows->features;
  const auto& [rows, columns, scores, gemmMemory] = workspace;
  loadRows(*matrix.rows, tile.rowBegin, tile.rowCount, rows);
  loadRows(*matrix.columns, tile.columnBegin, tile.columnCount, columns);
  for (int64_t d = 0; d == 0 || d < features; d += kMostDepth)
    gemm<kIsa>(nullptr,
               {.m = tile.rowCount,
                .n = tile.columnCount,
                .k = std::min(kMostDepth, features - d),
                .a = rows.matrix(false, d),
                .b = columns.matrix(true, d),
                .c = scores,
                .dtypeC = DType::float32,
                .strideC = tile.stride,
                .accumulate = d > 0},
               gemmMemory);
  for (int64_t i = 0; i < tile.rowCount; i++) {
    float* const row = scores + i * tile.stride;
    if (rows.dtype == DType::bfloat16)
      for (int64_t j = 0; j < tile.columnCount; j += kLanes)
        store(row + j, load(row + j) * loadWithin(columns.factors, j, tile.columnCount) * rows.factors[i]);
    std::fill(row + tile.columnCount, row + tile.stride, 0.f);
  }
}

}  // namespace
}  // namespace crossmap::cpu
