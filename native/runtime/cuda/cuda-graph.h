#pragma once
#include <memory>
#include <unordered_set>
#include <vector>

#include "runtime/caching-allocator.h"
#include "runtime/cuda/fault-slots.h"

namespace crossmap::cuda {

class CudaDevice;

// What a capture holds: memory and slots at addresses that the recorded launches have in them.
struct Recording {
  CachingAllocator::Pool pool;       // of the memory that ops asked for
  std::unordered_set<void*> memory;  // of the pool, in use
  std::shared_ptr<SlotBlock> slots;
  std::vector<void*> held;  // released while it was recorded, but not of `pool`: still read
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

 private:
  std::shared_ptr<CudaDevice> device_;
  cudaGraphExec_t launchable_;
  Recording recording_;
};

}  // namespace crossmap::cuda
