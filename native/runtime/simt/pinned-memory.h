#pragma once
// Memory of the host that kernels may touch.
#include <cstddef>
#include <cstdint>

namespace simt {

void* allocatePinned(size_t bytes);
bool freePinned(void* memory);
bool isPinned(uintptr_t address, size_t bytes);

}  // namespace simt
