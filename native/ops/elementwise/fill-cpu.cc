#include <algorithm>

#include "ops/elementwise/elementwise-cpu.h"
#include "ops/elementwise/fill-element.h"
#include "runtime/cpu/cpu-device.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kGrain = 1 << 16;

}  // namespace

template <Isa isa>
void fill(const Tensor& out, double value) {
  onDType(out.dtype(), [&]<typename E>(E) {
    enqueue(out.device(), "fill", [=, to = out.data<E>(), count = out.elements()](Context& context) {
      const E element = elementOf<E>(value);
      context.pool.parallelFor(count, kGrain,
                               [&](int64_t begin, int64_t end) { std::fill(to + begin, to + end, element); });
    });
  });
}

template void fill<kIsa>(const Tensor&, double);

}  // namespace crossmap::cpu
