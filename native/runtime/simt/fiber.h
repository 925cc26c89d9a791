#pragma once
// Stacks of a block's threads, and the switch from one to another: a thread of CUDA is a fiber, and all
// fibers of a block live on one thread of the system, so that device code needs no locks.
#include <cstddef>
#include <cstdint>

namespace simt {

// A power of two, and the alignment: the stack pointer tells which thread runs.
constexpr size_t kStackBytes = size_t{128} << 10;
// At its top, what the emulator knows of the thread, at another cache line for each lane: equal page offsets
// would share few sets of the cache.
constexpr size_t kThreadArea = 8192;
constexpr size_t kThreadStep = 128;

// Saves the callee's registers and the stack pointer to *save, and goes on where `to` was saved.
extern "C" void simtSwitch(void** save, void* to);

// Memory for so many stacks, each with a page below it that may not be touched.
char* mapStacks(int count);

// What simtSwitch goes to first: `entry` on an empty stack that ends at `top`. `entry` does not return.
void* startStack(char* top, void (*entry)());

inline char* stackAt(const void* inside) {
  return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(inside) & ~(kStackBytes - 1));
}

// Where the thread of that stack is described.
inline char* threadPlace(char* stack) {
  return stack + kStackBytes - kThreadArea +
         reinterpret_cast<uintptr_t>(stack) / kStackBytes % 32 * kThreadStep;
}

}  // namespace simt
