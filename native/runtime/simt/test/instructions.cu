// Single instructions on registers that the test gives, and the registers that they leave: what these mean is
// written in the test, from the tables of the PTX ISA.
#include "runtime/cuda/device/matrix.cuh"
#include "runtime/cuda/device/numeric.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/device/warp.cuh"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

// ---- ldmatrix: 16-bit element i of shared memory is i; the input is the byte offset of each lane's row

template <int count, bool isTransposed>
__global__ void matrixLoadKernel(const uint32_t* offsets, uint32_t* results) {
  auto* sElements = sharedMemory<uint16_t>();
  for (int i = static_cast<int>(threadIdx.x); i < 1024; i += 32) sElements[i] = static_cast<uint16_t>(i);
  __syncwarp();  // the elements are there
  uint32_t r[count];
  const uint32_t address = sharedAddress(sElements) + offsets[threadIdx.x];
  if constexpr (isTransposed)
    loadMatricesTransposed(r, address);
  else
    loadMatrices(r, address);
  for (int i = 0; i < count; i++) results[threadIdx.x * count + i] = r[i];
}

template <int count, bool isTransposed>
void matrixLoad(Context& context) {
  DeviceArray<uint32_t> offsets(context.input), results(32 * count);
  simt::launch("matrixLoad", 1, 32, 2048, nullptr, matrixLoadKernel<count, isTransposed>, offsets.get(),
               results.get());
  append(context, results.values());
}

// ---- mma: of each lane a[4], b[2], d[4] come in, and d[4] goes out

template <typename Multiply>
__device__ void multiplyRegisters(const uint32_t* registers, uint32_t* results, Multiply multiply) {
  const uint32_t* mine = registers + threadIdx.x * 10;
  uint32_t a[4];
  float d[4];
  for (int i = 0; i < 4; i++) {
    a[i] = mine[i];
    std::memcpy(&d[i], &mine[6 + i], sizeof(float));
  }
  multiply(d, a, mine[4], mine[5]);
  for (int i = 0; i < 4; i++) std::memcpy(&results[threadIdx.x * 4 + i], &d[i], sizeof(float));
}

template <typename E>
__global__ void productKernel(const uint32_t* registers, uint32_t* results) {
  multiplyRegisters(registers, results, [](float(&d)[4], const uint32_t(&a)[4], uint32_t b0, uint32_t b1) {
    multiplyAdd<E>(d, a, b0, b1);
  });
}

// The mistake: the two halves of b are exchanged.
__global__ void wrongLayoutKernel(const uint32_t* registers, uint32_t* results) {
  multiplyRegisters(registers, results, [](float(&d)[4], const uint32_t(&a)[4], uint32_t b0, uint32_t b1) {
    multiplyAdd<BFloat16>(d, a, b1, b0);
  });
}

__global__ void tf32ProductKernel(const uint32_t* registers, uint32_t* results) {
  multiplyRegisters(registers, results, [](float(&d)[4], const uint32_t(&a)[4], uint32_t b0, uint32_t b1) {
    multiplyAddTf32(d, a, b0, b1);
  });
}

template <void (*kernel)(const uint32_t*, uint32_t*)>
void product(Context& context) {
  DeviceArray<uint32_t> registers(context.input), results(32 * 4);
  simt::launch("product", 1, 32, 0, nullptr, kernel, registers.get(), results.get());
  append(context, results.values());
}

// ---- numbers: one function on each word of the input

enum class Function {
  exp2Fast,
  roundToTf32,
  toBFloat16,
  toFloat16,
  fromBFloat16,
  fromFloat16,
  packBFloat16,
  packFloat16
};

__device__ uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

template <Function function>
__global__ void functionKernel(const uint32_t* x, uint32_t* y, int count) {
  const int i = static_cast<int>(threadIdx.x + blockIdx.x * blockDim.x);
  if (i >= count) return;
  float value;
  std::memcpy(&value, &x[i], sizeof value);
  const auto bits16 = static_cast<uint16_t>(x[i]);
  if constexpr (function == Function::exp2Fast)
    y[i] = bitsOf(exp2Fast(value));
  else if constexpr (function == Function::roundToTf32)
    y[i] = roundToTf32(value);
  else if constexpr (function == Function::toBFloat16)
    y[i] = round<BFloat16>(value).bits;
  else if constexpr (function == Function::toFloat16)
    y[i] = round<Float16>(value).bits;
  else if constexpr (function == Function::fromBFloat16)
    y[i] = bitsOf(widen(BFloat16{bits16}));
  else if constexpr (function == Function::fromFloat16)
    y[i] = bitsOf(widen(Float16{bits16}));
  else if constexpr (function == Function::packBFloat16)
    y[i] = packPair<BFloat16>(value, 2.0f);
  else
    y[i] = packPair<Float16>(value, 2.0f);
}

