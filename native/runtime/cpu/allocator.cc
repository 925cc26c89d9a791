#include "runtime/cpu/allocator.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kHugePage = int64_t{2} << 20;

// Eight sizes per doubling, so at most 1/8 is wasted and a few sizes serve all requests.
int64_t roundedSize(int64_t bytes) {
  const int64_t least = std::max(bytes, kAlignment);
  const int64_t step = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(least))) / 8;
  return roundUp(least, std::max(step, kAlignment));
}

void* systemAllocate(int64_t size) {
  const int64_t alignment = size >= kHugePage ? kHugePage : kAlignment;
  void* memory =
      std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(roundUp(size, alignment)));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (memory && alignment == kHugePage) madvise(memory, static_cast<size_t>(size), MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace

CachingAllocator::~CachingAllocator() { takeCached(); }

void* CachingAllocator::allocate(int64_t bytes) {
  const int64_t size = roundedSize(bytes);
  const std::lock_guard lock(mutex_);
  const auto found = cached_.find(size);
  void* memory = nullptr;
  if (found != cached_.end()) {
    memory = found->second;
    cached_.erase(found);
    cachedBytes_ -= size;
  } else {
    memory = systemAllocate(size);
    if (!memory)
      throw Error(ErrorCode::outOfMemory, "cpu: " + std::to_string(bytes) +
                                              " bytes could not be allocated beside " +
                                              std::to_string(allocatedBytes_) + " allocated and " +
                                              std::to_string(cachedBytes_) + " cached ones");
  }
  allocatedBytes_ += size;
  peakBytes_ = std::max(peakBytes_, allocatedBytes_);
  return memory;
}

void CachingAllocator::release(void* memory, int64_t bytes) {
  const int64_t size = roundedSize(bytes);
  const std::lock_guard lock(mutex_);
  cached_.emplace(size, memory);
  allocatedBytes_ -= size;
  cachedBytes_ += size;
}

std::shared_ptr<void> CachingAllocator::takeCached() {
  struct Blocks {
    std::vector<void*> memory;
    ~Blocks() {
      for (void* each : memory) std::free(each);
    }
  };
  auto blocks = std::make_shared<Blocks>();
  const std::lock_guard lock(mutex_);
  for (const auto& [size, memory] : cached_) blocks->memory.push_back(memory);
  cached_.clear();
  cachedBytes_ = 0;
  return blocks;
}

MemoryUse CachingAllocator::use() const {
  const std::lock_guard lock(mutex_);
  return {allocatedBytes_, cachedBytes_, peakBytes_};
}

void CachingAllocator::resetPeak() {
  const std::lock_guard lock(mutex_);
  peakBytes_ = allocatedBytes_;
}

}  // namespace crossmap::cpu
