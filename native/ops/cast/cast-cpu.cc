#include "ops/cast/cast-cpu.h"

#include "ops/cast/convert.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kGrain = 1 << 14;

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
