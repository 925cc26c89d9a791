#include "ops/elementwise/elementwise-cpu.h"
#include "ops/elementwise/unary-expressions.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

struct VecMath {
  using Value = Vec;
  static Vec of(float value) { return broadcast(value); }
  static Vec exp(Vec x) { return cpu::exp(x); }
  static Vec log(Vec x) { return cpu::log(x); }
  static Vec sigmoid(Vec x) { return cpu::sigmoid(x); }
  static Vec sqrt(Vec x) { return cpu::sqrt(x); }
  static Vec tanh(Vec x) { return cpu::tanh(x); }
};

}  // namespace

template <Isa isa>
void unary(Unary op, const Tensor& x, const UnaryOptions& options, const Tensor& y) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    onExpression<VecMath>(op, options, [&](auto expression) {
      enqueue(x.device(), nameOf(op).data(),
              [=, from = x.data<E>(), to = y.data<E>(), count = x.elements()](Context& context) {
                context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                  const auto value = [&](Vec x) { return expression.value(x); };
                  mapVectors(end - begin, value, to + begin, from + begin);
                });
              });
    });
  });
}

template <Isa isa>
void unaryBackward(Unary op, const Tensor& dy, const Tensor& x, const UnaryOptions& options,
                   const Tensor& dx) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    onExpression<VecMath>(op, options, [&](auto expression) {
      enqueue(x.device(), nameOf(op).data(),
              [=, dy = dy.data<E>(), from = x.data<E>(), to = dx.data<E>(),
               count = x.elements()](Context& context) {
                context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                  const auto chain = [&](Vec dy, Vec x) { return dy * expression.derivative(x); };
                  mapVectors(end - begin, chain, to + begin, dy + begin, from + begin);
                });
              });
    });
  });
}

template void unary<kIsa>(Unary, const Tensor&, const UnaryOptions&, const Tensor&);
template void unaryBackward<kIsa>(Unary, const Tensor&, const Tensor&, const UnaryOptions&, const Tensor&);

}  // namespace crossmap::cpu
