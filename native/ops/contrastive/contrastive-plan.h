#pragma once
// How the CUDA form divides its matrices of scores. Pure functions of the shapes.
#include <algorithm>
#include <cstdint>

#include "runtime/dtype.h"
#include "runtime/numbers.h"

namespace crossmap {

// Rows and columns of one tile of scores: one block of threads computes it.
inline constexpr int64_t kScoreTile = 128;

// The forward pass keeps partial results of each tile of a panel of rows: a maximum and a sum for each of the
// tile's rows and columns, twice that with positives of the same group. A panel holds several tiles for each
// multiprocessor, so that few stand idle at its end, and no more rows than these partial results fit into
// 16 MiB; at least one row of tiles, which is O(columns).
inline int64_t sweepPanelRows(int64_t columns, bool hasPartners) {
  constexpr int64_t kMostRows = 2048;
  constexpr int64_t kMostBytes = 16 << 20;
  const int64_t bytesOfTileRow = 2 * roundUp(columns, kScoreTile) * 8 * (hasPartners ? 2 : 1);
  return std::clamp(kMostBytes / bytesOfTileRow * kScoreTile, kScoreTile, kMostRows);
}

// The backward pass keeps the gradients of one rectangle of scores in the dtype of the rows: 32 MiB, which
// stays in the second-level cache until both products have read it. Its two products of 4096 rows with 512
// features are 256 tiles, two for each of 128 multiprocessors.
struct PullPanel {
  int64_t rows, columns;
};

inline PullPanel pullPanelOf(DType dtype) {
  return dtype == DType::float32 ? PullPanel{2048, 4096} : PullPanel{4096, 4096};
}

}  // namespace crossmap
