#include "ops/reduce/reduce.h"

#include "ops/reduce/reduce-cpu.h"
#include "ops/reduce/reduce-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

// The shape of the result, once x is known to have the axis.
Shape reducedShape(const Shape& shape, Axis axis) {
  if (axis == Axis::all) return {};
  return Shape(std::vector<int64_t>(shape.sizes().begin(), shape.sizes().end() - 1));
}

// Whether each result is of at least one element.
bool hasElements(const Tensor& x, Axis axis) {
  return axis == Axis::all ? x.elements() > 0 : x.size(x.rank() - 1) > 0;
}

void checkShape(const Expect& expect, const Tensor& x, Axis axis, bool needsElements) {
  Expect check = expect;
  check.floating("x", x);
  if (axis == Axis::last) check.rankAtLeast("x", x, 1);
  if (needsElements && !hasElements(x, axis))
    check.fail(ErrorCode::shape, std::string("x must have at least one element") +
                                     (axis == Axis::last ? " on its last axis" : "") + "; got " +
                                     x.shape().text());
}

}  // namespace

Tensor reduce(Reduction op, const Tensor& x, Axis axis) {
  checkShape(Expect(std::string(nameOf(op))), x, axis, op == Reduction::mean);
  const Tensor y = empty(reducedShape(x.shape(), axis), DType::float32, x.device());
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::reduce<isa>(op, x, axis, y); },
      [&](auto& stream) { cuda::reduce(stream, op, x, axis, y); });
  return y;
}

Tensor reduceBackward(Reduction op, const Tensor& dy, const Shape& shape, DType dtype, Axis axis) {
  const Tensor dx = empty(shape, dtype, dy.device());
  Expect expect{std::string(nameOf(op))};
  checkShape(expect, dx, axis, false);
  expect.dtype("dy", dy, DType::float32).shape("dy", dy, reducedShape(shape, axis), "x", dx);
  onDevice(
      dy.device(), [&]<cpu::Isa isa>() { cpu::reduceBackward<isa>(op, dy, axis, dx); },
      [&](auto& stream) { cuda::reduceBackward(stream, op, dy, axis, dx); });
  return dx;
}

MaxForward reduceMax(const Tensor& x, Axis axis) {
  checkShape(Expect("max"), x, axis, true);
  const Shape shape = reducedShape(x.shape(), axis);
  const MaxForward out{empty(shape, x.dtype(), x.device()), empty(shape, DType::int64, x.device())};
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::reduceMax<isa>(x, axis, out); },
      [&](auto& stream) { cuda::reduceMax(stream, x, axis, out); });
  return out;
}

Tensor reduceMaxBackward(const Tensor& dy, const Tensor& indices, const Shape& shape, Axis axis) {
  const Tensor dx = empty(shape, dy.dtype(), dy.device());
  Expect expect("max");
  checkShape(expect, dx, axis, true);
  expect.shape("dy", dy, reducedShape(shape, axis), "x", dx)
      .dtype("indices", indices, DType::int64)
      .sameShape("indices", indices, "dy", dy)
      .sameDevice("indices", indices, "dy", dy);
  onDevice(
      dy.device(), [&]<cpu::Isa isa>() { cpu::reduceMaxBackward<isa>(dy, indices, axis, dx); },
      [&](auto& stream) { cuda::reduceMaxBackward(stream, dy, indices, axis, dx); });
  return dx;
}

}  // namespace crossmap
