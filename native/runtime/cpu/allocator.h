#pragma once
#include <cstdint>
#include <map>
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
  // Frees what is cached. Nothing that was enqueued may use it any more.
  void emptyCache();
  MemoryUse use() const;
  void resetPeak();

 private:
  void freeCached();

  mutable std::mutex mutex_;
  std::multimap<int64_t, void*> cached_;  // by size, as rounded
  int64_t allocatedBytes_ = 0;
  int64_t cachedBytes_ = 0;
  int64_t peakBytes_ = 0;
};

}  // namespace crossmap::cpu
