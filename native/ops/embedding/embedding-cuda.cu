#include <string>

#include "ops/embedding/embedding-cuda.h"
#include "ops/embedding/sort-tokens-cuda.cuh"
#include "runtime/cuda/device/fault.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

template <typename E, int packWidth>
struct Gather {
  static constexpr int kWidth = packWidth;
  static constexpr bool kLoads = true;
  const E* table;         // [vocab, features]
  const int32_t* tokens;  // [count / features]
  E* y;                   // [count / features, features]
  int64_t vocab, features;
  FaultSlot* fault;
  int64_t count;
  bool isWide;

  template <int width>
  __device__ Pack<E, width> load(int64_t at) const {
    const int64_t t = at / features, d = at % features;
    const int32_t v = tokens[t];
    if (v >= 0 && v < vocab) return loadPack<width>(table + v * features + d);
    if (d == 0) reportFault(fault, t, v);
    return Pack<E, width>{};
  }

  template <int width>
  __device__ void store(int64_t at, const Pack<E, width>& r) const {
    storePack(y + at, r);
  }
};

constexpr int kSumThreads = 256;
constexpr int kSumWarps = kSumThreads / kWarpSize;
constexpr int kSumWidth = 4;                         // features of a lane
constexpr int kSumFeatures = kSumWidth * kWarpSize;  // of a block
constexpr int kSumBytes = kSumWarps * kSumFeatures * sizeof(float);
constexpr int kLongRun = 32;

template <typename E>
struct SumArgs {
  const E* dy;               // [tokens, features]
  const int32_t* positions;  // [tokens], by id
  const int32_t* starts;     // [vocab + 1]
  float* dTable;             // [vocab, features]
  int64_t vocab, features;
  bool isAligned;
};

// Adds every `step`-th of the rows of an id, from the first-th on, over a lane's features. Called by whole
// warps: the positions of 32 rows are read at once and handed from lane to lane.
template <typename E, int width>
__device__ inline Pack<float, width> sumRows(const SumArgs<E>& args, int32_t begin, int32_t end, int step,
                                             int64_t d) {
  Pack<float, width> rSum{};
  for (int32_t first = begin; first < end; first += step * kWarpSize) {
    const int64_t own = first + int64_t{step} * laneIndex();
    const int32_t position = own < end ? args.positions[own] : 0;
    const int count = min(kWarpSize, (end - first + step - 1) / step);
#pragma unroll 4
    for (int i = 0; i < count; i++) {
      const int64_t row = __shfl_sync(kAllLanes, position, i);
      if (d >= args.features) continue;
      const auto rDy = loadElements<width>(args.dy + row * args.features + d, args.isAligned);
#pragma unroll
      for (int e = 0; e < width; e++) rSum.values[e] += widen(rDy.values[e]);
    }
  }
  return rSum;
}

// A warp owns a row of dTable, a block kSumWarps rows and, in the grid's second axis, some of the features. A
// row of more than kLongRun tokens is shared by all warps of the block: each adds up every kSumWarps-th
// token, and the first one adds up their sums. Bound by memory: dy is read once, dTable written once. Shared
// memory: [kSumWarps, kSumFeatures] float; [kSumWarps + 1] int, where the block's rows begin. The blocks of a
// multiprocessor are given, since ptxas else spills to have eight.
template <typename E, int width>
__global__ void __launch_bounds__(kSumThreads, 4) sumKernel(SumArgs<E> args) {
  auto* sSums = sharedMemory<float>();
  auto* sStarts = sharedMemory<int32_t>(kSumBytes);
  const int64_t first = int64_t{blockIdx.x} * kSumWarps;
  const int rows = static_cast<int>(min(args.vocab - first, int64_t{kSumWarps}));
  const int lane = laneIndex() * width;
  if (static_cast<int>(threadIdx.x) <= rows) sStarts[threadIdx.x] = args.starts[first + threadIdx.x];
  __syncthreads();  // the starts are there
  for (int64_t slab = int64_t{blockIdx.y} * kWarpSize * width; slab < args.features;
       slab += int64_t{gridDim.y} * kWarpSize * width) {
    const int64_t d = slab + lane;
    const auto put = [&](int64_t v, const Pack<float, width>& rSum) {
      if (d < args.features) storePack(args.dTable + v * args.features + d, rSum);
    };
    for (int row = 0; row < rows; row++) {  // the same for all threads of the block
      const int64_t v = first + row;
      const int32_t begin = sStarts[row], end = sStarts[row + 1];
      if (end - begin <= kLongRun) {
        if (row == warpIndex()) put(v, sumRows<E, width>(args, begin, end, 1, d));
        continue;
      }
      storePack(sSums + warpIndex() * kSumFeatures + lane,
                sumRows<E, width>(args, begin + warpIndex(), end, kSumWarps, d));
      __syncthreads();  // all warps have written their sums
      if (warpIndex() == 0) {
        Pack<float, width> rSum{};
        for (int warp = 0; warp < kSumWarps; warp++) {
          const auto rPart = loadPack<width>(sSums + warp * kSumFeatures + lane);
#pragma unroll
          for (int i = 0; i < width; i++) rSum.values[i] += rPart.values[i];
        }
        put(v, rSum);
      }
      __syncthreads();  // the first warp has read them
    }
  }
}

}  // namespace

void embedding(Stream& stream, const Tensor& table, const Tensor& tokens, const Tensor& y) {
  if (y.elements() == 0) return;
  const int64_t vocab = table.size(0);
  FaultSlot* fault = stream.faultSlot("embedding", ErrorCode::index, [=](int64_t position, int32_t id) {
    return "token id " + std::to_string(id) + " at position " + std::to_string(position) + " must be " +
           (id < 0 ? std::string("0 or more") : "below " + std::to_string(vocab));
  });
  onFloatDType(table.dtype(), [&]<typename E>(E) {
    const auto gather = [&]<int width>() {
      const Gather<E, width> body{table.data<E>(), tokens.data<int32_t>(), y.data<E>(), vocab, table.size(1),
                                  fault,           y.elements(),           true};
      launchElements(stream, "embedding", body);
    };
    constexpr int kWidth = kPackWidth<E>;
    if (table.size(1) % kWidth == 0 && areAlignedFor(kWidth, table.data<E>(), y.data<E>()))
      gather.template operator()<kWidth>();
    else
      gather.template operator()<1>();
  });
}

void embeddingBackward(Stream& stream, const Tensor& dy, const Tensor& tokens, const Tensor& dTable) {
  if (dTable.elements() == 0) return;
  const SortedTokens sorted = sortTokens(stream, "embeddingBackward", tokens, dTable.size(0));
  onFloatDType(dy.dtype(), [&]<typename E>(E) {
    SumArgs<E> args{dy.data<E>(),
                    sorted.positions.data<int32_t>(),
                    sorted.starts.data<int32_t>(),
                    dTable.data<float>(),
                    dTable.size(0),
                    dTable.size(1),
                    areAlignedFor(kSumWidth, dy.data<E>())};
    constexpr int64_t kMostSlabs = 16;
    const int64_t slabs = std::min(ceilDiv(args.features, int64_t{kSumFeatures}), kMostSlabs);
    const Launch shape{"embeddingBackward",
                       {ceilDiv(args.vocab, int64_t{kSumWarps}), slabs},
                       kSumThreads,
                       kSumBytes + (kSumWarps + 1) * sizeof(int32_t)};
    if (args.features % kSumWidth == 0)
      launch(stream, shape, sumKernel<E, kSumWidth>, args);
    else
      launch(stream, shape, sumKernel<E, 1>, args);
  });
}

}  // namespace crossmap::cuda
