#pragma once
// A stable sort of token ids on the device: the positions of each id, in their order, follow each other. A
// radix sort by 8 bits at a time, from the lowest. What it counts with atomics are whole numbers, whose sums
// do not depend on the order, and only within a warp.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/launch.h"
#include "runtime/numbers.h"
#include "runtime/tensor.h"

namespace crossmap::cuda {

namespace {

constexpr int kDigits = 256;
constexpr int kSortThreads = 256;
constexpr int kSortWarps = kSortThreads / kWarpSize;
constexpr int kRounds = 4;                         // keys of a thread
constexpr int kWarpKeys = kRounds * kWarpSize;     // a warp has neighbouring keys
constexpr int kSortKeys = kSortWarps * kWarpKeys;  // of a block
constexpr int kSortBytes = kSortWarps * kDigits * sizeof(int32_t);

// Ids and the positions at which they stood. `positions` of the first pass is null: they stand in order.
struct SortPass {
  const int32_t *keys, *positions;  // [count]
  int32_t *keysOut, *positionsOut;  // [count]
  int32_t* counts;                  // [kDigits, blocks], and after the scan where each block's keys begin
  int32_t vocab;                    // keys outside of 0 to vocab - 1 count as vocab
  int64_t count, blocks;
  int shift;
};

__device__ inline int32_t keyOf(const SortPass& pass, int64_t at) {
  const int32_t key = pass.keys[at];
  return key >= 0 && key < pass.vocab ? key : pass.vocab;
}

// Lanes of the warp that have the same digit, of those that have a key.
__device__ inline uint32_t lanesWithDigit(int digit, bool isIn) {
  uint32_t lanes = __ballot_sync(kAllLanes, isIn);
#pragma unroll
  for (int bit = 0; bit < 8; bit++) {
    const uint32_t set = __ballot_sync(kAllLanes, digit >> bit & 1);
    lanes &= digit >> bit & 1 ? set : ~set;
  }
  return lanes;
}

// Calls f(at, key, digit, lanes of that digit, whether the lane is the first of them) in the order of the
// keys.
template <typename F>
__device__ inline void forKeys(const SortPass& pass, F&& f) {
  const int64_t begin = int64_t{blockIdx.x} * kSortKeys + warpIndex() * kWarpKeys;
  for (int round = 0; round < kRounds; round++) {
    const int64_t at = begin + round * kWarpSize + laneIndex();
    const bool isIn = at < pass.count;
    const int32_t key = isIn ? keyOf(pass, at) : 0;
    const int digit = key >> pass.shift & (kDigits - 1);
    const uint32_t lanes = lanesWithDigit(digit, isIn);
    f(at, key, digit, lanes, isIn, isIn && __ffs(static_cast<int>(lanes)) - 1 == laneIndex());
    __syncwarp();  // the counts of this round are written before the next one reads them
  }
}

// How often each warp has each digit. Shared memory: [kSortWarps, kDigits] int.
__device__ inline void countDigits(const SortPass& pass, int32_t* sCounts) {
  for (int i = static_cast<int>(threadIdx.x); i < kSortWarps * kDigits; i += kSortThreads) sCounts[i] = 0;
  __syncthreads();  // all counts are 0
  int32_t* sOwn = sCounts + warpIndex() * kDigits;
  forKeys(pass, [&](int64_t, int32_t, int digit, uint32_t lanes, bool, bool isFirst) {
    if (isFirst) sOwn[digit] += __popc(lanes);
  });
  __syncthreads();  // all warps have counted
}

// A block owns the counts of its keys. Bound by memory: keys are read once.
__global__ void __launch_bounds__(kSortThreads) countKernel(SortPass pass) {
  auto* sCounts = sharedMemory<int32_t>();
  countDigits(pass, sCounts);
  const int digit = static_cast<int>(threadIdx.x);
  int32_t sum = 0;
  for (int warp = 0; warp < kSortWarps; warp++) sum += sCounts[warp * kDigits + digit];
  pass.counts[digit * pass.blocks + blockIdx.x] = sum;
}

// One block: counts become sums of all counts before them. Shared memory: [32] int.
__global__ void __launch_bounds__(1024) scanKernel(SortPass pass) {
  auto* sSums = sharedMemory<int32_t>();
  const int64_t count = kDigits * pass.blocks;
  int32_t before = 0;
  for (int64_t begin = 0; begin < count; begin += blockDim.x) {
    const int64_t at = begin + threadIdx.x;
    const int32_t own = at < count ? pass.counts[at] : 0;
    int32_t sum = own;
    for (int distance = 1; distance < kWarpSize; distance *= 2) {
      const int32_t other = __shfl_up_sync(kAllLanes, sum, distance);
      if (laneIndex() >= distance) sum += other;
    }
    if (laneIndex() == kWarpSize - 1) sSums[warpIndex()] = sum;
    __syncthreads();  // the sums of all warps are written
    int32_t total = 0, ofWarpsBefore = 0;
    for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarpSize; warp++) {
      if (warp < warpIndex()) ofWarpsBefore += sSums[warp];
      total += sSums[warp];
    }
    __syncthreads();  // all have read them
    if (at < count) pass.counts[at] = before + ofWarpsBefore + sum - own;
    before += total;
  }
}

// A block puts its keys where they belong: those of a digit in their order. Shared memory: [kSortWarps,
// kDigits] int, where the next key of each warp and digit goes.
__global__ void __launch_bounds__(kSortThreads) placeKernel(SortPass pass) {
  auto* sNext = sharedMemory<int32_t>();
  countDigits(pass, sNext);
  const int digit = static_cast<int>(threadIdx.x);
  int32_t next = pass.counts[digit * pass.blocks + blockIdx.x];
  for (int warp = 0; warp < kSortWarps; warp++) {
    const int32_t own = sNext[warp * kDigits + digit];
    sNext[warp * kDigits + digit] = next;
    next += own;
  }
  __syncthreads();  // all places are known
  int32_t* sOwn = sNext + warpIndex() * kDigits;
  forKeys(pass, [&](int64_t at, int32_t key, int digit, uint32_t lanes, bool isIn, bool isFirst) {
    const int rank = __popc(lanes & ((1u << laneIndex()) - 1));
    const int32_t place = isIn ? sOwn[digit] + rank : 0;
    if (isIn) {
      pass.keysOut[place] = key;
      pass.positionsOut[place] = pass.positions ? pass.positions[at] : static_cast<int32_t>(at);
    }
    __syncwarp();  // all lanes have read their place
    if (isFirst) sOwn[digit] += __popc(lanes);
  });
}

struct StartsArgs {
  const int32_t* keys;  // [count], sorted
  int32_t* starts;      // [vocab + 1]
  int64_t count;
  int32_t vocab;
};

// A thread owns the starts of the ids above the key before its own, up to its own; the one past the last key
// owns the rest.
__global__ void __launch_bounds__(kSortThreads) startsKernel(StartsArgs args) {
  const int64_t step = int64_t{gridDim.x} * kSortThreads;
  for (int64_t at = int64_t{blockIdx.x} * kSortThreads + threadIdx.x; at <= args.count; at += step) {
    const int32_t from = at == 0 ? 0 : args.keys[at - 1] + 1;
    const int32_t to = at == args.count ? args.vocab : args.keys[at];
    for (int32_t id = from; id <= to; id++) args.starts[id] = static_cast<int32_t>(at);
  }
}

}  // namespace

