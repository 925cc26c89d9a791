#pragma once
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "runtime/cuda/stream.h"
#include "runtime/device.h"

namespace crossmap::cuda {

// The name under which this build has CUDA.
#ifdef CROSSMAP_SIMT
inline constexpr DeviceKind kCudaKind = DeviceKind::simt;
#else
inline constexpr DeviceKind kCudaKind = DeviceKind::cuda;
#endif

// A GPU as a device, or the emulator in its place: one stream takes the work in order.
class CudaDevice : public Backend, public Stream {
 public:
  CudaDevice();
  ~CudaDevice() override;

  DeviceKind kind() const override { return kCudaKind; }

  void* allocate(int64_t bytes) override;
  void release(void* memory, int64_t bytes) override;
  MemoryUse memoryUse() const override { return use_; }
  void resetPeak() override { use_.peak = use_.allocated; }
  void emptyCache() override;

  void copyIn(void* to, const void* from, int64_t bytes) override;
  void copyOut(void* to, const void* from, int64_t bytes, Completion done) override;
  void copyWithin(void* to, const void* from, int64_t bytes) override;
  void synchronize(Completion done) override;
  void onceExecuted(std::function<void()> after) override;
  void stop() override {}

  cudaStream_t handle() const override { return stream_; }
  const Architecture& architecture() const override { return architecture_; }
  FaultSlot* faultSlot(const char* op, ErrorCode code, FaultText text) override;

 private:
  struct Slot {
    FaultSlot* memory;
    const char* op;
    ErrorCode code;
    FaultText text;
  };

  std::optional<Error> takeFault();

  cudaStream_t stream_ = nullptr;
  Architecture architecture_{80, 4, 163 * 1024};
  mutable std::mutex mutex_;
  MemoryUse use_{};
  std::multimap<int64_t, void*> cached_;
  std::deque<Slot> slots_;
};

Stream& streamOf(const Device& device);

}  // namespace crossmap::cuda
