#pragma once
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/device.h"

namespace crossmap {

// Where an allocator's memory comes from and goes back to.
class MemorySource {
 public:
  virtual ~MemorySource() = default;
  // Nothing where there is no more.
  virtual void* take(int64_t bytes) = 0;
  // No enqueued work uses the memory any more.
  virtual void give(void* memory) = 0;
  // Waits until no enqueued work uses memory that was released; false where the source cannot wait.
  virtual bool settle() = 0;
  // What there is besides, for the message of ERR_OUT_OF_MEMORY: `; 12 of 34 bytes of the device are free`.
  virtual std::string room() const = 0;
};

// How an allocator cuts memory.
struct AllocatorPolicy {
  const char* device;     // names the device in messages
  int64_t alignment;      // of each block, and the least size of one
  int64_t smallBytes;     // blocks up to this size are cut from slabs; 0 for none
  int64_t slabBytes;      // of memory that is taken for small blocks
  int64_t wastedEighths;  // a cached block may serve a request that is smaller by so many eighths of it
};

// Keeps released memory for requests to come: a training step asks for the same sizes again and again, and
// fresh memory costs more than many kernels. Sizes are rounded up to eight for each doubling, so at most 1/8
// of a block is rounding and few sizes serve all requests. Knows no device. Thread-safe.
//
// Memory is ordered like the work of a queue: a block that was released can be handed out at once for work
// that is enqueued later on the same queue. For another queue it is free once the work before its release is
// done, which the owner tells by tickets: numbers that grow with the work that is enqueued.
class CachingAllocator {
 public:
  // Blocks that serve each other and none of another pool.
  using Pool = int;
  static constexpr Pool kMainPool = 0;
  static constexpr int64_t kAnyTicket = std::numeric_limits<int64_t>::max();

  // `source` must outlive the allocator.
  CachingAllocator(MemorySource& source, const AllocatorPolicy& policy) : source_(source), policy_(policy) {}
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  // Of cached blocks only those whose ticket is at most `done` are taken. Throws ERR_OUT_OF_MEMORY, after
  // what is cached was given back and the source asked once more.
  void* allocate(int64_t bytes, Pool pool = kMainPool, int64_t done = kAnyTicket);
  // `ticket` is that of the last work that can use the memory.
  void release(void* memory, int64_t ticket = 0);

  // A pool whose free blocks emptyCache leaves alone: somebody uses their addresses.
  Pool openReserved();
  // Its blocks, free ones and those in use, become the main pool's.
  void closeReserved(Pool pool);

  // Takes what is cached out: it is given back when the result goes, which must be before the allocator goes
  // and after the work that can use it.
  std::shared_ptr<void> takeCached();
  MemoryUse use() const;
  void resetPeak();

 private:
  struct Slab {
    void* memory;
    int64_t blockBytes;
    int64_t cutBlocks;   // handed out at least once
    int64_t usedBlocks;  // in use now
    Pool pool;
  };
  using SlabPlace = std::list<Slab>::iterator;
  struct Block {
    void* memory;
    int64_t bytes;
    int64_t ticket;
    bool isCut;  // from a slab
    SlabPlace slab;
  };
  struct Used {
    Block block;
    int64_t askedBytes;  // rounded
    Pool pool;
  };
  using Free = std::multimap<int64_t, Block>;  // by size; of one size the longest released first

  int64_t roundedSize(int64_t bytes) const;
  bool isSmall(int64_t size) const { return size <= policy_.smallBytes; }
  bool findFree(int64_t size, Pool pool, int64_t done, Block& found);
  bool takeNew(int64_t size, Pool pool, Block& found);
  bool cutSmall(int64_t size, Pool pool, Block& found);
  void* takeFromSource(int64_t bytes);
  std::vector<void*> removeCached();
  [[noreturn]] void refuse(int64_t bytes) const;

  MemorySource& source_;
  const AllocatorPolicy policy_;
  mutable std::mutex mutex_;
  std::map<Pool, Free> free_;
  std::list<Slab> slabs_;
  std::unordered_map<void*, Used> used_;
  Pool lastReserved_ = 1 << 20;
  int64_t allocatedBytes_ = 0;
  int64_t cachedBytes_ = 0;
  int64_t peakBytes_ = 0;
};

}  // namespace crossmap
