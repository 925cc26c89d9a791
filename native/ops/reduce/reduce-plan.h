#pragma once
// How the rows of a reduction are spread over threads. It depends on the shape alone, and so does the order
// in which a row is taken together.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "runtime/numbers.h"

namespace crossmap::cuda {

struct ReducePlan {
  int lanes;            // threads of a row, or of a part of it: a power of two to 32, or the whole block
  int rowsPerBlock;     // at once
  int64_t splits;       // parts of a row; a second kernel takes them together if there are several
  int64_t splitLength;  // elements of a part, a multiple of all packs
};

constexpr int kReduceThreads = 256;

// `width` elements are read at once.
constexpr ReducePlan reducePlan(int64_t rows, int64_t features, int width) {
  constexpr int64_t kWarpRow = 2048;      // elements that a warp reads faster than a block needs to meet
  constexpr int64_t kSplit = 8192;        // fewer are not worth a block of their own
  constexpr int64_t kWantedParts = 1024;  // give each multiprocessor several blocks
  if (features <= kWarpRow) {
    const auto packs = static_cast<uint64_t>(std::max<int64_t>(1, ceilDiv(features, width)));
    const int lanes = static_cast<int>(std::min<uint64_t>(32, std::bit_ceil(packs)));
    return {lanes, kReduceThreads / lanes, 1, kWarpRow};
  }
  const int64_t wanted =
      std::min(ceilDiv(features, kSplit), ceilDiv(kWantedParts, std::max<int64_t>(1, rows)));
  const int64_t length = roundUp(ceilDiv(features, wanted), 16);
  return {kReduceThreads, 1, ceilDiv(features, length), length};
}

}  // namespace crossmap::cuda
