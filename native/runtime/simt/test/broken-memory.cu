// Kernels that touch memory which they may not touch, each beside its correct twin.
#include <cstdlib>

#include "runtime/cuda/device/block.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

constexpr int kThreads = 64;
constexpr int kBlocks = 3;
constexpr int kCount = kThreads * kBlocks;

__device__ int threadOfGrid() { return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); }

// One thread too many reads and writes where `count` has no element.
template <bool broken>
__global__ void scaleKernel(const float* x, float* y, int count) {
  const int i = threadOfGrid();
  if (broken ? i <= count : i < count) y[i] = 2 * x[i];
}

template <bool broken>
void globalOutOfBounds(Context& context) {
  DeviceArray<float> x(counting(kCount - 1)), y(kCount - 1);
  simt::launch("scale", kBlocks, kThreads, 0, nullptr, scaleKernel<broken>, x.get(), y.get(), kCount - 1);
  append(context, y.values());
}

template <bool broken>
__global__ void reverseKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  const int i = static_cast<int>(threadIdx.x);
  sValues[i] = static_cast<float>(i);
  __syncthreads();  // all values are there
  y[threadOfGrid()] = sValues[kThreads - (broken ? 0 : 1) - i];
}

template <bool broken>
void sharedOutOfBounds(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("reverse", kBlocks, kThreads, kThreads * sizeof(float), nullptr, reverseKernel<broken>,
               y.get());
  append(context, y.values());
}

template <bool broken>
__global__ void packKernel(const float* x, float* y) {
  const int i = threadOfGrid() * 4;
  storePack<4>(y + i, loadPack<4>(x + i + (broken ? 1 : 0)));
}

template <bool broken>
void misaligned(Context& context) {
  DeviceArray<float> x(counting(4 * kCount + 4)), y(4 * kCount);
  simt::launch("pack", kBlocks, kThreads, 0, nullptr, packKernel<broken>, x.get(), y.get());
  append(context, y.values());
}

// Half of the values are written, and all are read.
template <bool broken>
__global__ void halfKernel(float* y) {
  auto* sValues = sharedMemory<float>();
  const int i = static_cast<int>(threadIdx.x);
  if (!broken || i % 2 == 0) sValues[i] = 1;
  __syncthreads();  // the values are there
  y[threadOfGrid()] = sValues[i];
}

template <bool broken>
void uninitialisedShared(Context& context) {
  DeviceArray<float> y(kCount);
  simt::launch("half", kBlocks, kThreads, kThreads * sizeof(float), nullptr, halfKernel<broken>, y.get());
  append(context, y.values());
}

// The workspace is written by the first launch, and read by the second one.
template <bool broken>
void uninitialisedGlobal(Context& context) {
  DeviceArray<float> x(counting(kCount)), workspace(kCount), y(kCount);
  if (!broken)
    simt::launch("scale", kBlocks, kThreads, 0, nullptr, scaleKernel<false>, x.get(), workspace.get(),
                 kCount);
  simt::launch("scaleAgain", kBlocks, kThreads, 0, nullptr, scaleKernel<false>, workspace.get(), y.get(),
               kCount);
  append(context, y.values());
}

template <bool broken>
void useAfterFree(Context& context) {
  float* x = nullptr;
  cudaMalloc(reinterpret_cast<void**>(&x), kCount * sizeof(float));
  cudaMemsetAsync(x, 0, kCount * sizeof(float), nullptr);
  DeviceArray<float> y(kCount);
  if (broken) cudaFree(x);
  simt::launch("scale", kBlocks, kThreads, 0, nullptr, scaleKernel<false>, x, y.get(), kCount);
  if (!broken) cudaFree(x);
  append(context, y.values());
}

// A claimed piece of an allocation, as a caching allocator hands it out, is bounded by itself.
template <bool broken>
void claimedPiece(Context& context) {
  DeviceArray<float> x(counting(kCount)), slab(4 * kCount);
  simt::claim(nullptr, slab.get() + kCount, kCount * sizeof(float));
  if (broken) simt::disclaim(nullptr, slab.get() + kCount);
  simt::launch("scale", kBlocks, kThreads, 0, nullptr, scaleKernel<false>, x.get(), slab.get() + kCount,
               kCount);
  append(context, x.values());
}

template <bool broken>
void hostPointer(Context& context) {
  std::vector<float> onHost = counting(kCount);
  DeviceArray<float> x(onHost), y(kCount);
  simt::launch("scale", kBlocks, kThreads, 0, nullptr, scaleKernel<false>, broken ? onHost.data() : x.get(),
               y.get(), kCount);
  append(context, y.values());
}

template <bool broken>
void nullPointer(Context& context) {
  DeviceArray<float> x(counting(kCount)), y(kCount);
  simt::launch("scale", kBlocks, kThreads, 0, nullptr, scaleKernel<false>, broken ? nullptr : x.get(),
               y.get(), kCount);
  append(context, y.values());
}

template <bool broken>
void leak(Context& context) {
  DeviceArray<float> x(counting(kCount));
  void* workspace = nullptr;
  cudaMalloc(&workspace, 1000);
  if (!broken) cudaFree(workspace);
  append(context, x.values());
}

// Elements beyond 2^31, of memory that is not there but for the pages that are touched.
__global__ void farKernel(uint16_t* x, int64_t step, int64_t count) {
  const int64_t i = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * step;
  if (i < count) x[i] = static_cast<uint16_t>(i / step);
}

__global__ void farBackKernel(const uint16_t* x, uint32_t* y, int64_t step, int64_t count) {
  const int64_t i = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * step;
  if (i < count) y[i / step] = x[i];
}

void beyond31Bits(Context& context) {
  constexpr int64_t kElements = int64_t{20} << 30;  // 40 GiB
  constexpr int64_t kStep = kElements / kCount;
  DeviceArray<uint16_t> x(static_cast<size_t>(kElements));
  DeviceArray<uint32_t> y(kCount);
  simt::launch("far", kBlocks, kThreads, 0, nullptr, farKernel, x.get(), kStep, kElements);
  simt::launch("farBack", kBlocks, kThreads, 0, nullptr, farBackKernel, x.get(), y.get(), kStep, kElements);
  append(context, y.values());
}

SIMT_TWINS("global-out-of-bounds", globalOutOfBounds)
SIMT_TWINS("shared-out-of-bounds", sharedOutOfBounds)
SIMT_TWINS("misaligned", misaligned)
SIMT_TWINS("uninitialised-shared", uninitialisedShared)
SIMT_TWINS("uninitialised-global", uninitialisedGlobal)
SIMT_TWINS("use-after-free", useAfterFree)
SIMT_TWINS("claimed-piece", claimedPiece)
SIMT_TWINS("host-pointer", hostPointer)
SIMT_TWINS("null-pointer", nullPointer)
SIMT_TWINS("leak", leak)
const Case beyond31BitsCase{"beyond-31-bits", beyond31Bits};

}  // namespace

}  // namespace crossmap::cuda::test