template <Function which>
void function(Context& context) {
  const int count = static_cast<int>(context.input.size());
  DeviceArray<uint32_t> x(context.input), y(context.input.size());
  simt::launch("function", (count + 31) / 32, 32, 0, nullptr, functionKernel<which>, x.get(), y.get(), count);
  append(context, y.values());
}

// ---- lanes: a word of each comes in; the results of all of these go out, by instruction, then by lane

__global__ void lanesKernel(const uint32_t* x, uint32_t* results) {
  const uint32_t mine = x[threadIdx.x];
  int next = 0;
  const auto keep = [&](uint32_t value) { results[next++ * 32 + static_cast<int>(threadIdx.x)] = value; };
  keep(__shfl_sync(kAllLanes, mine, 5));
  keep(__shfl_sync(kAllLanes, mine, static_cast<int>(threadIdx.x) + 9, 8));
  keep(__shfl_up_sync(kAllLanes, mine, 3));
  keep(__shfl_up_sync(kAllLanes, mine, 3, 8));
  keep(__shfl_down_sync(kAllLanes, mine, 3));
  keep(__shfl_down_sync(kAllLanes, mine, 3, 8));
  keep(__shfl_xor_sync(kAllLanes, mine, 6));
  keep(__shfl_xor_sync(kAllLanes, mine, 9, 8));
  keep(__ballot_sync(kAllLanes, mine % 3 == 0));
  keep(static_cast<uint32_t>(__any_sync(kAllLanes, mine == 7)));
  keep(static_cast<uint32_t>(__all_sync(kAllLanes, mine != 7)));
  keep(__reduce_add_sync(kAllLanes, mine));
  keep(__reduce_max_sync(kAllLanes, mine));
  keep(warpSum(mine));
  if (threadIdx.x < 16)
    keep(__ballot_sync(0xffffu, mine % 2 == 0));
  else
    keep(0);
  keep(static_cast<uint32_t>(__syncthreads_count(mine % 2 == 0)));
  keep(static_cast<uint32_t>(__syncthreads_or(mine == 7)));
  keep(static_cast<uint32_t>(__syncthreads_and(mine != 7)));
}

void lanes(Context& context) {
  DeviceArray<uint32_t> x(context.input), results(32 * 18);
  simt::launch("lanes", 1, 32, 0, nullptr, lanesKernel, x.get(), results.get());
  append(context, results.values());
}

// Each thread of each block once, on a word that starts as 100.
__global__ void atomicsKernel(uint32_t* words, float* sum) {
  const uint32_t i = threadIdx.x + blockIdx.x * blockDim.x;
  atomicAdd(&words[0], 1u);
  atomicMin(&words[1], i + 3);
  atomicMax(&words[2], i);
  atomicExch(&words[3], 5u);
  atomicCAS(&words[4], 100u, 7u);
  atomicAdd(sum, 0.5f);
}

void atomics(Context& context) {
  DeviceArray<uint32_t> words(std::vector<uint32_t>(5, 100));
  DeviceArray<float> sum(std::vector<float>{1});
  simt::launch("atomics", 4, 64, 0, nullptr, atomicsKernel, words.get(), sum.get());
  append(context, words.values());
  append(context, sum.values());
}

const Case load4{"ldmatrix/x4", matrixLoad<4, false>};
const Case load4Transposed{"ldmatrix/x4-transposed", matrixLoad<4, true>};
const Case load2{"ldmatrix/x2", matrixLoad<2, false>};
const Case load2Transposed{"ldmatrix/x2-transposed", matrixLoad<2, true>};
const Case productBFloat16{"mma/bfloat16", product<productKernel<BFloat16>>};
const Case productFloat16{"mma/float16", product<productKernel<Float16>>};
const Case productTf32{"mma/tf32", product<tf32ProductKernel>};
const Case wrongLayout{"mma/wrong-layout", product<wrongLayoutKernel>};
const Case exp2FastCase{"function/exp2Fast", function<Function::exp2Fast>};
const Case roundToTf32Case{"function/roundToTf32", function<Function::roundToTf32>};
const Case toBFloat16Case{"function/toBFloat16", function<Function::toBFloat16>};
const Case toFloat16Case{"function/toFloat16", function<Function::toFloat16>};
const Case fromBFloat16Case{"function/fromBFloat16", function<Function::fromBFloat16>};
const Case fromFloat16Case{"function/fromFloat16", function<Function::fromFloat16>};
const Case packBFloat16Case{"function/packBFloat16", function<Function::packBFloat16>};
const Case packFloat16Case{"function/packFloat16", function<Function::packFloat16>};
const Case lanesCase{"lanes", lanes};
const Case atomicsCase{"atomics", atomics};

}  // namespace

}  // namespace crossmap::cuda::test
