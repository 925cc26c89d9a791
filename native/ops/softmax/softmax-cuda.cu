#include "ops/softmax/softmax-cuda.h"
#include "ops/softmax/softmax-plan.h"
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

constexpr int kReadsInFlight = 2;

// Of both passes: a row and the threads that own it.
struct Rows {
  SoftmaxForm form;
  int64_t rows, features;
  SoftmaxPlan plan;
  bool isAligned;  // whether packs are single accesses
};

struct Place {
  int64_t row;
  int64_t first;  // element of the row at which the row's first pack of this thread begins
  int64_t end;    // of the row; 0 where there is no row, for its threads meet the others in sums
  int64_t step;   // from one pack of this thread to its next
};

template <int width>
__device__ inline Place placeOf(const Rows& rows) {
  const int lanes = rows.plan.lanes;
  const int lane = static_cast<int>(threadIdx.x) % lanes;
  const int64_t row = int64_t{blockIdx.x} * rows.plan.rowsPerBlock + static_cast<int>(threadIdx.x) / lanes;
  return {row, int64_t{lane} * width, row < rows.rows ? rows.features : 0, int64_t{lanes} * width};
}

// The part of shared memory in which the threads of a row keep what they read. Each thread reads what it
// wrote itself, so that no barrier is needed.
template <typename E>
__device__ inline E* keptRow(const SoftmaxPlan& plan) {
  return sharedMemory<E>(kScratchBytes + static_cast<int>(threadIdx.x) / plan.lanes * plan.bytesPerRow);
}

// Over the threads of a row, in each of them. sScratch [32] is shared memory.
__device__ inline float rowSum(float value, int lanes, float* sScratch) {
  if (lanes > kWarpSize) return blockSum(value, sScratch);
  for (int distance = lanes / 2; distance > 0; distance /= 2)
    value += __shfl_xor_sync(kAllLanes, value, distance);
  return value;
}

__device__ inline float rowMax(float value, int lanes, float* sScratch) {
  if (lanes > kWarpSize) return blockMax(value, sScratch);
  for (int distance = lanes / 2; distance > 0; distance /= 2)
    value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, distance));
  return value;
}

// Calls f(at, packs...) for each pack of the thread, with several loads in flight.
template <typename E, int width, typename F>
__device__ inline void forRow(const Place& place, const E* x, bool isAligned, F&& f) {
  for (int64_t first = place.first; first < place.end; first += place.step * kReadsInFlight) {
    Pack<E, width> r[kReadsInFlight];
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      const int64_t at = first + each * place.step;
      if (at < place.end) r[each] = loadElements<width>(x + at, isAligned);
    }
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      const int64_t at = first + each * place.step;
      if (at < place.end) f(at, r[each]);
    }
  }
}

template <typename E, int width, typename F>
__device__ inline void forRow(const Place& place, const E* x, const E* dy, bool isAligned, F&& f) {
  for (int64_t first = place.first; first < place.end; first += place.step * kReadsInFlight) {
    Pack<E, width> rX[kReadsInFlight], rDy[kReadsInFlight];
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      const int64_t at = first + each * place.step;
      if (at >= place.end) continue;
      rX[each] = loadElements<width>(x + at, isAligned);
      rDy[each] = loadElements<width>(dy + at, isAligned);
    }
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      const int64_t at = first + each * place.step;
      if (at < place.end) f(at, rX[each], rDy[each]);
    }
  }
}

// The greatest of what was seen, and the sum of e^(x - greatest): -infinity and 0 of nothing, or of -infinity
// alone. A NaN is not the greatest, but makes the sum one.
struct Statistics {
  float greatest = -kInfinity;
  float sum = 0;

