#include "runtime/simt/api/host.h"

#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>

#include "runtime/simt/block.h"
#include "runtime/simt/global-memory.h"
#include "runtime/simt/launch.h"
#include "runtime/simt/pinned-memory.h"
#include "runtime/simt/report.h"
#include "runtime/simt/stream.h"

struct SimtGraphExec {
  std::shared_ptr<SimtGraph> graph;
};

namespace simt {

namespace {

constexpr int kVersion = 13000;  // CUDA 13.0

cudaError_t state() {
  if (!hasReports()) return cudaSuccess;
  return isAddressError() ? cudaErrorIllegalAddress : cudaErrorLaunchFailure;
}

// What the call says, or the error of a device that has failed.
cudaError_t unlessFailed(cudaError_t status) {
  const cudaError_t failed = state();
  return failed == cudaSuccess ? status : failed;
}

// Gives an object to the caller, as CUDA hands out its own.
template <typename Handle, typename... Arguments>
void create(Handle** handle, Arguments&&... arguments) {
  *handle = std::make_unique<Handle>(Handle{std::forward<Arguments>(arguments)...}).release();
}

bool checkRange(const char* what, const void* memory, size_t bytes) {
  if (!isGlobal(reinterpret_cast<uintptr_t>(memory)) || isLiveGlobal(memory, bytes)) return true;
  char text[160];
  std::snprintf(text, sizeof text, "%s: global out of bounds: %zu bytes at %p lie in no allocation", what,
                bytes, memory);
  addReport({"global out of bounds", what, text, true});
  return false;
}

bool isDeviceMemory(const void* memory) { return isGlobal(reinterpret_cast<uintptr_t>(memory)); }

bool fitsKind(const void* to, const void* from, cudaMemcpyKind kind) {
  const bool toDevice = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool fromDevice = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  return kind == cudaMemcpyDefault || (isDeviceMemory(to) == toDevice && isDeviceMemory(from) == fromDevice);
}

void copy(void* to, const void* from, size_t bytes) {
  if (!checkRange("cudaMemcpyAsync", to, bytes) || !checkRange("cudaMemcpyAsync", from, bytes)) return;
  std::memmove(to, from, bytes);
  if (!isDeviceMemory(to) || !config().check) return;
  if (isDeviceMemory(from))
    copyWritten(to, from, bytes);
  else
    markWritten(to, bytes);
}

void set(void* to, int value, size_t bytes) {
  if (!checkRange("cudaMemsetAsync", to, bytes)) return;
  std::memset(to, value, bytes);
  if (config().check) markWritten(to, bytes);
}

}  // namespace

cudaError_t enqueueGrid(Grid grid, std::shared_ptr<const void> arguments, cudaStream_t stream) {
  if (grid.threadCount() == 0 || grid.threadCount() > kMaxThreads || grid.blockCount() == 0 ||
      static_cast<int64_t>(grid.sharedBytes) > config().sharedBytes)
    return unlessFailed(cudaErrorInvalidConfiguration);
  if (const cudaError_t failed = state(); failed != cudaSuccess) return failed;
  grid.arguments = arguments.get();
  return enqueue(stream, [grid = std::move(grid), arguments = std::move(arguments)] { runGrid(grid); });
}

std::vector<KernelCounters> kernelCounters() {
  synchronizeAll();
  std::vector<KernelCounters> result;
  for (const NamedCounts& each : countsByKernel()) {
    const Counts& counts = each.counts;
    KernelCounters kernel;
    kernel.kernel = each.kernel;
    kernel.launches = each.launches;
    kernel.blocks = counts.blocks;
    kernel.blocksLeftOut = counts.blocksLeftOut;
    kernel.threads = counts.threads;
    kernel.sharedBytes = each.sharedBytes;
    kernel.globalSectors = counts.globalSectors;
    kernel.globalBytes = counts.globalBytes;
    kernel.sharedWavefronts = counts.sharedWavefronts;
    kernel.idealSharedWavefronts = counts.idealSharedWavefronts;
    kernel.bfloat16Products = counts.products[0];
    kernel.float16Products = counts.products[1];
    kernel.tf32Products = counts.products[2];
    kernel.fmas = counts.fmas;
    kernel.specialFunctions = counts.specialFunctions;
    kernel.barriers = counts.barriers;
    result.push_back(kernel);
  }
  return result;
}

std::vector<LaunchShape> kernelLaunches() {
  synchronizeAll();
  return launchShapes();
}

void countKernels(bool on) {
  synchronizeAll();
  startCounting(on);
}

cudaError_t claim(cudaStream_t stream, void* memory, size_t bytes) {
  return enqueue(stream, [=] { claimGlobal(memory, bytes); });
}

cudaError_t disclaim(cudaStream_t stream, void* memory) {
  return enqueue(stream, [=] { disclaimGlobal(memory); });
}

}  // namespace simt

