#include <string>

#include "ops/pool/pool-cuda.h"
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/fault.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarpSize;

struct Spans {
  const int32_t *starts, *ends;  // [pairs]
  int64_t tokens;
  Pooling pooling;
};

// One span, read once; one that was refused is empty.
struct Span {
  int32_t start, end;
  int32_t counted;  // the first token whose weight is not 0
  Pooling pooling;
  bool isValid;

  __device__ bool counts(int64_t token) const { return token >= counted && token < end; }

  // In float64, as its definition: a span's weights sum to 1 whatever its length.
  __device__ float weight(int64_t token) const {
    const double length = double(end) - start;
    if (pooling == Pooling::mean) return static_cast<float>(1 / length);
    if (pooling == Pooling::last) return 1;
    return static_cast<float>(static_cast<double>(token - start + 1) * 2 / (length * (length + 1)));
  }
};

__device__ inline Span spanBetween(int32_t start, int32_t end, Pooling pooling) {
  return {start, end, pooling == Pooling::last ? max(start, end - 1) : start, pooling, true};
}

__device__ inline Span spanOf(const Spans& spans, int64_t pair) {
  const int32_t start = spans.starts[pair], end = spans.ends[pair];
  if (start < 0 || start > end || end > spans.tokens) return {0, 0, 0, spans.pooling, false};
  return spanBetween(start, end, spans.pooling);
}

constexpr int kScratchBytes = kWarpSize * sizeof(double);  // of sums over a block

// Features of a thread: its float32 sums are one access, and those of a warp lie together. With more, tokens
// of 16 bits would be read in fewer accesses, but each store of sums would fill half of a sector.
constexpr int kWidth = kPackWidth<float>;

template <typename E>
struct ForwardArgs {
  const E* hidden;  // [tokens, features]
  Spans spans;
  float* pooled;   // [pairs, features]
  float* inverse;  // [pairs], or null: not normalised
  int64_t features;
  bool isAligned;
  bool isKept;
  FaultSlot* fault;
};

// A block owns a pair; a thread owns packs of features and adds up the span's tokens in order. Bound by
// reading the tokens of the spans. Shared memory: [32] double, of the sum of squares; [features] float, the
// sums until they are normalised, where they fit (`isKept`): each thread reads there what it wrote itself.
// The blocks of a multiprocessor are given, since ptxas else spills to have more.
template <typename E, int width>
__global__ void __launch_bounds__(kThreads, 3) poolKernel(ForwardArgs<E> args) {
  const int64_t pair = blockIdx.x;
  const Span span = spanOf(args.spans, pair);
  if (threadIdx.x == 0 && !span.isValid)
    reportFault(args.fault, pair, args.spans.starts[pair], args.spans.ends[pair]);
  float* gPooled = args.pooled + pair * args.features;
  float* sums = args.isKept && args.inverse ? sharedMemory<float>(kScratchBytes) : gPooled;
  double squares = 0;
  for (int64_t d = int64_t{threadIdx.x} * width; d < args.features; d += kThreads * width) {
    Pack<float, width> rSum{};
#pragma unroll 4
    for (int32_t token = span.counted; token < span.end; token++) {
      const float weight = span.weight(token);
      const auto rHidden = loadElements<width>(args.hidden + token * args.features + d, args.isAligned);
#pragma unroll
      for (int i = 0; i < width; i++) rSum.values[i] = fmaf(weight, widen(rHidden.values[i]), rSum.values[i]);
    }
    storePack(sums + d, rSum);
#pragma unroll
    for (int i = 0; i < width; i++) squares += double{rSum.values[i]} * rSum.values[i];
  }
  if (!args.inverse) return;  // all threads of the block
  // Squares are float64, so that they neither overflow nor vanish.
  squares = blockSum(squares, sharedMemory<double>());
  const float inverse = squares == 0 ? 0.f : static_cast<float>(1 / sqrt(squares));
  if (threadIdx.x == 0) args.inverse[pair] = inverse;
  for (int64_t d = int64_t{threadIdx.x} * width; d < args.features; d += kThreads * width) {
    auto rPooled = loadPack<width>(sums + d);
#pragma unroll
    for (int i = 0; i < width; i++) rPooled.values[i] *= inverse;
    storePack(gPooled + d, rPooled);
  }
}

struct NormalizeArgs {
  const float *dPooled, *pooled;  // [pairs, features]
  const float* inverse;           // [pairs]
  float* dp;                      // [pairs, features]
  int64_t features;
};

