#pragma once
// How the emulator works: the environment variable CROSSMAP_SIMT, for example "check=1,profile=1,seed=7".
#include <cstdint>

namespace simt {

struct Config {
  bool check = true;     // races, bounds, memory that nobody wrote
  bool profile = false;  // counters of memory from the start; countKernels turns them on later
  // 0 runs threads, blocks and streams in order and lets asynchronous copies land as late as they may. Any
  // other number shuffles all of that.
  uint64_t seed = 0;
  int workers = 1;  // threads of the system that execute blocks
  int64_t memoryBytes = int64_t{80} << 30;
  int64_t sharedBytes = 163 << 10;  // most that a block can have, as on sm_80
  int multiprocessors = 4;          // few: plans that fill a GPU fill this one with small tensors
  // 0 executes all blocks of a launch. Another number leaves out, along the grid's first axis, all but the
  // first and the last so many; then memory that nobody wrote reads as 0 and is not reported, for a block
  // that was left out may have been meant to write it.
  int64_t blocks = 0;
};

// Read from the environment when it is first asked for; tests write to it while nothing runs.
Config& config();

// A generator of small state (splitmix64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // From 0 to count - 1.
  uint64_t below(uint64_t count) { return next() % count; }

 private:
  uint64_t state_;
};

}  // namespace simt