  template <typename E, int width>
  __device__ void take(const Pack<E, width>& rX) {
    float most = greatest;
#pragma unroll
    for (int i = 0; i < width; i++) most = fmaxf(most, widen(rX.values[i]));
    if (most > greatest) sum *= expf(greatest - most);
    greatest = most;
#pragma unroll
    for (int i = 0; i < width; i++) {
      const float x = widen(rX.values[i]);
      // -infinity - -infinity is NaN: what is masked adds nothing.
      sum += x == -kInfinity ? 0.f : expf(x - greatest);
    }
  }

  // With those of the other threads of the row.
  __device__ void join(int lanes, float* sScratch) {
    const float most = rowMax(greatest, lanes, sScratch);
    if (most > greatest) sum *= expf(greatest - most);
    greatest = most;
    sum = rowSum(sum, lanes, sScratch);
  }

  __device__ bool isMasked() const { return greatest == -kInfinity && sum == 0; }
};

template <typename E>
struct ForwardArgs {
  Rows rows;
  const E* x;         // [rows, features]
  E* y;               // [rows, features]
  float* statistics;  // [rows, 2]
};

// plan.lanes threads own a row: its statistics in one sweep, then its results. Bound by memory: x is read and
// y written once where the row is kept. Shared memory: [32] float, of sums over the block; [rows of the
// block, features] E, the rows, where they are kept.
template <typename E, int width>
__global__ void __launch_bounds__(kSoftmaxThreads) forwardKernel(ForwardArgs<E> args) {
  const Rows& rows = args.rows;
  const Place place = placeOf<width>(rows);
  const E* x = args.x + place.row * rows.features;
  E* y = args.y + place.row * rows.features;
  E* sX = keptRow<E>(rows.plan);
  const bool isKept = rows.plan.isKept;

  Statistics statistics;
  forRow<E, width>(place, x, rows.isAligned, [&](int64_t at, const Pack<E, width>& rX) {
    if (isKept) storePack(sX + at, rX);
    statistics.take(rX);
  });
  statistics.join(rows.plan.lanes, sharedMemory<float>());
  if (place.row >= rows.rows) return;  // no barrier follows
  const bool isMasked = statistics.isMasked();
  const float greatest = statistics.greatest;
  const float logSum = isMasked ? 0 : logf(statistics.sum);
  if (place.first == 0) {
    args.statistics[2 * place.row] = greatest;
    args.statistics[2 * place.row + 1] = logSum;
  }

  const bool isLog = rows.form == SoftmaxForm::logSoftmax;
  const float factor = 1 / statistics.sum;
  const auto put = [&](int64_t at, const Pack<E, width>& rX) {
    Pack<E, width> rY;
#pragma unroll
    for (int i = 0; i < width; i++) {
      const float x = widen(rX.values[i]);
      const float y = isLog ? x - greatest - logSum : expf(x - greatest) * factor;
      rY.values[i] = round<E>(!isMasked ? y : isLog ? -kInfinity : 0.f);
    }
    storeElements<width>(y + at, rY, rows.isAligned);
  };
  if (isKept)
    forRow<E, width>(place, sX, true, put);
  else
    forRow<E, width>(place, x, rows.isAligned, put);
}

template <typename E>
struct BackwardArgs {
  Rows rows;
  const E *dy, *x;          // [rows, features]
  const float* statistics;  // [rows, 2]
  E* dx;                    // [rows, features]
};

