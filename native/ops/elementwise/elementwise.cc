#include "ops/elementwise/elementwise.h"

#include "ops/elementwise/elementwise-cpu.h"
#include "ops/elementwise/elementwise-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

Expect expect(std::string_view op) { return Expect(std::string(op)); }

void checkOptions(Unary op, const UnaryOptions& options) {
  if (op == Unary::scale) expect(nameOf(op)).finite("factor", options.factor);
  if (op == Unary::clamp)
    expect(nameOf(op))
        .that(options.low <= options.high, ErrorCode::argument, "low",
              "at most high, " + numberText(options.high), numberText(options.low));
}

bool isRowOf(const Tensor& b, const Tensor& a) {
  return b.rank() == 1 && a.rank() >= 1 && a.size(a.rank() - 1) == b.size(0);
}

// The shapes that b may have.
std::string shapesBeside(const Tensor& a) {
  if (a.rank() == 0) return "[]";
  const std::string row = a.rank() > 1 ? ", " + Shape{a.size(a.rank() - 1)}.text() : "";
  return a.shape().text() + row + " or []";
}

void checkOperands(Binary op, const Tensor& a, const Tensor& b) {
  const Expect check = expect(nameOf(op));
  Expect(check).floating("a", a).floating("b", b).sameDevice("b", b, "a", a);
  if (b.shape() != a.shape() && b.rank() > 0 && !isRowOf(b, a))
    check.fail(ErrorCode::shape, "b must be " + shapesBeside(a) + " to match a; got " + b.shape().text());
  if (b.rank() > 0 || b.dtype() != DType::float32) Expect(check).sameDType("b", b, "a", a);
}

template <typename E>
bool isInteger(E, double value) {
  return value == std::trunc(value) && value >= static_cast<double>(std::numeric_limits<E>::lowest()) &&
         std::abs(value) <= 0x1p53 && value <= static_cast<double>(std::numeric_limits<E>::max());
}

bool holds(DType dtype, double value) {
  if (dtype == DType::int32) return isInteger(int32_t{}, value);
  if (dtype == DType::int64) return isInteger(int64_t{}, value);
  if (dtype == DType::uint8) return isInteger(uint8_t{}, value);
  return true;
}

}  // namespace

Tensor unary(Unary op, const Tensor& x, const UnaryOptions& options) {
  expect(nameOf(op)).floating("x", x);
  checkOptions(op, options);
  const Tensor y = empty(x.shape(), x.dtype(), x.device());
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::unary<isa>(op, x, options, y); },
      [&](auto& stream) { cuda::unary(stream, op, x, options, y); });
  return y;
}

Tensor unaryBackward(Unary op, const Tensor& dy, const Tensor& x, const UnaryOptions& options) {
  expect(nameOf(op))
      .floating("x", x)
      .sameShape("dy", dy, "x", x)
      .sameDType("dy", dy, "x", x)
      .sameDevice("dy", dy, "x", x);
  checkOptions(op, options);
  const Tensor dx = empty(x.shape(), x.dtype(), x.device());
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::unaryBackward<isa>(op, dy, x, options, dx); },
      [&](auto& stream) { cuda::unaryBackward(stream, op, dy, x, options, dx); });
  return dx;
}

Tensor binary(Binary op, const Tensor& a, const Tensor& b) {
  checkOperands(op, a, b);
  const Tensor y = empty(a.shape(), a.dtype(), a.device());
  onDevice(
      a.device(), [&]<cpu::Isa isa>() { cpu::binary<isa>(op, a, b, y); },
      [&](auto& stream) { cuda::binary(stream, op, a, b, y); });
  return y;
}

BinaryGradients binaryBackward(Binary op, const Tensor& dy, const Tensor& a, const Tensor& b, bool wantsA,
                               bool wantsB) {
  checkOperands(op, a, b);
  expect(nameOf(op)).sameShape("dy", dy, "a", a).sameDType("dy", dy, "a", a).sameDevice("dy", dy, "a", a);
  BinaryGradients out;
  if (wantsA) out.da = empty(a.shape(), a.dtype(), a.device());
  const bool isRepeated = b.rank() == 0 || b.shape() != a.shape();
  if (wantsB) out.db = empty(b.shape(), isRepeated ? DType::float32 : b.dtype(), b.device());
  onDevice(
      a.device(), [&]<cpu::Isa isa>() { cpu::binaryBackward<isa>(op, dy, a, b, out); },
      [&](auto& stream) { cuda::binaryBackward(stream, op, dy, a, b, out); });
  return out;
}

void accumulate(const Tensor& into, const Tensor& from) {
  Expect("accumulate")
      .floating("into", into)
      .floating("from", from)
      .sameShape("from", from, "into", into)
      .sameDevice("from", from, "into", into);
  onDevice(
      into.device(), [&]<cpu::Isa isa>() { cpu::accumulate<isa>(into, from); },
      [&](auto& stream) { cuda::accumulate(stream, into, from); });
}

Tensor fill(const Shape& shape, DType dtype, const Device& device, double value) {
  Expect("fill").that(holds(dtype, value), ErrorCode::argument, "value",
                      "a whole number that " + std::string(nameOf(dtype)) + " can hold", numberText(value));
  const Tensor out = empty(shape, dtype, device);
  onDevice(
      device, [&]<cpu::Isa isa>() { cpu::fill<isa>(out, value); },
      [&](auto& stream) { cuda::fill(stream, out, value); });
  return out;
}

}  // namespace crossmap