// dp = (dPooled - (dPooled . pooled) pooled) / |p|. A block owns a pair. Bound by memory. Shared memory: [32]
// double, of the product.
__global__ void __launch_bounds__(kThreads) normalizeBackwardKernel(NormalizeArgs args) {
  const int64_t row = blockIdx.x * args.features;
  double dot = 0;
  for (int64_t d = threadIdx.x; d < args.features; d += kThreads)
    dot += double{args.dPooled[row + d]} * args.pooled[row + d];
  const auto along = static_cast<float>(blockSum(dot, sharedMemory<double>()));
  const float inverse = args.inverse[blockIdx.x];
  for (int64_t d = threadIdx.x; d < args.features; d += kThreads)
    args.dp[row + d] = (args.dPooled[row + d] - along * args.pooled[row + d]) * inverse;
}

// Of a block in the backward pass: tokens, one for each lane, and features of a thread. A row of a long span
// is read once for all of the block's tokens, which is 6 % of what a 16-bit dHidden takes; more of either
// would not fit into registers.
constexpr int kTokens = kWarpSize;
constexpr int kTokensWidth = 2;

template <typename E>
struct BackwardArgs {
  const float* dp;  // [pairs, features]
  Spans spans;
  E* dHidden;  // [tokens, features]
  int64_t pairs, features;
};

// Spans that count some of the block's tokens, in order: those of up to kThreads pairs at a time.
struct Touching {
  float weights[kThreads][kTokens];
  uint32_t counted[kThreads];  // a bit for each token
  int32_t pairs[kThreads], starts[kThreads], ends[kThreads];
  int32_t ofWarp[kWarps];
};

// The pairs from `from` on that touch tokens `begin` to `end`, into sTouching; returns how many.
__device__ inline int collectTouching(const Spans& spans, int64_t pairs, int64_t from, int64_t begin,
                                      int64_t end, Touching& sTouching) {
  const int64_t pair = from + threadIdx.x;
  const Span span = pair < pairs ? spanOf(spans, pair) : Span{};
  const bool isTouching = span.counted < end && span.end > begin;
  const uint32_t lanes = __ballot_sync(kAllLanes, isTouching);
  if (laneIndex() == 0) sTouching.ofWarp[warpIndex()] = __popc(lanes);
  __syncthreads();  // all warps have counted, and all threads are done with the pairs of before
  int at = 0, total = 0;
  for (int warp = 0; warp < kWarps; warp++) {
    if (warp < warpIndex()) at += sTouching.ofWarp[warp];
    total += sTouching.ofWarp[warp];
  }
  if (isTouching) {
    at += __popc(lanes & ((1u << laneIndex()) - 1));
    sTouching.pairs[at] = static_cast<int32_t>(pair);
    sTouching.starts[at] = span.start;
    sTouching.ends[at] = span.end;
  }
  __syncthreads();  // all spans are written, and all counts read
  for (int each = warpIndex(); each < total; each += kWarps) {
    const Span touching = spanBetween(sTouching.starts[each], sTouching.ends[each], spans.pooling);
    const int64_t token = begin + laneIndex();
    const uint32_t counted = __ballot_sync(kAllLanes, touching.counts(token));
    sTouching.weights[each][laneIndex()] = touching.weight(token);
    if (laneIndex() == 0) sTouching.counted[each] = counted;
  }
  __syncthreads();  // all weights and bits are written
  return total;
}

