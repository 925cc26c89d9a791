#include "runtime/simt/pinned-memory.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

namespace simt {

namespace {

struct Pinned {
  std::mutex mutex;
  std::map<uintptr_t, size_t> ranges;
};

Pinned& pinned() {
  static Pinned& instance = *std::make_unique<Pinned>().release();
  return instance;
}

}  // namespace

void* allocatePinned(size_t bytes) {
  constexpr size_t kPage = 4096;
  void* memory = std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage + (bytes == 0 ? kPage : 0));
  if (!memory) return nullptr;
  const std::lock_guard lock(pinned().mutex);
  pinned().ranges[reinterpret_cast<uintptr_t>(memory)] = bytes;
  return memory;
}

bool freePinned(void* memory) {
  {
    const std::lock_guard lock(pinned().mutex);
    if (!pinned().ranges.erase(reinterpret_cast<uintptr_t>(memory))) return false;
  }
  std::free(memory);
  return true;
}

bool isPinned(uintptr_t address, size_t bytes) {
  const std::lock_guard lock(pinned().mutex);
  auto next = pinned().ranges.upper_bound(address);
  if (next == pinned().ranges.begin()) return false;
  const auto& [begin, size] = *--next;
  return address + bytes <= begin + size;
}

}  // namespace simt
