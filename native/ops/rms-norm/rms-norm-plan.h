#pragma once
// How blocks of threads share tokens. Pure functions.
#include <algorithm>
#include <cstdint>

#include "runtime/cuda/stream.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

struct RmsNormPlan {
  int threads;
  int teams;            // of a block; a team owns a token at a time: a warp, or all threads
  int64_t blocks;       // each takes tokens in strides
  bool isKept;          // rows, weights and sums of dWeight fit into shared memory
  int64_t sharedBytes;  // of a block
};

// A warp is enough for a row of up to 1024 features, 32 to a lane; longer ones get a block each. What is read
// twice or by every row lies in shared memory: `bytesOfTeam` for each team and `bytesOfBlock`. A block takes
// at least kLeastTokens tokens of each team, so that reading the weights and writing its part of dWeight are
// small beside the rows.
inline RmsNormPlan rmsNormPlan(const Architecture& architecture, int64_t tokens, int64_t features,
                               int64_t bytesOfTeam, int64_t bytesOfBlock) {
  constexpr int64_t kWarpFeatures = 1024;
  constexpr int64_t kLeastTokens = 8;
  constexpr int kWarp = 32;
  const bool isWarp = features <= kWarpFeatures;
  const int threads = isWarp ? 4 * kWarp : 8 * kWarp;
  const int teams = isWarp ? threads / kWarp : 1;
  const int64_t bytes = teams * bytesOfTeam + bytesOfBlock;
  const bool isKept = bytes <= architecture.sharedBytes;
  const int64_t blocks =
      std::clamp<int64_t>(ceilDiv(tokens, teams * kLeastTokens), 1, 2 * architecture.multiprocessors);
  return {threads, teams, tokens > 0 ? blocks : 0, isKept, isKept ? bytes : bytesOfBlock};
}

}  // namespace crossmap::cuda