// Like forwardKernel; the sum is that of dy p or dy. Shared memory: as there, with x and then dy of each row.
template <typename E, int width>
__global__ void __launch_bounds__(kSoftmaxThreads) backwardKernel(BackwardArgs<E> args) {
  const Rows& rows = args.rows;
  const Place place = placeOf<width>(rows);
  const E* x = args.x + place.row * rows.features;
  const E* dy = args.dy + place.row * rows.features;
  E* dx = args.dx + place.row * rows.features;
  E* sX = keptRow<E>(rows.plan);
  E* sDy = sX + rows.features;
  const bool isKept = rows.plan.isKept;
  const bool isLog = rows.form == SoftmaxForm::logSoftmax;
  const bool isRow = place.row < rows.rows;
  const float greatest = isRow ? args.statistics[2 * place.row] : 0;
  const float logSum = isRow ? args.statistics[2 * place.row + 1] : 0;
  const auto probability = [&](E x) { return expf(widen(x) - greatest - logSum); };

  float sum = 0;
  forRow<E, width>(place, x, dy, rows.isAligned,
                   [&](int64_t at, const Pack<E, width>& rX, const Pack<E, width>& rDy) {
                     if (isKept) {
                       storePack(sX + at, rX);
                       storePack(sDy + at, rDy);
                     }
#pragma unroll
                     for (int i = 0; i < width; i++)
                       sum += widen(rDy.values[i]) * (isLog ? 1.f : probability(rX.values[i]));
                   });
  sum = rowSum(sum, rows.plan.lanes, sharedMemory<float>());

  const bool isMasked = greatest == -kInfinity && logSum == 0;
  const auto put = [&](int64_t at, const Pack<E, width>& rX, const Pack<E, width>& rDy) {
    Pack<E, width> rDx;
#pragma unroll
    for (int i = 0; i < width; i++) {
      const float p = probability(rX.values[i]);
      const float d = widen(rDy.values[i]);
      rDx.values[i] = round<E>(isMasked ? 0.f : isLog ? d - p * sum : p * (d - sum));
    }
    storeElements<width>(dx + at, rDx, rows.isAligned);
  };
  if (isKept)
    forRow<E, width>(place, sX, sDy, true, put);
  else
    forRow<E, width>(place, x, dy, rows.isAligned, put);
}

// `operands` is what is kept of each element.
template <typename E>
Rows rowsOf(const Stream& stream, SoftmaxForm form, const Tensor& x, const Tensor& statistics, int operands,
            bool isAligned) {
  const int64_t features = x.size(x.rank() - 1);
  // Where rows begin at any element, whole lines are read with one element at a time.
  const int width = features % kPackWidth<E> == 0 ? kPackWidth<E> : 1;
  const int64_t bytes = features * operands * int64_t{sizeof(E)};
  return {form, statistics.size(0), features,
          softmaxPlan(features, width, bytes, stream.architecture().sharedBytes), isAligned};
}

Launch shapeOf(const Rows& rows) {
  const auto& plan = rows.plan;
  return {nameOf(rows.form).data(), {ceilDiv(rows.rows, plan.rowsPerBlock)}, plan.threads, plan.sharedBytes};
}

}  // namespace

void softmax(Stream& stream, SoftmaxForm form, const Tensor& x, const SoftmaxForward& out) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const bool isAligned = areAlignedFor(kPackWidth<E>, x.data<E>(), out.y.data<E>());
    const Rows rows = rowsOf<E>(stream, form, x, out.statistics, 1, isAligned);
    const ForwardArgs<E> args{rows, x.data<E>(), out.y.data<E>(), out.statistics.data<float>()};
    if (rows.features % kPackWidth<E> == 0)
      launch(stream, shapeOf(rows), forwardKernel<E, kPackWidth<E>>, args);
    else
      launch(stream, shapeOf(rows), forwardKernel<E, 1>, args);
  });
}

void softmaxBackward(Stream& stream, SoftmaxForm form, const Tensor& dy, const Tensor& x,
                     const Tensor& statistics, const Tensor& dx) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    const bool isAligned = areAlignedFor(kPackWidth<E>, dy.data<E>(), x.data<E>(), dx.data<E>());
    const Rows rows = rowsOf<E>(stream, form, x, statistics, 2, isAligned);
    const BackwardArgs<E> args{rows, dy.data<E>(), x.data<E>(), statistics.data<float>(), dx.data<E>()};
    if (rows.features % kPackWidth<E> == 0)
      launch(stream, shapeOf(rows), backwardKernel<E, kPackWidth<E>>, args);
    else
      launch(stream, shapeOf(rows), backwardKernel<E, 1>, args);
  });
}

}  // namespace crossmap::cuda
