#pragma once
// The device's memory: a sparse range of addresses in which no allocation touches another and none is used
// twice, so that an access past its end or after its release is seen. Of each byte it is known whether it was
// written.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace simt {

struct Thread;
enum class Did;

struct Allocation {
  uintptr_t begin = 0;
  size_t bytes = 0;
  bool isLive = false;
};

// Nothing where that much is not free.
void* allocateGlobal(size_t bytes);
// False where no allocation begins there.
bool freeGlobal(void* memory);

// A part of an allocation is used from now on, with unknown contents, and nothing around it until that is
// too; or it is not used any more. For allocators that cut up what they have.
void claimGlobal(void* memory, size_t bytes);
void disclaimGlobal(void* memory);

struct MemoryState {
  size_t free, total;
};
MemoryState globalState();
std::vector<Allocation> liveAllocations();

// Whether all of the bytes lie in one live allocation.
bool isLiveGlobal(const void* memory, size_t bytes);
// Copies of the host: these bytes are written, or as much so as those they are copied from.
void markWritten(const void* memory, size_t bytes);
void copyWritten(const void* to, const void* from, size_t bytes);

constexpr size_t kHeapBytes = size_t{2} << 40;
extern char* const heapBase;
inline bool isGlobal(uintptr_t address) {
  return address - reinterpret_cast<uintptr_t>(heapBase) < kHeapBytes;
}

}  // namespace simt
