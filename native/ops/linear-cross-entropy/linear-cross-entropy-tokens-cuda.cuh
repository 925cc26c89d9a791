#pragma once
// Which tokens count: an order in which those that do come first, found on the device, and their rows of
// hidden without those between.
#include <cstdint>

#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/fault.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/device/shared.cuh"

namespace crossmap::cuda {
namespace {

// What is known of the tokens as a whole once keepTokensKernel has run.
struct KeptTokens {
  int32_t* order;  // [tokens] those that count by index, then the others
  int64_t* count;  // [] of those that count
  double* scale;   // [] 1 / normalizer; 0 where no weight counts
  int64_t* rows;   // [chunks] tokens that count of each chunk of the order
  float* bounds;   // [chunks] what no gradient of a logit exceeds in magnitude; 0 until statistics are known
};

struct KeepTokensArgs {
  const int32_t* targets;  // [tokens]
  const float* weights;    // [tokens], or null: all 1
  int64_t tokens, vocab, ignoreIndex;
  double normalizer;  // 0: the sum of the weights that count
  int64_t chunks, rowsOfChunk;
  KeptTokens kept;
  FaultSlot* faults;
};

constexpr int kKeepThreads = 1024;
constexpr int kKeepWarps = kKeepThreads / kWarpSize;
// [kKeepWarps] int32 of the scan, then [32] double of blockSum.
constexpr int kKeepSumBytes = kKeepWarps * 4;
constexpr int64_t kKeepSharedBytes = kKeepSumBytes + 32 * int64_t{sizeof(double)};

// One block goes over all tokens, kKeepThreads at a time: bound by the latency of its barriers, which is
// little beside one product. A target out of range lets no token count, so that all results become 0.
__global__ void __launch_bounds__(kKeepThreads) keepTokensKernel(KeepTokensArgs args) {
  auto* sCounts = sharedMemory<int32_t>();
  auto* sSums = sharedMemory<double>(kKeepSumBytes);
  const int thread = static_cast<int>(threadIdx.x);
  const uint32_t lanesBefore = (1u << laneIndex()) - 1;
  int64_t count = 0;
  double weights = 0;
  int faults = 0;
  for (int64_t begin = 0; begin < args.tokens; begin += kKeepThreads) {
    const int64_t t = begin + thread;
    const bool isToken = t < args.tokens;
    const int32_t target = isToken ? args.targets[t] : 0;
    const float weight = isToken && args.weights ? args.weights[t] : 1;
    const bool isTarget = isToken && target != args.ignoreIndex;
    const bool isFault = isTarget && (target < 0 || target >= args.vocab);
    const bool isKept = isTarget && weight != 0;
    if (isFault) reportFault(args.faults, t, target);
    faults += isFault;
    if (isKept) weights += static_cast<double>(weight);

    const uint32_t keptLanes = __ballot_sync(kAllLanes, isKept);
    if (laneIndex() == 0) sCounts[warpIndex()] = __popc(keptLanes);
    __syncthreads();  // all counts are written
    int before = __popc(keptLanes & lanesBefore), total = 0;
#pragma unroll
    for (int warp = 0; warp < kKeepWarps; warp++) {
      if (warp < warpIndex()) before += sCounts[warp];
      total += sCounts[warp];
    }
    __syncthreads();  // all counts are read
    const int64_t keptBefore = count + before;
    if (isKept)
      args.kept.order[keptBefore] = static_cast<int32_t>(t);
    else if (isToken)
      args.kept.order[args.tokens - 1 - (t - keptBefore)] = static_cast<int32_t>(t);
    count += total;
  }
  const bool hasFault = blockSum(static_cast<double>(faults), sSums) > 0;
  const double sum = blockSum(weights, sSums);
  if (hasFault) count = 0;  // the order has every token, so all of them are left out
  for (int64_t chunk = thread; chunk < args.chunks; chunk += kKeepThreads) {
    const int64_t left = count - chunk * args.rowsOfChunk;
    args.kept.rows[chunk] = max(min(left, args.rowsOfChunk), int64_t{0});
    args.kept.bounds[chunk] = 0;
  }
  if (thread != 0) return;
  const double normalizer = args.normalizer > 0 ? args.normalizer : sum;
  *args.kept.count = count;
  *args.kept.scale = normalizer == 0 ? 0 : 1 / normalizer;
}

struct ClearDroppedArgs {
  KeptTokens kept;
  int64_t tokens, features;
  float* logProbabilities;  // [tokens], or null
  float* dHidden;           // [tokens, features], or null
};

constexpr int kRowThreads = 128;

// A block owns some of the tokens that do not count: their results become 0. Bound by writing.
__global__ void __launch_bounds__(kRowThreads) clearDroppedKernel(ClearDroppedArgs args) {
  for (int64_t i = *args.kept.count + blockIdx.x; i < args.tokens; i += gridDim.x) {
    const int64_t t = args.kept.order[i];
    if (args.logProbabilities && threadIdx.x == 0) args.logProbabilities[t] = 0;
    if (!args.dHidden) continue;
    for (int64_t d = threadIdx.x; d < args.features; d += kRowThreads)
      args.dHidden[t * args.features + d] = 0;
  }
}

template <typename E>
struct GatherArgs {
  const E* hidden;         // [tokens, features]
  const int32_t* targets;  // [tokens]
  const int32_t* order;    // [rows] of the chunk
  const int64_t* rows;     // [] that are used
  E* gathered;             // [rows, stride]
  int32_t* rowTargets;     // [rows]
  int64_t features, stride;
  bool isWide;  // rows of hidden and of gathered begin at multiples of 16 bytes
};

// A block owns a row of the chunk. Bound by memory: the row is read and written once.
template <typename E>
__global__ void __launch_bounds__(kRowThreads) gatherKernel(GatherArgs<E> args) {
  constexpr int kWidth = kPackWidth<E>;
  const int64_t row = blockIdx.x;
  if (row >= *args.rows) return;  // the whole block
  const int64_t t = args.order[row];
  const E* from = args.hidden + t * args.features;
  E* to = args.gathered + row * args.stride;
  if (threadIdx.x == 0) args.rowTargets[row] = args.targets[t];
  const int64_t packed = args.isWide ? args.features / kWidth * kWidth : 0;
  for (int64_t d = int64_t{threadIdx.x} * kWidth; d < packed; d += kRowThreads * kWidth)
    storePack(to + d, loadPack<kWidth>(from + d));
  for (int64_t d = packed + threadIdx.x; d < args.features; d += kRowThreads) to[d] = from[d];
}

}  // namespace
}  // namespace crossmap::cuda
