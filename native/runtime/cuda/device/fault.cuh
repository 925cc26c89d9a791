#pragma once
// Faults that only the running op can find, such as a token id out of range: the host reads them at its next
// synchronisation (stream.h).
#include <cstdint>

#include "runtime/cuda/fault-slot.h"
#include "runtime/cuda/language.h"

namespace crossmap::cuda {

// Of all reports to a slot the one with the least index stays.
__device__ inline void reportFault(FaultSlot* slot, int64_t index, int32_t value) {
  atomicMin(&slot->report, static_cast<unsigned long long>(index) << 32 | static_cast<uint32_t>(value));
}

// Whether a kernel that ran before this one reported a fault.
__device__ inline bool hasFault(const FaultSlot* slot) { return slot->report != kNoFault; }

}  // namespace crossmap::cuda
