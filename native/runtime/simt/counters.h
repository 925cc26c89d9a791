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
  int64_t fmas = 0;              // of lanes, that kernels write as fmaf
  int64_t specialFunctions = 0;  // of lanes: instructions of the special-function unit
  int64_t barriers = 0;          // that a block passed
};

// How a kernel was launched.
struct LaunchShape {
  int64_t entry = 0;  // of its code, in bytes from where the program or library that holds it is loaded
  int64_t threads = 0;
  int64_t sharedBytes = 0;  // dynamic, of a block
};

// Whether kernels count from now on; turning it on starts from nothing.
void countKernels(bool on);

// By name. Waits for the kernels that were launched.
std::vector<KernelCounters> kernelCounters();

// Each kernel with each of its shapes, once. Waits for the kernels that were launched.
std::vector<LaunchShape> kernelLaunches();

}  // namespace simt
