#pragma once
#include <cstdint>

namespace crossmap::cuda {

inline constexpr unsigned long long kNoFault = ~0ull;

// In device memory: the least index at which an op found a fault, above the value that it found there.
struct FaultSlot {
  unsigned long long report;
};

}  // namespace crossmap::cuda