using namespace simt;

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorNotReady:
      return "device not ready";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
      break;
  }
  return lastReport();
}

cudaError_t cudaGetLastError() { return state(); }

cudaError_t cudaDriverGetVersion(int* version) {
  *version = kVersion;
  return state();
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return state();
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device != 0) return cudaErrorInvalidValue;
  *properties = {};
  std::strncpy(properties->name, "emulator", sizeof properties->name - 1);
  properties->totalGlobalMem = globalState().total;
  properties->sharedMemPerBlockOptin = static_cast<size_t>(config().sharedBytes);
  properties->major = 8;
  properties->multiProcessorCount = config().multiprocessors;
  return state();
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const MemoryState memory = globalState();
  *free = memory.free;
  *total = memory.total;
  return state();
}

// ---- memory

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (const cudaError_t failed = state(); failed != cudaSuccess) return failed;
  *memory = allocateGlobal(bytes);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFree(void* memory) {
  if (!memory) return state();
  synchronizeAll();
  return unlessFailed(freeGlobal(memory) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  *memory = allocatePinned(bytes);
  return unlessFailed(*memory ? cudaSuccess : cudaErrorMemoryAllocation);
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void* memory) {
  if (!memory) return state();
  synchronizeAll();
  return unlessFailed(freePinned(memory) ? cudaSuccess : cudaErrorInvalidValue);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (!fitsKind(to, from, kind)) return unlessFailed(cudaErrorInvalidValue);
  if (bytes) enqueue(stream, [=] { copy(to, from, bytes); });
  return state();
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  if (!isDeviceMemory(to)) return unlessFailed(cudaErrorInvalidValue);
  if (bytes) enqueue(stream, [=] { set(to, value, bytes); });
  return state();
}

// ---- streams and events

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = createStream();
  return state();
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  destroyStream(stream);
  return state();
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  synchronizeStream(stream);
  return state();
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  const bool done = isDone(stream);
  return unlessFailed(done ? cudaSuccess : cudaErrorNotReady);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return unlessFailed(waitForEvent(stream, *event));
}

cudaError_t cudaDeviceSynchronize() {
  synchronizeAll();
  return state();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  create(event);
  return state();
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::unique_ptr<SimtEvent> gone(event);
  return state();
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return unlessFailed(recordEvent(*event, stream));
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  const bool done = isDone(*event);
  return unlessFailed(done ? cudaSuccess : cudaErrorNotReady);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  synchronizeEvent(*event);
  return state();
}

// ---- graphs

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  beginCapture(stream);
  return state();
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  auto captured = endCapture(stream);
  if (!captured) return unlessFailed(cudaErrorInvalidValue);
  *graph = captured.release();
  return state();
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  create(exec, std::make_shared<SimtGraph>(*graph));
  return state();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  for (const Work& each : exec->graph->work) enqueue(stream, each);
  return state();
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const std::unique_ptr<SimtGraphExec> gone(exec);
  return state();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const std::unique_ptr<SimtGraph> gone(graph);
  return state();
}
