#include "runtime/cuda/cuda-device.h"

#include "runtime/cuda/launch.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

namespace {

constexpr int64_t kGranule = 512;

int64_t roundedSize(int64_t bytes) { return roundUp(std::max<int64_t>(bytes, 1), kGranule); }

}  // namespace

CudaDevice::CudaDevice() {
  checkLaunch(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "device");
}

CudaDevice::~CudaDevice() {
  emptyCache();
  for (const Slot& slot : slots_) cudaFree(slot.memory);
  cudaStreamDestroy(stream_);
}

void* CudaDevice::allocate(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  const int64_t size = roundedSize(bytes);
  void* memory = nullptr;
  if (const auto found = cached_.find(size); found != cached_.end()) {
    memory = found->second;
    cached_.erase(found);
    use_.cached -= size;
  } else {
    checkLaunch(cudaMalloc(&memory, static_cast<size_t>(size)), "allocate");
  }
  use_.allocated += size;
  use_.peak = std::max(use_.peak, use_.allocated);
  return memory;
}

void CudaDevice::release(void* memory, int64_t bytes) {
  const std::lock_guard lock(mutex_);
  const int64_t size = roundedSize(bytes);
  use_.allocated -= size;
  use_.cached += size;
  cached_.emplace(size, memory);
}

void CudaDevice::emptyCache() {
  const std::lock_guard lock(mutex_);
  cudaStreamSynchronize(stream_);
  for (const auto& [size, memory] : cached_) cudaFree(memory);
  cached_.clear();
  use_.cached = 0;
}

void CudaDevice::copyIn(void* to, const void* from, int64_t bytes) {
  if (bytes == 0) return;
  checkLaunch(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, stream_),
              "copyIn");
  checkLaunch(cudaStreamSynchronize(stream_), "copyIn");
}

void CudaDevice::copyOut(void* to, const void* from, int64_t bytes, Completion done) {
  if (bytes > 0)
    checkLaunch(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream_),
                "copyOut");
  synchronize(std::move(done));
}

void CudaDevice::copyWithin(void* to, const void* from, int64_t bytes) {
  if (bytes > 0)
    checkLaunch(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, stream_),
                "copy");
}

void CudaDevice::synchronize(Completion done) {
  checkLaunch(cudaStreamSynchronize(stream_), "synchronize");
  done(takeFault());
}

void CudaDevice::onceExecuted(std::function<void()> after) {
  cudaStreamSynchronize(stream_);
  after();
}

FaultSlot* CudaDevice::faultSlot(const char* op, ErrorCode code, FaultText text) {
  void* memory = nullptr;
  checkLaunch(cudaMalloc(&memory, sizeof(FaultSlot)), op);
  checkLaunch(cudaMemsetAsync(memory, 0xff, sizeof(FaultSlot), stream_), op);
  slots_.push_back({static_cast<FaultSlot*>(memory), op, code, std::move(text)});
  return slots_.back().memory;
}

std::optional<Error> CudaDevice::takeFault() {
  std::optional<Error> fault;
  for (const Slot& slot : slots_) {
    FaultSlot found{kNoFault};
    checkLaunch(cudaMemcpyAsync(&found, slot.memory, sizeof found, cudaMemcpyDeviceToHost, stream_), slot.op);
    checkLaunch(cudaStreamSynchronize(stream_), slot.op);
    cudaFree(slot.memory);
    if (found.report != kNoFault && !fault)
      fault.emplace(slot.code, std::string(slot.op) + ": " +
                                   slot.text(static_cast<int64_t>(found.report >> 32),
                                             static_cast<int32_t>(found.report)));
  }
  slots_.clear();
  return fault;
}

Stream& streamOf(const Device& device) { return static_cast<CudaDevice&>(device.backend()); }

}  // namespace crossmap::cuda
