#pragma once
#include <cstdint>

namespace crossmap {

constexpr int64_t ceilDiv(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

constexpr int64_t roundUp(int64_t value, int64_t multiple) { return ceilDiv(value, multiple) * multiple; }

}  // namespace crossmap
