#pragma once
// Accesses of kernels: where an address lies, and what the checks say of it.
#include <cstddef>
#include <cstdint>

#include "runtime/simt/block.h"

namespace simt {

enum class Did { read, write, atomic };

// Of the calling thread of a kernel; outside of kernels, nothing is checked. Does not return where a GPU
// would refuse the access: the block ends, and the memory is not touched.
void accessDevice(const void* address, size_t bytes, Did did, const void* instruction);
inline void access(const void* address, size_t bytes, Did did, const void* instruction) {
  const auto frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  if ((reinterpret_cast<uintptr_t>(address) ^ frame) < kStackBytes) return;  // its own stack
  accessDevice(address, bytes, did, instruction);
}
// Of shared memory, by a thread that need not be the calling one.
void accessShared(Thread& thread, uint32_t address, uint32_t bytes, Did did, const void* instruction);
void accessGlobal(Thread& thread, uintptr_t address, size_t bytes, Did did, const void* instruction);

[[noreturn]] void refuse(Thread& thread, const char* kind, const void* instruction, const std::string& what);
const char* wordOf(Did did);

}  // namespace simt
