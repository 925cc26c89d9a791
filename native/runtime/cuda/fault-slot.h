#pragma once
#include <cstdint>

namespace crossmap::cuda {

inline constexpr unsigned long long kNoFault = ~0ull;

// In device memory: the least index at which an op found a fault, above each of the two values that it found
// there. Both have the same index, so they belong together.
struct FaultSlot {
  unsigned long long report;
  unsigned long long other;
};

}  // namespace crossmap::cuda
