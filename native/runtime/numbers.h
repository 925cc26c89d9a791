#pragma once
#include <cstdint>
#include <limits>
#include <string>

#include "runtime/error.h"

namespace crossmap {

constexpr int64_t ceilDiv(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

constexpr int64_t roundUp(int64_t value, int64_t multiple) { return ceilDiv(value, multiple) * multiple; }

// Narrows where an interface (a kernel, an index) takes no more than an int.
inline int checkedInt(int64_t value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    throw Error(ErrorCode::argument, "a size of " + std::to_string(value) + " exceeds 2^31 - 1");
  return static_cast<int>(value);
}

}  // namespace crossmap
