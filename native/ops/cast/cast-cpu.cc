#include "ops/cast/cast-cpu.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kGrain = 1 << 14;

template <typename To, typename From>
To convert(From value) {
  if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    const auto wide = static_cast<int64_t>(value);
    return static_cast<To>(std::clamp<int64_t>(wide, Limits::lowest(), Limits::max()));
  } else if constexpr (std::is_integral_v<From>) {
    return fromFloat<To>(static_cast<float>(value));
  } else if constexpr (std::is_integral_v<To>) {
    const double wide = toFloat(value);
    if (std::isnan(wide)) return 0;
    if (wide <= static_cast<double>(std::numeric_limits<To>::lowest()))
      return std::numeric_limits<To>::lowest();
    if (wide >= static_cast<double>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(wide);
  } else {
    return fromFloat<To>(toFloat(value));
  }
}

template <typename To, typename From>
void convertRange(To* to, const From* from, int64_t begin, int64_t end) {
  int64_t at = begin;
  if constexpr (!std::is_integral_v<From> && !std::is_integral_v<To>)
    for (; at + kLanes <= end; at += kLanes) store(to + at, load(from + at));
  for (; at < end; at++) to[at] = convert<To>(from[at]);
}

}  // namespace

template <Isa isa>
void cast(const Tensor& x, const Tensor& out) {
  onDType(x.dtype(), [&]<typename From>(From) {
    onDType(out.dtype(), [&]<typename To>(To) {
      enqueue(x.device(), "cast",
              [from = x.data<From>(), to = out.data<To>(), count = x.elements()](Context& context) {
                context.pool.parallelFor(
                    count, kGrain, [&](int64_t begin, int64_t end) { convertRange(to, from, begin, end); });
              });
    });
  });
}

template void cast<kIsa>(const Tensor&, const Tensor&);

}  // namespace crossmap::cpu