// A block owns kTokens tokens that follow each other, and looks up the spans that touch these. A warp owns
// all of them over a slab of features: it reads the row of a span once for all. Bound by memory: dHidden is
// written once. Shared memory: Touching.
template <typename E, int width>
__global__ void __launch_bounds__(kThreads, 2) poolBackwardKernel(BackwardArgs<E> args) {
  auto& sTouching = *sharedMemory<Touching>();
  const int64_t begin = int64_t{blockIdx.x} * kTokens;
  const int64_t end = min(begin + kTokens, args.spans.tokens);
  const auto tokens = static_cast<int>(end - begin);
  int count = 0;
  for (int64_t slab = 0; slab < args.features; slab += kThreads * width) {
    const int64_t d = slab + int64_t{threadIdx.x} * width;
    const bool isIn = d < args.features;
    float rSums[kTokens][width] = {};
    for (int64_t from = 0; from < args.pairs; from += kThreads) {
      // All pairs at once are looked at for the first slab only.
      if (slab == 0 || args.pairs > kThreads)
        count = collectTouching(args.spans, args.pairs, from, begin, end, sTouching);
      for (int each = 0; each < count && isIn; each++) {
        const int64_t pair = sTouching.pairs[each];
        const uint32_t counted = sTouching.counted[each];
        const auto rDp = loadPack<width>(args.dp + pair * args.features + d);
#pragma unroll
        for (int t = 0; t < kTokens; t++) {
          if (!(counted >> t & 1)) continue;
          const float weight = sTouching.weights[each][t];
#pragma unroll
          for (int i = 0; i < width; i++) rSums[t][i] = fmaf(weight, rDp.values[i], rSums[t][i]);
        }
      }
    }
    if (!isIn) continue;
    E* dHidden = args.dHidden + begin * args.features + d;
#pragma unroll
    for (int t = 0; t < kTokens; t++, dHidden += args.features) {
      if (t >= tokens) break;
      Pack<E, width> rDHidden;
#pragma unroll
      for (int i = 0; i < width; i++) rDHidden.values[i] = round<E>(rSums[t][i]);
      storePack(dHidden, rDHidden);
    }
  }
}

}  // namespace

void pool(Stream& stream, const Tensor& hidden, const Tensor& starts, const Tensor& ends, Pooling pooling,
          const PoolForward& out) {
  const int64_t pairs = starts.size(0), tokens = hidden.size(0), features = hidden.size(1);
  if (pairs == 0) return;
  FaultSlot* fault =
      stream.faultSlot("pool", ErrorCode::index, [=](int64_t pair, int32_t start, int32_t end) {
        return "span " + std::to_string(pair) + " must have 0 <= start <= end <= " + std::to_string(tokens) +
               ", the number of tokens; got " + std::to_string(start) + " to " + std::to_string(end);
      });
  const int64_t sumBytes = features * int64_t{sizeof(float)};
  const bool isKept = kScratchBytes + sumBytes <= stream.architecture().sharedBytes;
  onFloatDType(hidden.dtype(), [&]<typename E>(E) {
    const ForwardArgs<E> args{hidden.data<E>(),
                              {starts.data<int32_t>(), ends.data<int32_t>(), tokens, pooling},
                              out.pooled.data<float>(),
                              out.inverseNorms.elements() > 0 ? out.inverseNorms.data<float>() : nullptr,
                              features,
                              areAlignedFor(kWidth, hidden.data<E>()),
                              isKept,
                              fault};
    const Launch shape{"pool", {pairs}, kThreads, kScratchBytes + (isKept ? sumBytes : 0)};
    if (features % kWidth == 0)
      launch(stream, shape, poolKernel<E, kWidth>, args);
    else
      launch(stream, shape, poolKernel<E, 1>, args);
  });
}

void poolBackward(Stream& stream, const Tensor& dPooled, const Tensor& pooled, const Tensor& inverseNorms,
                  const Tensor& starts, const Tensor& ends, Pooling pooling, const Tensor& dHidden) {
  const int64_t pairs = pooled.size(0), features = pooled.size(1), tokens = dHidden.size(0);
  const bool normalize = inverseNorms.elements() > 0;
  const Tensor scratch = empty({normalize ? pairs : 0, features}, DType::float32, pooled.device());
  const Tensor& dp = normalize ? scratch : dPooled;
  if (normalize)
    launch(stream, {"poolBackward", {pairs}, kThreads, kScratchBytes}, normalizeBackwardKernel,
           NormalizeArgs{dPooled.data<float>(), pooled.data<float>(), inverseNorms.data<float>(),
                         scratch.data<float>(), features});
  onFloatDType(dHidden.dtype(), [&]<typename E>(E) {
    const BackwardArgs<E> args{dp.data<float>(),
                               {starts.data<int32_t>(), ends.data<int32_t>(), tokens, pooling},
                               dHidden.data<E>(),
                               pairs,
                               features};
    const Launch shape{"poolBackward", {ceilDiv(tokens, int64_t{kTokens})}, kThreads, sizeof(Touching)};
    if (features % kTokensWidth == 0 && areAlignedFor(kTokensWidth, args.dp, args.dHidden))
      launch(stream, shape, poolBackwardKernel<E, kTokensWidth>, args);
    else
      launch(stream, shape, poolBackwardKernel<E, 1>, args);
  });
}

}  // namespace crossmap::cuda
