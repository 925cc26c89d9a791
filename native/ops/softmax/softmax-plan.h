#pragma once
// How rows are spread over threads.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "runtime/numbers.h"

namespace crossmap::cuda {

struct SoftmaxPlan {
  int lanes;         // threads of a row: a power of two to 32, or the whole block
  int rowsPerBlock;  // at once
  int threads;       // of a block
  // Whether what is read of a row stays in shared memory: else it is read twice, the second time mostly from
  // the cache.
  bool isKept;
  int bytesPerRow;  // there
  int64_t sharedBytes;
};

constexpr int kSoftmaxThreads = 512;  // of a block, at most
constexpr int kScratchBytes = 128;    // of shared memory, for sums over a block

// `width` elements are read at once; `bytes` is what a row takes of shared memory where it is kept, of which
// a block has at most `mostSharedBytes`.
constexpr SoftmaxPlan softmaxPlan(int64_t features, int width, int64_t bytes, int64_t mostSharedBytes) {
  constexpr int64_t kWarpRow = 1024;         // elements that a warp reads faster than a block needs to meet
  constexpr int64_t kKeptBytes = 48 * 1024;  // more would leave a multiprocessor too few blocks
  const auto packs = static_cast<uint64_t>(std::max<int64_t>(1, ceilDiv(features, width)));
  const bool isWarp = features <= kWarpRow;
  const int lanes =
      isWarp ? static_cast<int>(std::min<uint64_t>(32, std::bit_ceil(packs)))
             : static_cast<int>(std::clamp<uint64_t>(std::bit_ceil(packs / 4), 128, kSoftmaxThreads));
  const int threads = isWarp ? 128 : lanes;
  const int rows = threads / lanes;
  const int64_t kept = roundUp(bytes, 16) * rows;
  if (kept > std::min(kKeptBytes, mostSharedBytes - kScratchBytes))
    return {lanes, rows, threads, false, 0, kScratchBytes};
  return {lanes, rows, threads, true, static_cast<int>(kept / rows), kScratchBytes + kept};
}

}  // namespace crossmap::cuda
