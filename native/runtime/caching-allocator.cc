#include "runtime/caching-allocator.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "runtime/numbers.h"

namespace crossmap {

namespace {

constexpr CachingAllocator::Pool kFirstReserved = 1 << 20;

}  // namespace

CachingAllocator::~CachingAllocator() {
  for (const Slab& slab : slabs_) source_.give(slab.memory);
  for (const auto& [pool, blocks] : free_)
    for (const auto& [size, block] : blocks)
      if (!block.isCut) source_.give(block.memory);
}

int64_t CachingAllocator::roundedSize(int64_t bytes) const {
  const int64_t least = std::max(bytes, policy_.alignment);
  const int64_t step = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(least))) / 8;
  return roundUp(least, std::max(step, policy_.alignment));
}

void* CachingAllocator::allocate(int64_t bytes, Pool pool, int64_t done) {
  const int64_t size = roundedSize(bytes);
  const std::lock_guard lock(mutex_);
  Block block{};
  if (!findFree(size, pool, done, block) && !takeNew(size, pool, block)) refuse(bytes);
  if (block.isCut) block.slab->usedBlocks++;
  used_.emplace(block.memory, Used{block, size, pool});
  allocatedBytes_ += size;
  peakBytes_ = std::max(peakBytes_, allocatedBytes_);
  return block.memory;
}

// Of the smallest size that fits the block that was released last: it is the likeliest to be in a cache of
// the processor. Where tickets count, the one that was released first: it is the likeliest to be done.
bool CachingAllocator::findFree(int64_t size, Pool pool, int64_t done, Block& found) {
  Free& blocks = free_[pool];
  const int64_t largest = isSmall(size) ? size : size + size * policy_.wastedEighths / 8;
  for (auto first = blocks.lower_bound(size); first != blocks.end() && first->first <= largest;
       first = blocks.upper_bound(first->first)) {
    const auto taken = done == kAnyTicket ? std::prev(blocks.upper_bound(first->first)) : first;
    if (taken->second.ticket > done) continue;
    found = taken->second;
    blocks.erase(taken);
    cachedBytes_ -= found.bytes;
    return true;
  }
  return false;
}

bool CachingAllocator::takeNew(int64_t size, Pool pool, Block& found) {
  if (isSmall(size)) return cutSmall(size, pool, found);
  void* memory = takeFromSource(size);
  found = {memory, size, 0, false, slabs_.end()};
  return memory != nullptr;
}

bool CachingAllocator::cutSmall(int64_t size, Pool pool, Block& found) {
  const int64_t room = policy_.slabBytes / size;
  auto slab = std::find_if(slabs_.begin(), slabs_.end(), [&](const Slab& each) {
    return each.pool == pool && each.blockBytes == size && each.cutBlocks < room;
  });
  if (slab == slabs_.end()) {
    void* memory = takeFromSource(policy_.slabBytes);
    if (!memory) return false;
    slab = slabs_.insert(slabs_.begin(), {memory, size, 0, 0, pool});
  }
  found = {static_cast<char*>(slab->memory) + slab->cutBlocks++ * size, size, 0, true, slab};
  return true;
}

void* CachingAllocator::takeFromSource(int64_t bytes) {
  if (void* memory = source_.take(bytes)) return memory;
  if (!source_.settle()) return nullptr;
  for (void* memory : removeCached()) source_.give(memory);
  return source_.take(bytes);
}

void CachingAllocator::refuse(int64_t bytes) const {
  throw Error(ErrorCode::outOfMemory, std::string(policy_.device) + ": " + std::to_string(bytes) +
                                          " bytes could not be allocated beside " +
                                          std::to_string(allocatedBytes_) + " allocated and " +
                                          std::to_string(cachedBytes_) + " cached ones" + source_.room());
}

void CachingAllocator::release(void* memory, int64_t ticket) {
  const std::lock_guard lock(mutex_);
  auto node = used_.extract(memory);
  if (node.empty()) throw Error(ErrorCode::internal, "memory was released that is not in use");
  auto& [block, askedBytes, pool] = node.mapped();
  block.ticket = ticket;
  if (block.isCut) block.slab->usedBlocks--;
  free_[pool].emplace(block.bytes, block);
  allocatedBytes_ -= askedBytes;
  cachedBytes_ += block.bytes;
}

CachingAllocator::Pool CachingAllocator::openReserved() {
  const std::lock_guard lock(mutex_);
  return ++lastReserved_;
}

void CachingAllocator::closeReserved(Pool pool) {
  const std::lock_guard lock(mutex_);
  free_[kMainPool].merge(free_[pool]);
  free_.erase(pool);
  for (Slab& slab : slabs_)
    if (slab.pool == pool) slab.pool = kMainPool;
  for (auto& [memory, used] : used_)
    if (used.pool == pool) used.pool = kMainPool;
}

// The memory of whole blocks that are free, and of slabs of which no block is in use.
std::vector<void*> CachingAllocator::removeCached() {
  std::vector<void*> removed;
  for (auto& [pool, blocks] : free_) {
    if (pool >= kFirstReserved) continue;
    std::erase_if(blocks, [&](const auto& each) {
      const Block& block = each.second;
      if (block.isCut && block.slab->usedBlocks > 0) return false;
      if (!block.isCut) removed.push_back(block.memory);
      cachedBytes_ -= block.bytes;
      return true;
    });
  }
  slabs_.remove_if([&](const Slab& slab) {
    if (slab.usedBlocks > 0 || slab.pool >= kFirstReserved) return false;
    removed.push_back(slab.memory);
    return true;
  });
  return removed;
}

std::shared_ptr<void> CachingAllocator::takeCached() {
  struct Removed {
    Removed(MemorySource& from, std::vector<void*> blocks) : source(from), memory(std::move(blocks)) {}
    Removed(const Removed&) = delete;
    Removed& operator=(const Removed&) = delete;
    MemorySource& source;
    std::vector<void*> memory;
    ~Removed() {
      for (void* each : memory) source.give(each);
    }
  };
  const std::lock_guard lock(mutex_);
  return std::make_shared<Removed>(source_, removeCached());
}

MemoryUse CachingAllocator::use() const {
  const std::lock_guard lock(mutex_);
  return {allocatedBytes_, cachedBytes_, peakBytes_};
}

void CachingAllocator::resetPeak() {
  const std::lock_guard lock(mutex_);
  peakBytes_ = allocatedBytes_;
}

}  // namespace crossmap
