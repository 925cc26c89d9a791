#pragma once
// What emulated kernels did.
#include <cstdint>
#include <string>
#include <vector>

namespace simt {

// Of all launches of a kernel under one name.
struct KernelCounters {
  std::string kernel;  // Launch::op
  int64_t launches = 0;
  int64_t blocks = 0;         // that were executed
  int64_t blocksLeftOut = 0;  // by Config::blocks
  int64_t threads = 0;
  int64_t sharedBytes = 0;    // dynamic, of a block, at most
  int64_t globalSectors = 0;  // of 32 bytes, each once in an access of a warp
  int64_t globalBytes = 0;    // that threads read and write
  int64_t sharedWavefronts = 0;
  int64_t idealSharedWavefronts = 0;  // that the same accesses would take without bank conflicts
  int64_t bfloat16Products = 0;       // mma.sync of a warp, by the dtype of the factors
  int64_t float16Products = 0;
  int64_t tf32Products = 0;
  int64_t barriers = 0;  // that a block passed
};

// Whether kernels count from now on; turning it on starts from nothing.
void countKernels(bool on);

// By name. Waits for the kernels that were launched.
std::vector<KernelCounters> kernelCounters();

}  // namespace simt
