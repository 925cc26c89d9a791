#pragma once
// Memory of the host of which pages that nobody touches take nothing, and read as zero.
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace simt {

inline char* reserve(size_t bytes) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(memory);
}

// Gives the pages back; they read as zero.
inline void discard(char* begin, size_t bytes) {
  const auto first = (reinterpret_cast<uintptr_t>(begin) + 4095) & ~uintptr_t{4095};
  const auto end = (reinterpret_cast<uintptr_t>(begin) + bytes) & ~uintptr_t{4095};
  if (first < end) madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
}

// Becomes 0, and takes no memory where it is whole pages.
inline void clear(char* begin, size_t bytes) {
  const size_t head = std::min(bytes, (4096 - reinterpret_cast<uintptr_t>(begin) % 4096) % 4096);
  const size_t pages = (bytes - head) / 4096 * 4096;
  std::memset(begin, 0, head);
  discard(begin + head, pages);
  std::memset(begin + head + pages, 0, bytes - head - pages);
}

}  // namespace simt
