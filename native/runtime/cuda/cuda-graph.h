#pragma once
#include <memory>
#include <unordered_set>
#include <vector>

#include "runtime/caching-allocator.h"
#include "runtime/cuda/fault-slots.h"

namespace crossmap::cuda {

class CudaDevice;

// Memory that recordings have at fixed addresses: the main pool's once the last of them is gone.
class RecordedMemory {
 public:
  explicit RecordedMemory(CachingAllocator& allocator)
      : allocator_(allocator), pool_(allocator.openReserved()) {}
  ~RecordedMemory() { allocator_.closeReserved(pool_); }
  RecordedMemory(const RecordedMemory&) = delete;
  RecordedMemory& operator=(const RecordedMemory&) = delete;
  CachingAllocator::Pool pool() const { return pool_; }

 private:
  CachingAllocator& allocator_;
  CachingAllocator::Pool pool_;
};

// What a capture holds: memory and slots at addresses that the recorded launches have in them.
struct Recording {
  std::shared_ptr<RecordedMemory> memory;  // that ops asked for
  std::unordered_set<void*> used;          // of it, now
  std::vector<std::shared_ptr<SlotBlock>> slots;
  std::vector<void*> held;  // released while it was recorded, but not of `memory`: still read
};

// A CUDA graph. What its ops allocated stays theirs until it goes.
class CudaGraph {
 public:
  // `device` is kept alive.
  CudaGraph(std::shared_ptr<CudaDevice> device, cudaGraphExec_t launchable, Recording recording);
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  // Enqueues the ops. They read what stands in the memory of their inputs now, and write to the same outputs.
  void replay();
  const std::shared_ptr<RecordedMemory>& memory() const { return recording_.memory; }

 private:
  std::shared_ptr<CudaDevice> device_;
  cudaGraphExec_t launchable_;
  Recording recording_;
};

}  // namespace crossmap::cuda
