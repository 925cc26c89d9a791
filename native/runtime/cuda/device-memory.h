#pragma once
#include "runtime/caching-allocator.h"
#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// The device's own memory.
class DeviceMemory : public MemorySource {
 public:
  void* take(int64_t bytes) override;
  void give(void* memory) override;
  bool settle() override;
  std::string room() const override;
};

// Memory of the process that the device can copy from and to while others work.
class PinnedMemory : public MemorySource {
 public:
  void* take(int64_t bytes) override;
  void give(void* memory) override;
  bool settle() override { return false; }
  std::string room() const override { return ""; }
};

}  // namespace crossmap::cuda
