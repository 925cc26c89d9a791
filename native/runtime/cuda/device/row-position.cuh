#pragma once
// The place of a thread among the tiles of row-tiles.h.
#include "runtime/cuda/language.h"
#include "runtime/cuda/row-tiles.h"

namespace crossmap::cuda {

struct RowPosition {
  int64_t feature;      // first element of the thread's pack
  int64_t row, rowEnd;  // its first row, and the end of those of its block
  int64_t rowBlock;
  int column, rowThread;  // its place in the block
  bool isInside;          // whether it has anything at all
};

__device__ inline RowPosition rowPosition(const RowTiles& tiles, int64_t rows, int64_t features) {
  const auto columnBlocks = static_cast<unsigned>(tiles.columnBlocks);
  const int64_t rowBlock = blockIdx.x / columnBlocks;
  const int64_t columnBlock = blockIdx.x % columnBlocks;
  const int column = static_cast<int>(threadIdx.x) % tiles.columnThreads;
  const int rowThread = static_cast<int>(threadIdx.x) / tiles.columnThreads;
  const int64_t feature = (columnBlock * tiles.columnThreads + column) * tiles.width;
  const int64_t begin = rowBlock * tiles.rowsPerBlock;
  const int64_t end = begin + tiles.rowsPerBlock;
  return {feature,
          begin + rowThread,
          end < rows ? end : rows,
          rowBlock,
          column,
          rowThread,
          rowThread < tiles.rowThreads && feature < features};
}

}  // namespace crossmap::cuda
