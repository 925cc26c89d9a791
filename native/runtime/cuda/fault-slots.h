#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/cuda/fault-slot.h"
#include "runtime/cuda/language.h"
#include "runtime/cuda/stream.h"
#include "runtime/error.h"

namespace crossmap::cuda {

// A launch that may find a fault.
struct FaultSource {
  const char* op;
  ErrorCode code;
  FaultTextOfTwo text;
};

// Slots in device memory.
class SlotBlock {
 public:
  // Empty once `stream` has come to here. Throws ERR_OUT_OF_MEMORY.
  explicit SlotBlock(cudaStream_t stream);
  ~SlotBlock();
  SlotBlock(const SlotBlock&) = delete;
  SlotBlock& operator=(const SlotBlock&) = delete;

  bool isEmpty() const { return sources_.empty(); }
  bool isFull() const;
  int64_t bytes() const { return static_cast<int64_t>(sources_.size() * sizeof(FaultSlot)); }
  FaultSlot* add(FaultSource source);
  // Enqueues that `to`, of `bytes()` bytes, gets what stands in the slots, and that they are empty again.
  cudaError_t read(FaultSlot* to, cudaStream_t stream) const;
  // The first fault, in the order of launches, of what was read.
  std::optional<Error> firstFault(const FaultSlot* read) const;
  // The slots serve other launches.
  void clear() { sources_.clear(); }

 private:
  FaultSlot* onDevice_ = nullptr;
  std::vector<FaultSource> sources_;
};

// The slots of the launches on a stream since the host last read them. Adding is for one thread; blocks come
// back from any.
class FaultSlots {
 public:
  explicit FaultSlots(cudaStream_t stream) : stream_(stream) {}

  // Nothing where the block is full: it is to be taken first.
  FaultSlot* add(FaultSource source);
  // The block of the launches so far; nothing where there were none.
  std::shared_ptr<SlotBlock> take();
  void giveBack(std::shared_ptr<SlotBlock> block);

 private:
  std::shared_ptr<SlotBlock> empty();

  cudaStream_t stream_;
  std::shared_ptr<SlotBlock> current_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<SlotBlock>> free_;  // guarded by mutex_
};

}  // namespace crossmap::cuda
