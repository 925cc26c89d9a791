#include "ops/global-norm/global-norm-cuda.h"
#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/elements.cuh"
#include "runtime/cuda/work-list.h"

namespace crossmap::cuda {

namespace {

struct Item {
  const float* data;  // [count]
  int64_t count;
  bool isAligned;  // whether packs are single accesses
};

constexpr int kWidth = 4;
constexpr int kReadsInFlight = 4;
constexpr int64_t kElementsPerBlock = 16384;
constexpr int64_t kSumBytes = 32 * int64_t{sizeof(double)};

// As many tensors as the 4 KB of a kernel's arguments hold.
using List = WorkList<Item, 120, kElementsPerBlock>;

struct Args {
  List list;
  double* partial;  // [list.blocks]: sums of squares
};
static_assert(sizeof(Args) <= 4096);

// A block owns kElementsPerBlock elements of one tensor. Squares are exact in double, and so is nearly the
// sum. Bound by memory: all is read once. Shared memory: [32] double, of blockSum.
__global__ void __launch_bounds__(kElementThreads) squaresKernel(const __grid_constant__ Args args) {
  const int index = args.list.itemOf(blockIdx.x);
  const Item& item = args.list.items[index];
  const int64_t begin = args.list.beginOf(blockIdx.x, index);
  const int64_t end = begin + kElementsPerBlock < item.count ? begin + kElementsPerBlock : item.count;
  const int64_t packedEnd = begin + (end - begin) / kWidth * kWidth;
  constexpr int64_t kStep = kElementThreads * kWidth;
  double sums[2] = {};  // two chains hide half of the latency of an addition
  for (int64_t first = begin + int64_t{threadIdx.x} * kWidth; first < packedEnd;
       first += kStep * kReadsInFlight) {
    Pack<float, kWidth> r[kReadsInFlight];
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      const int64_t at = first + each * kStep;
      if (at < packedEnd) r[each] = loadElements<kWidth>(item.data + at, item.isAligned);
    }
#pragma unroll
    for (int each = 0; each < kReadsInFlight; each++) {
      if (first + each * kStep >= packedEnd) break;
#pragma unroll
      for (int i = 0; i < kWidth; i++) {
        const double x = r[each].values[i];
        sums[i % 2] += x * x;
      }
    }
  }
  if (packedEnd + threadIdx.x < end) {
    const double x = item.data[packedEnd + threadIdx.x];
    sums[0] += x * x;
  }
  const double sum = blockSum(sums[0] + sums[1], sharedMemory<double>());
  if (threadIdx.x == 0) args.partial[blockIdx.x] = sum;
}

constexpr int kNormThreads = 1024;

struct NormArgs {
  const double* partial;  // [count]
  int64_t count;
  float* norm;  // []
};

// One block. Shared memory: [32] double, of blockSum.
__global__ void __launch_bounds__(kNormThreads) normKernel(NormArgs args) {
  double sum = 0;
#pragma unroll 4
  for (int64_t each = threadIdx.x; each < args.count; each += kNormThreads) sum += args.partial[each];
  sum = blockSum(sum, sharedMemory<double>());
  if (threadIdx.x == 0) *args.norm = static_cast<float>(sqrt(sum));
}

struct ClipArgs {
  const float* norm;  // []
  double maxNorm;
  float* scale;  // []
};

// One thread.
__global__ void clipKernel(ClipArgs args) {
  const double norm = *args.norm;
  const double factor = args.maxNorm / norm;
  *args.scale = !(fabs(norm) < static_cast<double>(kInfinity)) ? std::numeric_limits<float>::quiet_NaN()
                : factor < 1                                   ? static_cast<float>(factor)
                                                               : 1.f;
}

}  // namespace

void globalNorm(Stream& stream, const std::vector<Tensor>& tensors, const Tensor& norm) {
  std::vector<Item> items;
  for (const Tensor& tensor : tensors)
    items.push_back({tensor.data<float>(), tensor.elements(), areAlignedFor(kWidth, tensor.data<float>())});
  const std::vector<List> lists = workLists<List>(items);
  int64_t blocks = 0;
  for (const List& list : lists) blocks += list.blocks;
  const Tensor partial = empty({blocks}, DType::int64, norm.device());  // the bytes of as many doubles
  auto* next = static_cast<double*>(partial.raw());
  const NormArgs total{next, blocks, norm.data<float>()};
  for (const List& list : lists) {
    launch(stream, {"globalNorm", {list.blocks}, kElementThreads, kSumBytes}, squaresKernel,
           Args{list, next});
    next += list.blocks;
  }
  launch(stream, {"globalNorm", {1}, kNormThreads, kSumBytes}, normKernel, total);
}

void clipScale(Stream& stream, const Tensor& norm, double maxNorm, const Tensor& scale) {
  launch(stream, {"clipScale", {1}, 1}, clipKernel,
         ClipArgs{norm.data<float>(), maxNorm, scale.data<float>()});
}

}  // namespace crossmap::cuda
