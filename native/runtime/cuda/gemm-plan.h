#pragma once
// Which tile a matrix product is computed with, and in how many parts of its depth. Pure functions.
#include <algorithm>
#include <cstdint>

#include "runtime/cuda/stream.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

struct GemmPlan {
  int tile;        // rows and columns of the tile of a block: 128, or 64 where those would be too few
  int64_t splits;  // parts of the depth, each summed by blocks of its own and added up in order afterwards
};

// c [m, n] = a [m, k] b [k, n].
//
// A tile of 128 reads each operand half as often as one of 64, so it is taken where it gives every
// multiprocessor a block. Few tiles of great depth, as in gradients of weights, are split until each
// multiprocessor has a block; a part has at least kLeastDepth, so that adding up (8 bytes for each element
// and part) stays small beside reading the operands, and the parts' sums at most kMostBytes.
inline GemmPlan gemmPlan(const Architecture& architecture, int64_t m, int64_t n, int64_t k) {
  constexpr int64_t kLeastDepth = 512;
  constexpr int64_t kMostBytes = int64_t{64} << 20;
  const auto tilesOf = [=](int64_t tile) { return ceilDiv(m, tile) * ceilDiv(n, tile); };
  const int64_t processors = architecture.multiprocessors;
  const int tile = tilesOf(128) >= processors ? 128 : 64;
  const int64_t tiles = std::max<int64_t>(tilesOf(tile), 1);
  const int64_t fitting = kMostBytes / std::max<int64_t>(m * n * 4, 1);
  const int64_t splits = std::min({processors / tiles, k / kLeastDepth, fitting});
  return {tile, std::max<int64_t>(splits, 1)};
}

}  // namespace crossmap::cuda
