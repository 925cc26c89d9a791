#pragma once
// How the CUDA form divides its matrices of scores. Pure functions of architecture, dtype and shape.
#include <algorithm>
#include <cstdint>

#include "runtime/dtype.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

// Rows and columns of one tile of scores: one block of threads computes it.
inline constexpr int64_t kScoreTile = 128;

// Blocks that a multiprocessor holds at a time, for operands of 16 bits.
inline constexpr int64_t kBlocksTogether = 2;

// Rows of a panel of the forward pass, which keeps partial results of each of its tiles: 8 bytes for each of
// the tile's rows and columns, twice that with positives of the same group. It has 16 tiles for each
// multiprocessor, so that those that stand idle at its end are few beside it: 4.1 MiB of partial results on
// 132 multiprocessors, for any number of pairs; or one row of tiles where that has more.
inline int64_t sweepPanelRows(int multiprocessors, int64_t columns) {
  const int64_t tiles = 16 * int64_t{multiprocessors};
  return std::max<int64_t>(tiles / ceilDiv(columns, kScoreTile), 1) * kScoreTile;
}

// Rows and columns of a panel of the backward pass, which keeps the gradients of a square of scores in the
// dtype of the rows. Its kernels have about two blocks for each multiprocessor: the scores side^2 tiles, the
// two products together 2 side (features / tile), whichever needs the larger side. At most 32 MiB, which
// stays in the second-level cache until both products have read it. For 512 features in 16 bits on 132
// multiprocessors: 4096, where the products have 256 tiles for 264 places.
inline int64_t pullPanelSide(int multiprocessors, DType dtype, int64_t features) {
  const int64_t places = kBlocksTogether * multiprocessors;
  const int64_t mostTiles = (int64_t{32} << 20) / (kScoreTile * kScoreTile * sizeOf(dtype));
  const int64_t forProducts = places / (2 * ceilDiv(std::max<int64_t>(features, 1), kScoreTile));
  int64_t side = 1;
  while ((side + 1) * (side + 1) <= mostTiles && (side < forProducts || (side + 1) * (side + 1) <= places))
    side++;
  return side * kScoreTile;
}

}  // namespace crossmap::cuda
