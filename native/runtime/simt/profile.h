#pragma once
// Counts of what a kernel does. Accesses of a warp are put together from those of its lanes: the same
// instruction, between two instructions at which the warp meets.
#include <cstdint>
#include <vector>

#include "runtime/simt/counters.h"

namespace simt {

struct Block;
struct Grid;
struct Warp;

struct Counts {
  int64_t blocks = 0, blocksLeftOut = 0, threads = 0, switches = 0, warpInstructions = 0, barriers = 0;
  int64_t products[3] = {};  // by MatrixKind
  int64_t matrixLoads = 0, shuffles = 0, copiedBytes = 0;
  int64_t fmas = 0, specialFunctions = 0;  // of lanes
  int64_t globalRequests = 0, globalSectors = 0, globalBytes = 0;
  int64_t sharedRequests = 0, sharedWavefronts = 0, idealSharedWavefronts = 0, sharedBytes = 0;

  void add(const Counts& other);
};

struct Access {
  const void* instruction;
  uintptr_t address;  // in shared memory, its offset
  uint32_t bytes;
  bool isShared;
};

using AccessLog = std::vector<Access>;

// Counts the logs of the warp's lanes and empties them.
void countAccesses(Block& block, Warp& warp);
// One ldmatrix of 8 rows.
void countMatrixRows(Counts& counts, const uint32_t (&addresses)[8]);

void recordLaunch(const Grid& grid, const Counts& counts);
bool isCounting();
// Turning it on starts from nothing.
void startCounting(bool on);
// By name, more than KernelCounters has.
struct NamedCounts {
  std::string kernel;
  int64_t launches = 0;
  int64_t sharedBytes = 0;
  Counts counts;
};
std::vector<NamedCounts> countsByKernel();
// Each kernel and shape once, in the order of their addresses.
std::vector<LaunchShape> launchShapes();

}  // namespace simt
