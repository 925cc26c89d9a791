#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "runtime/cuda/fault-slot.h"
#include "runtime/cuda/language.h"
#include "runtime/error.h"

namespace crossmap::cuda {

// What a plan depends on.
struct Architecture {
  int capability;  // 80 for sm_80, 90 for sm_90
  int multiprocessors;
  int64_t sharedBytes;  // most that one block can have
};

// Completes "<op>: " with what stood at `index`.
using FaultText = std::function<std::string(int64_t index, int32_t value)>;

// The queue of a device's work. Launchers get it, and nothing else of the device.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual cudaStream_t handle() const = 0;
  virtual const Architecture& architecture() const = 0;

  // A slot for the faults of one launch of an op, empty when that runs.
  virtual FaultSlot* faultSlot(const char* op, ErrorCode code, FaultText text) = 0;
};

}  // namespace crossmap::cuda
