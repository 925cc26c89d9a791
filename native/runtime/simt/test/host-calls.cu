// What calls of the host return.
#include "runtime/cuda/device/shared.cuh"
#include "runtime/simt/test/case.h"

namespace crossmap::cuda::test {

namespace {

__global__ void writeKernel(float* y, int64_t offset) { y[offset + threadIdx.x] = 1; }

void keep(Context& context, cudaError_t status) { context.output.push_back(static_cast<uint32_t>(status)); }

// After a report each call says so, and asking does not make it go away.
void afterReport(Context& context) {
  DeviceArray<float> y(32);
  cudaEvent_t event;
  cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
  keep(context, simt::launch("write", 1, 32, 0, nullptr, writeKernel, y.get(), 32));
  keep(context, cudaStreamSynchronize(nullptr));
  keep(context, cudaGetLastError());
  keep(context, cudaGetLastError());
  keep(context, cudaStreamQuery(nullptr));
  keep(context, cudaEventRecord(event, nullptr));
  keep(context, cudaEventSynchronize(event));
  keep(context, cudaEventQuery(event));
  void* memory = nullptr;
  keep(context, cudaMalloc(&memory, 16));
  keep(context, simt::launch("write", 1, 32, 0, nullptr, writeKernel, y.get(), 0));
  cudaEventDestroy(event);
}

// Calls that are refused leave the device as it was.
void refused(Context& context) {
  DeviceArray<float> y(32);
  float onHost[32] = {};
  keep(context, simt::launch("write", 1, 2048, 0, nullptr, writeKernel, y.get(), 0));
  keep(context, simt::launch("write", 1, 32, 200 << 10, nullptr, writeKernel, y.get(), 0));
  void* memory = nullptr;
  keep(context, cudaMalloc(&memory, size_t{1} << 40));
  keep(context, cudaFree(y.get() + 1));
  keep(context, cudaMemcpyAsync(onHost, onHost, sizeof onHost, cudaMemcpyHostToDevice, nullptr));
  keep(context, cudaMemsetAsync(onHost, 0, sizeof onHost, nullptr));
  keep(context, simt::launch("write", 1, 32, 0, nullptr, writeKernel, y.get(), 0));
  keep(context, cudaStreamSynchronize(nullptr));
}

// A copy that does not fit the allocation is an error of the device, found when it is executed.
void copyOutOfBounds(Context& context) {
  DeviceArray<float> y(32);
  std::vector<float> onHost(64);
  keep(context, cudaMemcpyAsync(y.get(), onHost.data(), 64 * sizeof(float), cudaMemcpyHostToDevice, nullptr));
  keep(context, cudaStreamSynchronize(nullptr));
}

const Case afterReportCase{"host/after-report", afterReport};
const Case refusedCase{"host/refused", refused};
const Case copyCase{"host/copy-out-of-bounds", copyOutOfBounds};

}  // namespace

}  // namespace crossmap::cuda::test
