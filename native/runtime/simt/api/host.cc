#include "runtime/simt/api/host.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

struct SimtEvent {};

namespace {

// A launch that broke the rules has spoilt the device: nothing clears that.
cudaError_t state() { return simt::error_count() ? cudaErrorLaunchFailure : cudaSuccess; }

}  // namespace

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  *memory = std::malloc(bytes);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  *free = static_cast<size_t>(sysconf(_SC_AVPHYS_PAGES)) * page;
  *total = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * page;
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t) { return state(); }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return state(); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = std::make_unique<SimtEvent>().release();
  return state();
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  std::unique_ptr<SimtEvent> gone(event);
  return state();
}

cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return state(); }
cudaError_t cudaEventQuery(cudaEvent_t) { return state(); }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return state(); }
cudaError_t cudaGetLastError() { return state(); }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strncpy(properties->name, "emulator", sizeof properties->name - 1);
  size_t free = 0;
  cudaMemGetInfo(&free, &properties->totalGlobalMem);
  properties->sharedMemPerBlockOptin = 163 * 1024;
  properties->major = 8;
  properties->minor = 0;
  properties->multiProcessorCount = 4;
  return cudaSuccess;
}
