#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

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

class CublasLt;

// Completes "<op>: " with what stood at `index`.
using FaultText = std::function<std::string(int64_t index, int32_t value)>;
using FaultTextOfTwo = std::function<std::string(int64_t index, int32_t value, int32_t other)>;

// The queue of a device's work. Launchers get it, and nothing else of the device.
class Stream {
 public:
  virtual ~Stream() = default;
  // Throws ERR_DEVICE where the device has failed.
  virtual cudaStream_t handle() const = 0;
  virtual const Architecture& architecture() const = 0;

  // A slot for the faults of one launch of an op, empty when that runs.
  virtual FaultSlot* faultSlot(const char* op, ErrorCode code, FaultTextOfTwo text) = 0;
  FaultSlot* faultSlot(const char* op, ErrorCode code, FaultText text) {
    return faultSlot(op, code,
                     FaultTextOfTwo([text = std::move(text)](int64_t index, int32_t value, int32_t) {
                       return text(index, value);
                     }));
  }

  // What a call that enqueued work of the op said. Throws where it is an error, for good where the device has
  // failed.
  virtual void launched(const char* op, cudaError_t status) = 0;

  // Nothing where the system does not have the library.
  virtual CublasLt* cublasLt() = 0;
};

}  // namespace crossmap::cuda
