#include "ops/rotary/rotary.h"

#include "ops/rotary/rotary-cpu.h"
#include "ops/rotary/rotary-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

void check(const char* op, const char* name, const Tensor& x, const Tensor& positions,
           const Tensor& frequencies, double scale) {
  Expect(op)
      .rank(name, x, 3)
      .floating(name, x)
      .that(x.size(2) % 2 == 0, ErrorCode::shape, name, "[tokens, heads, headDim] with an even headDim",
            x.shape().text())
      .shape("positions", positions, {x.size(0)}, name, x)
      .dtype("positions", positions, DType::int32)
      .sameDevice("positions", positions, name, x)
      .shape("frequencies", frequencies, {x.size(2) / 2}, name, x)
      .dtype("frequencies", frequencies, DType::float32)
      .sameDevice("frequencies", frequencies, name, x)
      .finite("scale", scale);
}

}  // namespace

Tensor rotary(const Tensor& x, const Tensor& positions, const Tensor& frequencies, double scale) {
  check("rotary", "x", x, positions, frequencies, scale);
  const Tensor y = empty(x.shape(), x.dtype(), x.device());
  if (x.size(2) == 0) return y;  // of 2^40 heads without features there are none to visit
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::rotary<isa>(x, positions, frequencies, scale, y); },
      [&](auto& stream) { cuda::rotary(stream, x, positions, frequencies, scale, y); });
  return y;
}

Tensor rotaryBackward(const Tensor& dy, const Tensor& positions, const Tensor& frequencies, double scale) {
  check("rotaryBackward", "dy", dy, positions, frequencies, scale);
  const Tensor dx = empty(dy.shape(), dy.dtype(), dy.device());
  if (dy.size(2) == 0) return dx;
  onDevice(
      dy.device(), [&]<cpu::Isa isa>() { cpu::rotaryBackward<isa>(dy, positions, frequencies, scale, dx); },
      [&](auto& stream) { cuda::rotaryBackward(stream, dy, positions, frequencies, scale, dx); });
  return dx;
}

}  // namespace crossmap
