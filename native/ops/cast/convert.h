#pragma once
// One element in another dtype, for all devices. Kernels only.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "runtime/dtype.h"

namespace crossmap {
namespace {

template <typename To, typename From>
constexpr To convert(From value) {
  if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    const auto wide = static_cast<int64_t>(value);
    return static_cast<To>(std::clamp<int64_t>(wide, Limits::lowest(), Limits::max()));
  } else if constexpr (std::is_integral_v<From>) {
    return fromFloat<To>(static_cast<float>(value));
  } else if constexpr (std::is_integral_v<To>) {
    const double wide = toFloat(value);
    if (wide != wide) return 0;
    if (wide <= static_cast<double>(std::numeric_limits<To>::lowest()))
      return std::numeric_limits<To>::lowest();
    if (wide >= static_cast<double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(wide);
  } else {
    return fromFloat<To>(toFloat(value));
  }
}

}  // namespace
}  // namespace crossmap
