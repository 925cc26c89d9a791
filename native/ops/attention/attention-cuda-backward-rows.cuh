#pragma once
// What the backward pass is given, and what it does row by row: the statistics that come before its tiles,
// and after them dq and the gradients of sinks.
#include <bit>

#include "ops/attention/attention-cuda-args.cuh"
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {
namespace {

inline constexpr int kRowThreads = 128;
inline constexpr int kSinkThreads = 256;

// What the weights of a row follow from: lse in base 2, and dOut . out.
struct alignas(8) RowStats {
  float lse, delta;
};

template <typename E>
struct BackwardArgs {
  AttentionArgs<E> common;
  const E *out, *dOut;  // [tokens, heads, headDim]
  const float* lse;     // [tokens, heads]
  RowStats* stats;      // [kvHeads, rows]
  float* dqSums;        // [kvHeads, rows, headDim], without the factor scale
  E* dq;                // [tokens, heads, headDim]
  E *dk, *dv;           // [keyTokens, kvHeads, headDim]
  bool pairedGradients;

  // Blocks of streamed rows, and the tiles of keys that visit them.
  int rowBlocks;
  int streamed;
  const SpanList* visitors;  // [rowBlocks]
  const Span* visitorSpans;
  uint32_t* tickets;  // [1]
  uint32_t* turns;    // [ranges, kvHeads, rowBlocks]: with 2^31, sums would take half a terabyte
};

// One warp for each row. Bound by memory: out and dOut are read once.
template <typename E>
__global__ void __launch_bounds__(kRowThreads) attentionDeltaKernel(BackwardArgs<E> args) {
  const AttentionArgs<E>& a = args.common;
  const int64_t index = int64_t{blockIdx.x} * (kRowThreads / kWarpSize) + warpIndex();
  if (index >= a.rows * a.kvHeads) return;  // the whole warp
  const auto kvHead = static_cast<int>(index / a.rows);
  const int64_t row = index % a.rows;
  const E* out = a.queryRows(args.out, kvHead).at(row);
  const E* dOut = a.queryRows(args.dOut, kvHead).at(row);
  constexpr int kWidth = kPackWidth<E>;
  float delta = 0;
  if (a.headDim % kWidth == 0) {
    for (int d = laneIndex() * kWidth; d < a.headDim; d += kWarpSize * kWidth) {
      const Pack<E, kWidth> x = loadElements<kWidth>(out + d, a.wide);
      const Pack<E, kWidth> y = loadElements<kWidth>(dOut + d, a.wide);
#pragma unroll
      for (int i = 0; i < kWidth; i++) delta = fmaf(widen(x.values[i]), widen(y.values[i]), delta);
    }
  } else {
    for (int d = laneIndex(); d < a.headDim; d += kWarpSize)
      delta = fmaf(widen(out[d]), widen(dOut[d]), delta);
  }
  delta = warpSum(delta);
  if (laneIndex() == 0)
    storePack(&args.stats[index].lse, Pack<float, 2>{{args.lse[a.lseAt(row, kvHead)] * kLog2E, delta}});
}

// dSinks[h] = -sum exp(sink[h] - lse) delta over the queries: one block for each head, each thread every
// 256th query, so that the order of sums is one.
__global__ void __launch_bounds__(kSinkThreads)
    attentionSinkKernel(const RowStats* stats, const float* sinks, float* dSinks, int64_t tokens, int group) {
  float* sScratch = sharedMemory<float>();
  const auto head = static_cast<int>(blockIdx.x);
  const int64_t first = int64_t{head / group} * tokens * group + head % group;
  const float sink = sinks[head] * kLog2E;
  float sum = 0;
  for (int64_t token = threadIdx.x; token < tokens; token += kSinkThreads) {
    const Pack<float, 2> row = loadPack<2>(&stats[first + token * group].lse);
    sum -= exp2Fast(sink - row.values[0]) * row.values[1];
  }
  sum = blockSum(sum, sScratch);
  if (threadIdx.x == 0) dSinks[head] = sum;
}

// dq of a row from its sums, one warp for each. Bound by memory: reads each sum once. Where no tile of keys
// has visited, nothing has been summed.
template <typename E>
__global__ void __launch_bounds__(kRowThreads) attentionQueryGradientKernel(BackwardArgs<E> args) {
  const AttentionArgs<E>& a = args.common;
  const int64_t index = int64_t{blockIdx.x} * (kRowThreads / kWarpSize) + warpIndex();
  if (index >= a.rows * a.kvHeads) return;  // the whole warp
  const int64_t row = index % a.rows;
  E* dq = a.queryRows(args.dq, static_cast<int>(index / a.rows)).at(row);
  const float* sums = args.dqSums + index * a.headDim;
  const bool isVisited = loadWhole(args.visitors + row / args.streamed).blocks > 0;
  for (int d = 2 * laneIndex(); d < a.headDim; d += 2 * kWarpSize) {
    const Pack<float, 2> sum = isVisited ? loadPack<2>(sums + d) : Pack<float, 2>{{0, 0}};
    const Pack<E, 2> pair{
        {round<E>(sum.values[0] * a.logits.scale), round<E>(sum.values[1] * a.logits.scale)}};
    if (args.pairedGradients) {
      storePack(dq + d, pair);
    } else {
      dq[d] = pair.values[0];
      dq[d + 1] = pair.values[1];
    }
  }
}

}  // namespace
}  // namespace crossmap::cuda
