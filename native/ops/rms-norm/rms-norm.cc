#include "ops/rms-norm/rms-norm.h"

#include "ops/rms-norm/rms-norm-cpu.h"
#include "ops/rms-norm/rms-norm-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

Expect expectNormalizable(const char* op, const char* name, const Tensor& x, const Tensor& weight) {
  Expect expect(op);
  expect.rank(name, x, 2)
      .floating(name, x)
      .that(x.size(1) > 0, ErrorCode::shape, name, "[tokens, features] with at least 1 feature",
            x.shape().text())
      .shape("weight", weight, {x.size(1)}, name, x)
      .sameDType("weight", weight, name, x)
      .sameDevice("weight", weight, name, x);
  return expect;
}

void expectLike(Expect& expect, const char* name, const Tensor& tensor, const Tensor& x) {
  expect.sameShape(name, tensor, "x", x).sameDType(name, tensor, "x", x).sameDevice(name, tensor, "x", x);
}

}  // namespace

RmsNormForward rmsNorm(const Tensor& x, const Tensor& weight, double eps) {
  expectNormalizable("rmsNorm", "x", x, weight).positive("eps", eps);
  RmsNormForward out{empty(x.shape(), x.dtype(), x.device()), empty({x.size(0)}, DType::float32, x.device())};
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::rmsNorm<isa>(x, weight, eps, out); },
      [&](auto& stream) { cuda::rmsNorm(stream, x, weight, eps, out); });
  return out;
}

RmsNormResidualForward rmsNormResidual(const Tensor& x, const Tensor& residual, const Tensor& weight,
                                       double eps) {
  Expect expect = expectNormalizable("rmsNormResidual", "x", x, weight).positive("eps", eps);
  expectLike(expect, "residual", residual, x);
  RmsNormResidualForward out{empty(x.shape(), x.dtype(), x.device()), empty(x.shape(), x.dtype(), x.device()),
                             empty({x.size(0)}, DType::float32, x.device())};
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::rmsNormResidual<isa>(x, residual, weight, eps, out); },
      [&](auto& stream) { cuda::rmsNormResidual(stream, x, residual, weight, eps, out); });
  return out;
}

RmsNormGradients rmsNormBackward(const Tensor& dy, const std::optional<Tensor>& dSum, const Tensor& x,
                                 const Tensor& weight, const Tensor& rstd, const RmsNormWanted& wanted) {
  Expect expect = expectNormalizable("rmsNormBackward", "x", x, weight)
                      .shape("rstd", rstd, {x.size(0)}, "x", x)
                      .dtype("rstd", rstd, DType::float32)
                      .sameDevice("rstd", rstd, "x", x);
  expectLike(expect, "dy", dy, x);
  if (dSum) expectLike(expect, "dSum", *dSum, x);
  RmsNormGradients out;
  if (wanted.x) out.dx = empty(x.shape(), x.dtype(), x.device());
  if (wanted.weight) out.dWeight = empty(weight.shape(), DType::float32, x.device());
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::rmsNormBackward<isa>(dy, dSum, x, weight, rstd, out); },
      [&](auto& stream) { cuda::rmsNormBackward(stream, dy, dSum, x, weight, rstd, out); });
  return out;
}

}  // namespace crossmap
