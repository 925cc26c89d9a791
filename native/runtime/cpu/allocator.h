#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "runtime/device.h"

namespace crossmap::cpu {

// Keeps released memory for the next request of about its size: a training step asks for the same sizes again
// and again, and fresh pages cost more than many kernels. Thread-safe.
class CachingAllocator {
 public:
  CachingAllocator() = default;
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // Aligned to 64 bytes. Throws ERR_OUT_OF_MEMORY.
  void* allocate(int64_t bytes);
  // `bytes` as they were asked for.
  void release(void* memory, int64_t bytes);
  // Takes what is cached out: it is freed when the result goes, which must be after the ops enqueued so far.
  std::shared_ptr<void> takeCached();
  MemoryUse use() const;
  void resetPeak();

 private:
  mutable std::mutex mutex_;
  std::multimap<int64_t, void*> cached_;  // by size, as rounded
  int64_t allocatedBytes_ = 0;
  int64_t cachedBytes_ = 0;
  int64_t peakBytes_ = 0;
};

}  // namespace crossmap::cpu
