#include "ops/elementwise/binary-expressions.h"
#include "ops/elementwise/elementwise-cpu.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

// An object with a body to inline, not a pointer to call.
template <typename Expression>
constexpr auto value = [](Vec a, Vec b) { return Expression::value(a, b); };

template <typename Expression, typename E>
void enqueueFull(const char* op, const Tensor& a, const Tensor& b, const Tensor& y) {
  enqueue(a.device(), op,
          [a = a.data<E>(), b = b.data<E>(), y = y.data<E>(), count = a.elements()](Context& context) {
            context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
              mapVectors(end - begin, value<Expression>, y + begin, a + begin, b + begin);
            });
          });
}

template <typename Expression, typename E>
void enqueueRow(const char* op, const Tensor& a, const Tensor& b, const Tensor& y, Layout layout) {
  enqueue(a.device(), op, [=, a = a.data<E>(), b = b.data<E>(), y = y.data<E>()](Context& context) {
    const int64_t features = layout.features;
    context.pool.parallelFor(layout.rows, rowGrain(features), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++)
        mapVectors(features, value<Expression>, y + row * features, a + row * features, b);
    });
  });
}

template <typename Expression, typename E>
void enqueueScalar(const char* op, const Tensor& a, const Tensor& b, const Tensor& y) {
  enqueue(a.device(), op,
          [a = a.data<E>(), b = b.raw(), isFloat32 = b.dtype() == DType::float32, y = y.data<E>(),
           count = a.elements()](Context& context) {
            const Vec vb = broadcast(scalarAt<E>(b, isFloat32));
            context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
              const auto withScalar = [&](Vec va) { return Expression::value(va, vb); };
              mapVectors(end - begin, withScalar, y + begin, a + begin);
            });
          });
}

}  // namespace

template <Isa isa>
void binary(Binary op, const Tensor& a, const Tensor& b, const Tensor& y) {
  onFloatDType(a.dtype(), [&]<typename E>(E) {
    onExpression(op, [&]<typename Expression>(Expression) {
      const Layout layout = layoutOf(a, b);
      switch (layout.operand) {
        case Operand::full:
          return enqueueFull<Expression, E>(nameOf(op).data(), a, b, y);
        case Operand::row:
          return enqueueRow<Expression, E>(nameOf(op).data(), a, b, y, layout);
        case Operand::scalar:
          return enqueueScalar<Expression, E>(nameOf(op).data(), a, b, y);
      }
    });
  });
}

template void binary<kIsa>(Binary, const Tensor&, const Tensor&, const Tensor&);

}  // namespace crossmap::cpu
