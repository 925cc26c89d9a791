#include "ops/elementwise/elementwise-cpu.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

template <Isa isa>
void accumulate(const Tensor& into, const Tensor& from) {
  onFloatDType(into.dtype(), [&]<typename Into>(Into) {
    onFloatDType(from.dtype(), [&]<typename From>(From) {
      enqueue(into.device(), "accumulate",
              [sum = into.data<Into>(), more = from.data<From>(), count = into.elements()](Context& context) {
                context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                  const auto add = [](Vec a, Vec b) { return a + b; };
                  mapVectors(end - begin, add, sum + begin, sum + begin, more + begin);
                });
              });
    });
  });
}

template void accumulate<kIsa>(const Tensor&, const Tensor&);

}  // namespace crossmap::cpu
