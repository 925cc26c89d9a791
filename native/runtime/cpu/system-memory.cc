#include "runtime/cpu/system-memory.h"

#include <cstdlib>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kAlignment = kMemoryPolicy.alignment;
constexpr int64_t kHugePage = int64_t{2} << 20;

}  // namespace

void* SystemMemory::take(int64_t bytes) {
  const int64_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  void* memory =
      std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(roundUp(bytes, alignment)));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (memory && alignment == kHugePage) madvise(memory, static_cast<size_t>(bytes), MADV_HUGEPAGE);
#endif
  return memory;
}

void SystemMemory::give(void* memory) { std::free(memory); }

}  // namespace crossmap::cpu
