// Kernels whose traffic is known in advance.
#include "runtime/cuda/device/matrix.cuh"
#include "runtime/cuda/device/numeric.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/device/warp.cuh"
#include "runtime/simt/profile.h"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

constexpr int kElements = 16384;

template <int stride>
__global__ void copyKernel(const float* x, float* y) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  y[i * stride] = x[i];
}

template <int stride>
void copy(Context&) {
  DeviceArray<float> x(counting(kElements)), y(kElements * stride);
  simt::launch("copy", kElements / 256, 256, 0, nullptr, copyKernel<stride>, x.get(), y.get());
}

__global__ void packCopyKernel(const float* x, float* y) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) * 4;
  storePack<4>(y + i, loadPack<4>(x + i));
}

void packCopy(Context&) {
  DeviceArray<float> x(counting(kElements)), y(kElements);
  simt::launch("copy", kElements / 1024, 256, 0, nullptr, packCopyKernel, x.get(), y.get());
}

// One tile of 32 x 32 floats, in rows of 32 + padding.
template <int padding>
__global__ void transposeKernel(const float* x, float* y) {
  auto* sTile = sharedMemory<float>();
  const unsigned row = threadIdx.x / 32;
  const unsigned column = threadIdx.x % 32;
  sTile[row * (32 + padding) + column] = x[threadIdx.x];
  __syncthreads();  // the tile is there
  y[threadIdx.x] = sTile[column * (32 + padding) + row];
}

template <int padding>
void transpose(Context& context) {
  DeviceArray<float> x(counting(1024)), y(1024);
  simt::launch("transpose", 1, 1024, 32 * (32 + padding) * sizeof(float), nullptr, transposeKernel<padding>,
               x.get(), y.get());
  append(context, y.values());
}

// A warp reads a tile of 64 rows of 128 bytes by ldmatrix; with the swizzle, 16-byte chunk c of row r lies at
// chunk c ^ (r % 8).
template <bool isSwizzled>
__global__ void tileKernel(uint32_t* y) {
  auto* sTile = sharedMemory<uint16_t>();
  for (int i = static_cast<int>(threadIdx.x); i < 64 * 64; i += 32) sTile[i] = 1;
  __syncwarp();  // the tile is there
  uint32_t total = 0;
  for (int rows = 0; rows < 64; rows += 16)
    for (int chunks = 0; chunks < 8; chunks += 2) {
      const int row = rows + static_cast<int>(threadIdx.x) % 16;
      const int chunk = chunks + static_cast<int>(threadIdx.x) / 16;
      uint32_t r[4];
      loadMatrices(r, sharedAddress(sTile + row * 64 + (isSwizzled ? chunk ^ row % 8 : chunk) * 8));
      for (const uint32_t each : r) total += each;
    }
  y[threadIdx.x] = total;
}

template <bool isSwizzled>
void tile(Context&) {
  DeviceArray<uint32_t> y(32);
  simt::launch("tile", 1, 32, 64 * 128, nullptr, tileKernel<isSwizzled>, y.get());
}

__global__ void productsKernel(float* y) {
  float d[4] = {};
  const uint32_t a[4] = {};
  for (int i = 0; i < 3; i++) multiplyAdd<BFloat16>(d, a, 0, 0);
  for (int i = 0; i < 2; i++) multiplyAdd<Float16>(d, a, 0, 0);
  multiplyAddTf32(d, a, 0, 0);
  __syncthreads();  // counted
  y[blockIdx.x * blockDim.x + threadIdx.x] = d[0];
}

void products(Context&) {
  DeviceArray<float> y(2 * 64);
  simt::launch("products", 2, 64, 0, nullptr, productsKernel, y.get());
}

// Of each thread: two fused multiply-adds, and seven special functions where half of the threads take a
// branch with one more. The logarithm is none.
__global__ void arithmeticKernel(const float* x, float* y) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  float value = fmaf(x[i], 2, fmaf(x[i], 3, 1));
  value += expf(-value) + exp2f(-value) + exp2Fast(-value) + sqrtf(value) + rsqrtf(value) + tanhf(value);
  if (i % 2 == 0) value += exp2Fast(-1);
  y[i] = logf(value);
}

void arithmetic(Context& context) {
  DeviceArray<float> x(counting(2 * 48)), y(2 * 48);
  simt::launch("arithmetic", 2, 48, 0, nullptr, arithmeticKernel, x.get(), y.get());
  append(context, y.values());
}

const Case coalesced{"count/coalesced-copy", copy<1>};
const Case strided{"count/strided-store", copy<8>};
const Case packed{"count/packed-copy", packCopy};
const Case unpadded{"count/transpose-unpadded", transpose<0>};
const Case padded{"count/transpose-padded", transpose<1>};
const Case swizzled{"count/tile-swizzled", tile<true>};
const Case plain{"count/tile-plain", tile<false>};
const Case productsCase{"count/products", products};
const Case arithmeticCase{"count/arithmetic", arithmetic};

}  // namespace

}  // namespace crossmap::cuda::test
