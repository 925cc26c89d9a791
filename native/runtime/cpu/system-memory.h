#pragma once
#include "runtime/caching-allocator.h"

namespace crossmap::cpu {

// Memory of the process, in huge pages where blocks are large enough.
class SystemMemory : public MemorySource {
 public:
  void* take(int64_t bytes) override;
  void give(void* memory) override;
  // What a process cannot have now it will not have after its ops: a 64-bit system lends more than there is.
  bool settle() override { return false; }
  std::string room() const override { return ""; }
};

// No slabs: the C library cuts small blocks itself.
inline constexpr AllocatorPolicy kMemoryPolicy{
    .device = "cpu", .alignment = 64, .smallBytes = 0, .slabBytes = 0, .wastedEighths = 0};

}  // namespace crossmap::cpu
