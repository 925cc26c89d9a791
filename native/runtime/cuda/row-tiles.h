#pragma once
// How the threads of a launch are spread over a matrix [rows, features] whose columns keep to themselves:
// each thread owns one pack of features, in every so many rows of its block.
#include <algorithm>
#include <cstdint>

#include "runtime/numbers.h"

namespace crossmap::cuda {

struct RowTiles {
  int width;          // elements of a pack
  int columnThreads;  // threads side by side in a row
  int rowThreads;     // rows that a block reads at once
  int threads;        // of a block: these, and what fills the last warp
  int64_t columnBlocks;
  int64_t rowBlocks;
  int64_t rowsPerBlock;

  int64_t blocks() const { return columnBlocks * rowBlocks; }
};

// Blocks have `rowsPerThread` rows for each thread, or as many more as leave at most `mostRowBlocks`.
constexpr RowTiles rowTiles(int64_t rows, int64_t features, int width, int64_t rowsPerThread,
                            int64_t mostRowBlocks) {
  constexpr int64_t kThreads = 256;
  const int64_t packs = std::max<int64_t>(1, ceilDiv(features, width));
  const int64_t columnBlocks = ceilDiv(packs, kThreads);
  const int64_t columnThreads = ceilDiv(packs, columnBlocks);
  const int64_t rowThreads = std::min(kThreads / columnThreads, std::max<int64_t>(1, rows));
  const int64_t rowsPerBlock = std::max(rowThreads * rowsPerThread, ceilDiv(rows, mostRowBlocks));
  return {width,
          static_cast<int>(columnThreads),
          static_cast<int>(rowThreads),
          static_cast<int>(roundUp(columnThreads * rowThreads, 32)),
          features == 0 ? 0 : columnBlocks,
          ceilDiv(rows, rowsPerBlock),
          rowsPerBlock};
}

}  // namespace crossmap::cuda
