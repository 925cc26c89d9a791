#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "runtime/cuda/completions.h"
#include "runtime/cuda/cublas-lt.h"
#include "runtime/cuda/cuda-graph.h"
#include "runtime/cuda/device-memory.h"
#include "runtime/cuda/event.h"
#include "runtime/cuda/fault-slots.h"
#include "runtime/cuda/stream.h"
#include "runtime/device.h"

namespace crossmap::cuda {

// The name under which this build has CUDA.
#ifdef CROSSMAP_SIMT
inline constexpr DeviceKind kCudaKind = DeviceKind::simt;
#else
inline constexpr DeviceKind kCudaKind = DeviceKind::cuda;
#endif

// A GPU as a device, or the emulator in its place. One stream takes the ops in order. A second one copies
// from the host meanwhile: ops that are enqueued after a copy wait for it, those before it do not.
//
// A device whose memory or kernels have failed stays so: every later call throws the same ERR_DEVICE.
class CudaDevice : public Backend, public Stream, public std::enable_shared_from_this<CudaDevice> {
 public:
  // Throws ERR_DEVICE where there is none.
  CudaDevice();
  ~CudaDevice() override;

  DeviceKind kind() const override { return kCudaKind; }

  void* allocate(int64_t bytes) override;
  void release(void* memory) override;
  MemoryUse memoryUse() const override { return allocator_.use(); }
  void resetPeak() override { allocator_.resetPeak(); }
  void emptyCache() override;

  void* upload(const void* from, int64_t bytes) override;
  void copyOut(void* to, const void* from, int64_t bytes, Completion done) override;
  void copyWithin(void* to, const void* from, int64_t bytes) override;
  void synchronize(Completion done) override;
  void onceExecuted(std::function<void()> after) override;
  void stop() override;

  // From here on ops are recorded, not executed; the host can copy nothing until endCapture. They take memory
  // that the recordings on `shared` have too: each overwrites what another has computed. Without, memory of
  // their own.
  void beginCapture(std::shared_ptr<RecordedMemory> shared = nullptr);
  // Throws ERR_ARGUMENT where nothing is being recorded.
  std::unique_ptr<CudaGraph> endCapture();

  // For graphs.
  void replay(cudaGraphExec_t launchable, const std::vector<std::shared_ptr<SlotBlock>>& slots);
  void dropRecording(Recording& recording);

  cudaStream_t handle() const override;
  const Architecture& architecture() const override { return architecture_; }
  using Stream::faultSlot;
  FaultSlot* faultSlot(const char* op, ErrorCode code, FaultTextOfTwo text) override;
  void launched(const char* op, cudaError_t status) override;
  CublasLt* cublasLt() override;

 private:
  // A stream, destroyed with what it belongs to.
  class OwnedStream {
   public:
    OwnedStream();
    ~OwnedStream();
    OwnedStream(const OwnedStream&) = delete;
    OwnedStream& operator=(const OwnedStream&) = delete;
    cudaStream_t get() const { return stream_; }

   private:
    cudaStream_t stream_ = nullptr;
  };

  // Throws the error that has spoilt the device, if one has.
  void checkAlive() const;
  // Throws where `status` is an error: for good where that stays.
  void check(const char* op, cudaError_t status);
  Error failure(const char* op, cudaError_t status);
  // Reads the slots of the launches so far, then does `then` with the first fault that was not reported.
  void afterAll(const char* op, std::function<void(const std::optional<Error>& lost)> then);
  // Throws where ops are being recorded: `what` cannot be.
  void checkNotCapturing(const char* what) const;
  void keepFaults(const SlotBlock& slots, const FaultSlot* read);
  std::optional<Error> takeFault();
  void copyChunk(char* to, const char* from, int64_t bytes);
  // Empty, and not by an operation that would be recorded.
  std::shared_ptr<SlotBlock> emptySlots();

  Architecture architecture_;
  DeviceMemory deviceMemory_;
  PinnedMemory pinnedMemory_;
  CachingAllocator allocator_;
  CachingAllocator pinned_;
  OwnedStream ops_;
  OwnedStream copies_;
  EventPool events_;
  Timeline opsDone_;
  Timeline copiesDone_;
  FaultSlots slots_;
  std::vector<std::shared_ptr<SlotBlock>> replayed_;  // slots of graphs that ran since faults were last read
  std::optional<Recording> recording_;                // while ops are recorded
  bool hasReleased_ = false;                          // memory since the last mark of opsDone_
  const char* lastOp_ = "nothing";                    // that was enqueued
  const bool waitsForEach_;                           // launch, so that an error names its op
  std::unique_ptr<CublasLt> cublasLt_;
  bool hasLookedForCublasLt_ = false;
  std::optional<Error> fault_;  // touched by the thread of completions_ alone
  mutable std::mutex mutex_;
  std::optional<Error> lost_;         // guarded by mutex_
  std::atomic<bool> isLost_ = false;  // lost_ is set: asked before each launch
  Completions completions_;           // last: its thread uses all of the above
};

Stream& streamOf(const Device& device);
CudaDevice& cudaOf(const Device& device);

}  // namespace crossmap::cuda