// Token positions by id, those of one id in their order.
struct SortedTokens {
  Tensor positions;  // [tokens] int32
  Tensor starts;     // [vocab + 1] int32: where the positions of each id begin; ids outside come last
};

inline SortedTokens sortTokens(Stream& stream, const char* op, const Tensor& tokens, int64_t vocab) {
  const int64_t count = tokens.size(0);
  const auto scratch = [&](int64_t size) { return empty({size}, DType::int32, tokens.device()); };
  const Tensor keys[2] = {scratch(count), scratch(count)}, positions[2] = {scratch(count), scratch(count)};
  const int64_t blocks = ceilDiv(count, int64_t{kSortKeys});
  const Tensor counts = scratch(kDigits * blocks);
  const int passes = std::max(1, static_cast<int>(ceilDiv(std::bit_width(static_cast<uint64_t>(vocab)), 8)));
  SortPass pass{tokens.data<int32_t>(),      nullptr, nullptr, nullptr, counts.data<int32_t>(),
                static_cast<int32_t>(vocab), count,   blocks,  0};
  for (int i = 0; i < passes; i++) {
    pass.keysOut = keys[i % 2].data<int32_t>();
    pass.positionsOut = positions[i % 2].data<int32_t>();
    pass.shift = 8 * i;
    launch(stream, {op, {blocks}, kSortThreads, kSortBytes}, countKernel, pass);
    if (blocks > 0) launch(stream, {op, {1}, 1024, kWarpSize * sizeof(int32_t)}, scanKernel, pass);
    launch(stream, {op, {blocks}, kSortThreads, kSortBytes}, placeKernel, pass);
    pass.keys = pass.keysOut;
    pass.positions = pass.positionsOut;
  }
  SortedTokens sorted{positions[(passes - 1) % 2], scratch(vocab + 1)};
  const int64_t startBlocks = std::min<int64_t>(ceilDiv(count + 1, int64_t{kSortThreads}),
                                                int64_t{8} * stream.architecture().multiprocessors);
  launch(stream, {op, {startBlocks}, kSortThreads}, startsKernel,
         StartsArgs{pass.keys, sorted.starts.data<int32_t>(), count, static_cast<int32_t>(vocab)});
  return sorted;
}

}  // namespace crossmap::cuda
