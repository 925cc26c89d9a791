#pragma once
#include <cstdint>

namespace crossmap {

constexpr int64_t ceilDiv(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

constexpr int64_t roundUp(int64_t value, int64_t multiple) { return ceilDiv(value, multiple) * multiple; }

// The length of equal parts, as few as the most allows: a multiple of `unit`. The last may be shorter.
constexpr int64_t evenPart(int64_t length, int64_t most, int64_t unit = 1) {
  return roundUp(ceilDiv(length, ceilDiv(length, most)), unit);
}

}  // namespace crossmap
