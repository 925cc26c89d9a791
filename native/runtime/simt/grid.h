#pragma once
// One launch.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/simt/vector-types.h"

namespace simt {

class Turns;

struct Grid {
  std::string kernel;
  const void* entry = nullptr;  // of the kernel's code
  dim3 blocks, threads;
  size_t sharedBytes = 0;
  void (*call)(const void* arguments) = nullptr;
  const void* arguments = nullptr;
  size_t argumentBytes = 0;
  uint32_t firstSerial = 0;  // of its blocks; 0: not tracked
  uint64_t seed = 0;
  bool checks = false, profiles = false;
  Turns* turns = nullptr;  // of its blocks

  uint64_t blockCount() const { return uint64_t{blocks.x} * blocks.y * blocks.z; }
  uint32_t threadCount() const { return threads.x * threads.y * threads.z; }
};

// Executes it, on several threads of the system, and adds to the counters of its name.
void runGrid(Grid grid);

}  // namespace simt
