#include <bit>
#include <limits>

#include "ops/reduce/reduce-cuda.h"
#include "ops/reduce/reduce-plan.h"
#include "ops/reduce/rows.h"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/device/warp.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

// The two kinds of reduction: what a part of a row comes to, and what becomes of a whole row.

// Packs are summed in float32 and these sums in double, so that none is long in float32.
template <typename E>
struct Sum {
  using Partial = double;
  float* y;  // [rows]
  double divisor;

  __device__ static Partial none() { return 0; }
  template <int width>
  __device__ static void take(Partial& partial, const Pack<E, width>& rX, int64_t) {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < width; i++) sum += widen(rX.values[i]);
    partial += sum;
  }
  __device__ static Partial merge(Partial a, Partial b) { return a + b; }
  __device__ static Partial shuffle(Partial a, int distance) {
    return __shfl_xor_sync(kAllLanes, a, distance);
  }
  __device__ void store(int64_t row, Partial whole) const { y[row] = static_cast<float>(whole / divisor); }
};

// Numbers as integers of the same order; -0 is 0, and a NaN is greater than all.
__device__ inline uint32_t orderOf(float x) {
  if (x != x) return 0xffffffffu;
  const uint32_t bits = std::bit_cast<uint32_t>(x + 0.f);
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

__device__ inline float fromOrder(uint32_t order) {
  if (order == 0xffffffffu) return std::numeric_limits<float>::quiet_NaN();
  return std::bit_cast<float>(order & 0x80000000u ? order & 0x7fffffffu : ~order);
}

struct Greatest {
  int64_t index;   // the first place of the greatest
  uint32_t order;  // 0 is below all numbers
};

template <typename E>
struct Max {
  using Partial = Greatest;
  E* y;              // [rows]
  int64_t* indices;  // [rows]

  __device__ static Partial none() { return {std::numeric_limits<int64_t>::max(), 0}; }
  template <int width>
  __device__ static void take(Partial& partial, const Pack<E, width>& rX, int64_t at) {
    // A thread meets its elements in order, so that the first of equals stays.
#pragma unroll
    for (int i = 0; i < width; i++) {
      const uint32_t order = orderOf(widen(rX.values[i]));
      if (order > partial.order) partial = {at + i, order};
    }
  }
  __device__ static Partial merge(const Partial& a, const Partial& b) {
    const bool isB = b.order > a.order || (b.order == a.order && b.index < a.index);
    return isB ? b : a;
  }
  __device__ static Partial shuffle(const Partial& a, int distance) {
    return {__shfl_xor_sync(kAllLanes, a.index, distance), __shfl_xor_sync(kAllLanes, a.order, distance)};
  }
  __device__ void store(int64_t row, const Partial& whole) const {
    y[row] = round<E>(fromOrder(whole.order));
    indices[row] = whole.index;
  }
};

// What `lanes` threads side by side have, taken together in each of them, always in the same order. They are
// part of a warp, or the block; then sPartials [warps] is shared memory.
template <typename Kind>
__device__ inline typename Kind::Partial together(typename Kind::Partial partial, int lanes,
                                                  typename Kind::Partial* sPartials) {
  for (int distance = (lanes < kWarpSize ? lanes : kWarpSize) / 2; distance > 0; distance /= 2)
    partial = Kind::merge(partial, Kind::shuffle(partial, distance));
  if (lanes <= kWarpSize) return partial;
  if (laneIndex() == 0) sPartials[warpIndex()] = partial;
  __syncthreads();  // all warps have written
  partial = sPartials[0];
  for (int warp = 1; warp < kReduceThreads / kWarpSize; warp++)
    partial = Kind::merge(partial, sPartials[warp]);
  return partial;
}

template <typename E, typename Kind>
struct Args {
  Kind kind;
  const E* x;                       // [rows, features]
  typename Kind::Partial* partial;  // [rows, plan.splits]; null where there is one part
  int64_t rows, features;
  ReducePlan plan;
  bool isAligned;  // whether packs are single accesses
};

constexpr int kReadsInFlight = 4;

// plan.lanes threads own a part of a row. Bound by memory: x is read once.
// Shared memory: [warps] Partial, of `together`.
template <typename E, typename Kind, int width>
__global__ void __launch_bounds__(kReduceThreads) reduceKernel(Args<E, Kind> args) {
  const ReducePlan& plan = args.plan;
  const auto splits = static_cast<unsigned>(plan.splits);
  const int64_t split = blockIdx.x % splits;
  const int lane = static_cast<int>(threadIdx.x) % plan.lanes;
  const int64_t row = int64_t{blockIdx.x / splits} * plan.rowsPerBlock + threadIdx.x / plan.lanes;
  const bool isRow = row < args.rows;  // the others have nothing, but meet in `together`
  const int64_t begin = split * plan.splitLength;
  const int64_t most = begin + plan.splitLength;
  const int64_t end = !isRow ? begin : most < args.features ? most : args.features;
  const int64_t packedEnd = begin + (end - begin) / width * width;
  const E* x = args.x + row * args.features;

  typename Kind::Partial partial = Kind::none();
  const int64_t step = int64_t{plan.lanes} * width;
  for (int64_t first = begin + int64_t{lane} * width; first < packedEnd; first += step * kReadsInFlight) {
    Pack<E, width> rX[kReadsInFlight];
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      const int64_t at = first + each * step;
      if (at < packedEnd) rX[each] = loadElements<width>(x + at, args.isAligned);
    }
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      const int64_t at = first + each * step;
      if (at < packedEnd) Kind::take(partial, rX[each], at);
    }
  }
  // What is left over by packs.
  for (int64_t at = packedEnd + lane; at < end; at += plan.lanes)
    Kind::take(partial, loadPack<1>(x + at), at);

  partial = together<Kind>(partial, plan.lanes, sharedMemory<typename Kind::Partial>());
  if (lane > 0 || !isRow) return;
  if (args.partial)
    args.partial[row * plan.splits + split] = partial;
  else
    args.kind.store(row, partial);
}

