#pragma once
// Faults that only the running op can find, such as a token id out of range: the host reads them at its next
// synchronisation (stream.h).
#include <cstdint>

#include "runtime/cuda/fault-slot.h"
#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// Of all reports to a slot the one with the least index stays. `other` is a second value, where one does not
// say it all.
__device__ inline void reportFault(FaultSlot* slot, int64_t index, int32_t value, int32_t other = 0) {
  const auto above = static_cast<unsigned long long>(index) << 32;
  atomicMin(&slot->report, above | static_cast<uint32_t>(value));
  atomicMin(&slot->other, above | static_cast<uint32_t>(other));
}

// Whether a kernel that ran before this one reported a fault.
__device__ inline bool hasFault(const FaultSlot* slot) { return slot->report != kNoFault; }

}  // namespace crossmap::cuda
