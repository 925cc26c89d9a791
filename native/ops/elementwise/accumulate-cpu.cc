#include "ops/accumulate/accumulate-cpu.h"

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kGrain = 1 << 14;

template <typename Into, typename From>
void addRange(Into* into, const From* from, int64_t begin, int64_t end) {
  int64_t at = begin;
  for (; at + kLanes <= end; at += kLanes) store(into + at, load(into + at) + load(from + at));
  for (; at < end; at++) into[at] = fromFloat<Into>(toFloat(into[at]) + toFloat(from[at]));
}

}  // namespace

template <Isa isa>
void accumulate(const Tensor& into, const Tensor& from) {
  onFloatDType(into.dtype(), [&]<typename Into>(Into) {
    onFloatDType(from.dtype(), [&]<typename From>(From) {
      enqueue(into.device(), "accumulate",
              [to = into.data<Into>(), more = from.data<From>(), count = into.elements()](Context& context) {
                context.pool.parallelFor(count, kGrain,
                                         [&](int64_t begin, int64_t end) { addRange(to, more, begin, end); });
              });
    });
  });
}

template void accumulate<kIsa>(const Tensor&, const Tensor&);

}  // namespace crossmap::cpu