// One block takes the parts of a row together. Shared memory: [warps] Partial, of `together`.
template <typename E, typename Kind>
__global__ void __launch_bounds__(kReduceThreads) joinKernel(Args<E, Kind> args) {
  const int64_t row = blockIdx.x;
  typename Kind::Partial partial = Kind::none();
  for (int64_t split = threadIdx.x; split < args.plan.splits; split += kReduceThreads)
    partial = Kind::merge(partial, args.partial[row * args.plan.splits + split]);
  partial = together<Kind>(partial, kReduceThreads, sharedMemory<typename Kind::Partial>());
  if (threadIdx.x == 0) args.kind.store(row, partial);
}

template <typename E, typename Kind>
void launchReduce(Stream& stream, const char* op, const Kind& kind, const Tensor& x, Axis axis) {
  using Partial = typename Kind::Partial;
  const auto [rows, features] = reducedRows(x, axis);
  // Where rows begin at any element, whole lines are read with one element at a time.
  const bool isWide = rows == 1 || features % kPackWidth<E> == 0;
  Args<E, Kind> args{
      kind, x.data<E>(), nullptr, rows, features, {}, areAlignedFor(kPackWidth<E>, x.data<E>())};
  args.plan = reducePlan(rows, features, isWide ? kPackWidth<E> : 1);
  const auto& plan = args.plan;
  std::optional<Tensor> partial;
  if (plan.splits > 1) {
    partial = empty({rows * plan.splits, int64_t{sizeof(Partial)}}, DType::uint8, x.device());
    args.partial = static_cast<Partial*>(partial->raw());
  }
  constexpr int64_t kSharedBytes = kReduceThreads / kWarpSize * int64_t{sizeof(Partial)};
  const Launch shape{op, {ceilDiv(rows, plan.rowsPerBlock) * plan.splits}, kReduceThreads, kSharedBytes};
  if (isWide)
    launch(stream, shape, reduceKernel<E, Kind, kPackWidth<E>>, args);
  else
    launch(stream, shape, reduceKernel<E, Kind, 1>, args);
  if (partial) launch(stream, {op, {rows}, kReduceThreads, kSharedBytes}, joinKernel<E, Kind>, args);
}

}  // namespace

void reduce(Stream& stream, Reduction op, const Tensor& x, Axis axis, const Tensor& y) {
  // The mean of no rows is that of no elements: nothing is divided.
  const double divisor = op == Reduction::mean ? static_cast<double>(reducedRows(x, axis).features) : 1;
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    launchReduce<E>(stream, nameOf(op).data(), Sum<E>{y.data<float>(), divisor}, x, axis);
  });
}

void reduceMax(Stream& stream, const Tensor& x, Axis axis, const MaxForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    launchReduce<E>(stream, "max", Max<E>{out.y.data<E>(), out.indices.data<int64_t>()}, x, axis);
  });
}

}  // namespace crossmap::cuda
