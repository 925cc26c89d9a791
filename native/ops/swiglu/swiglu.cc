#include "ops/swiglu/swiglu.h"

#include "ops/swiglu/swiglu-cpu.h"
#include "ops/swiglu/swiglu-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

Expect expectGate(const char* op, const Tensor& gate) {
  Expect expect(op);
  expect.floating("gate", gate);
  return expect;
}

void expectLike(Expect& expect, const char* name, const Tensor& tensor, const Tensor& gate) {
  expect.sameShape(name, tensor, "gate", gate)
      .sameDType(name, tensor, "gate", gate)
      .sameDevice(name, tensor, "gate", gate);
}

}  // namespace

Tensor swiglu(const Tensor& gate, const Tensor& up) {
  Expect expect = expectGate("swiglu", gate);
  expectLike(expect, "up", up, gate);
  const Tensor y = empty(gate.shape(), gate.dtype(), gate.device());
  onDevice(
      gate.device(), [&]<cpu::Isa isa>() { cpu::swiglu<isa>(gate, up, y); },
      [&](auto& stream) { cuda::swiglu(stream, gate, up, y); });
  return y;
}

SwigluGradients swigluBackward(const Tensor& dy, const Tensor& gate, const Tensor& up) {
  Expect expect = expectGate("swigluBackward", gate);
  expectLike(expect, "up", up, gate);
  expectLike(expect, "dy", dy, gate);
  SwigluGradients out{empty(gate.shape(), gate.dtype(), gate.device()),
                      empty(gate.shape(), gate.dtype(), gate.device())};
  onDevice(
      gate.device(), [&]<cpu::Isa isa>() { cpu::swigluBackward<isa>(dy, gate, up, out); },
      [&](auto& stream) { cuda::swigluBackward(stream, dy, gate, up, out); });
  return out;
}

}  // namespace crossmap
