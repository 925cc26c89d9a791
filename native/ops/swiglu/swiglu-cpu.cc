#include "ops/swiglu/swiglu-cpu.h"

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

template <typename E>
struct Gated {
  const E* gate;
  const E* up;

  void forward(E* y, int64_t begin, int64_t end) const {
    const auto gated = [](Vec g, Vec u) { return g * sigmoid(g) * u; };
    mapVectors(end - begin, gated, y + begin, gate + begin, up + begin);
  }

  void backward(const E* dy, E* dGate, E* dUp, int64_t begin, int64_t end) const {
    for (int64_t at = begin; at < end; at += kLanes) {
      const Vec g = loadWithin(gate, at, end);
      const Vec d = loadWithin(dy, at, end);
      const Vec s = sigmoid(g);
      storeWithin(dGate, at, end, d * loadWithin(up, at, end) * (s * (1.f + g * (1.f - s))));
      storeWithin(dUp, at, end, d * (g * s));
    }
  }
};

}  // namespace

template <Isa isa>
void swiglu(const Tensor& gate, const Tensor& up, const Tensor& y) {
  onFloatDType(gate.dtype(), [&]<typename E>(E) {
    const Gated<E> gated{gate.data<E>(), up.data<E>()};
    enqueue(gate.device(), "swiglu", [gated, y = y.data<E>(), count = y.elements()](Context& context) {
      context.pool.parallelFor(count, kGrain,
                               [&](int64_t begin, int64_t end) { gated.forward(y, begin, end); });
    });
  });
}

template <Isa isa>
void swigluBackward(const Tensor& dy, const Tensor& gate, const Tensor& up, const SwigluGradients& out) {
  onFloatDType(gate.dtype(), [&]<typename E>(E) {
    const Gated<E> gated{gate.data<E>(), up.data<E>()};
    enqueue(gate.device(), "swigluBackward",
            [gated, dy = dy.data<E>(), dGate = out.dGate.data<E>(), dUp = out.dUp.data<E>(),
             count = gate.elements()](Context& context) {
              context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                gated.backward(dy, dGate, dUp, begin, end);
              });
            });
  });
}

template void swiglu<kIsa>(const Tensor&, const Tensor&, const Tensor&);
template void swigluBackward<kIsa>(const Tensor&, const Tensor&, const Tensor&, const SwigluGradients&);

}  // namespace crossmap::cpu
