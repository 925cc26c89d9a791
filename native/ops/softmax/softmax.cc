#include "ops/softmax/softmax.h"

#include "ops/softmax/softmax-cpu.h"
#include "ops/softmax/softmax-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

// Of the axes but the last.
int64_t rowsOf(const Tensor& x) {
  int64_t rows = 1;
  for (int axis = 0; axis + 1 < x.rank(); axis++) rows *= x.size(axis);
  return rows;
}

}  // namespace

SoftmaxForward softmax(SoftmaxForm form, const Tensor& x) {
  Expect(std::string(nameOf(form))).floating("x", x).rankAtLeast("x", x, 1);
  const SoftmaxForward out{empty(x.shape(), x.dtype(), x.device()),
                           empty({rowsOf(x), 2}, DType::float32, x.device())};
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::softmax<isa>(form, x, out); },
      [&](auto& stream) { cuda::softmax(stream, form, x, out); });
  return out;
}

Tensor softmaxBackward(SoftmaxForm form, const Tensor& dy, const Tensor& x, const Tensor& statistics) {
  Expect(std::string(nameOf(form)))
      .floating("x", x)
      .rankAtLeast("x", x, 1)
      .sameShape("dy", dy, "x", x)
      .sameDType("dy", dy, "x", x)
      .sameDevice("dy", dy, "x", x)
      .shape("statistics", statistics, {rowsOf(x), 2}, "x", x)
      .dtype("statistics", statistics, DType::float32)
      .sameDevice("statistics", statistics, "x", x);
  const Tensor dx = empty(x.shape(), x.dtype(), x.device());
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::softmaxBackward<isa>(form, dy, x, statistics, dx); },
      [&](auto& stream) { cuda::softmaxBackward(stream, form, dy, x, statistics, dx); });
  return dx;
}

}  // namespace crossmap
