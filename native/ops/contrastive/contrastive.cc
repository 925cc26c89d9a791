#include "ops/contrastive/contrastive.h"

#include <cmath>

#include "ops/contrastive/contrastive-cpu.h"
#include "ops/contrastive/contrastive-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

void checkOptions(Expect& expect, const Tensor& x, const ContrastiveOptions& options) {
  expect.positive("temperature", options.temperature)
      .that(std::isfinite(static_cast<float>(1 / options.temperature)), ErrorCode::argument, "temperature",
            "large enough that 1 / temperature is a float32", numberText(options.temperature))
      .finite("margin", options.margin);
  if (options.threshold) expect.finite("threshold", *options.threshold);
  if (options.theta)
    expect.shape("temperature", *options.theta, {})
        .dtype("temperature", *options.theta, DType::float32)
        .sameDevice("temperature", *options.theta, "x", x);
  if (options.groups)
    expect.shape("groups", *options.groups, {x.size(0)}, "x", x)
        .dtype("groups", *options.groups, DType::int32)
        .sameDevice("groups", *options.groups, "x", x);
  if (options.weights)
    expect.shape("weights", *options.weights, {x.size(0)}, "x", x)
        .dtype("weights", *options.weights, DType::float32)
        .sameDevice("weights", *options.weights, "x", x);
  if (const auto& z = options.negatives)
    expect.rank("negatives", *z, 2)
        .shape("negatives", *z, {z->size(0), x.size(1)}, "x", x)
        .sameDType("negatives", *z, "x", x)
        .sameDevice("negatives", *z, "x", x);
}

int64_t negativesOf(const ContrastiveOptions& options) {
  return options.negatives ? options.negatives->size(0) : 0;
}

Expect expectInputs(const char* op, const Tensor& x, const Tensor& y, const ContrastiveOptions& options) {
  Expect expect(op);
  expect.rank("x", x, 2)
      .floating("x", x)
      .that(x.size(0) > 0, ErrorCode::shape, "x", "[pairs, features] with at least 1 pair", x.shape().text())
      .sameShape("y", y, "x", x)
      .sameDType("y", y, "x", x)
      .sameDevice("y", y, "x", x);
  checkOptions(expect, x, options);
  return expect;
}

Shape statisticsShape(const Tensor& x) { return {kContrastiveStatistics, x.size(0)}; }

Shape normsShape(const Tensor& x, const ContrastiveOptions& options) {
  return {2 * x.size(0) + negativesOf(options)};
}

// What the forward pass has kept, and its gradient.
void expectFloats(Expect& expect, const char* name, const Tensor& tensor, const Shape& shape,
                  const Tensor& x) {
  expect.shape(name, tensor, shape, "x", x)
      .dtype(name, tensor, DType::float32)
      .sameDevice(name, tensor, "x", x);
}

}  // namespace

ContrastiveForward contrastive(const Tensor& x, const Tensor& y, const ContrastiveOptions& options) {
  expectInputs("contrastive", x, y, options);
  const ContrastiveForward out{
      empty({}, DType::float32, x.device()),
      empty(statisticsShape(x), DType::float32, x.device()),
      empty(normsShape(x, options), DType::float32, x.device()),
  };
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::contrastive<isa>(x, y, options, out); },
      [&](auto& stream) { cuda::contrastive(stream, x, y, options, out); });
  return out;
}

ContrastiveBackward contrastiveBackward(const Tensor& dLoss, const Tensor& x, const Tensor& y,
                                        const Tensor& statistics, const Tensor& inverseNorms,
                                        const ContrastiveOptions& options, const ContrastiveWanted& wanted) {
  Expect expect = expectInputs("contrastiveBackward", x, y, options);
  expectFloats(expect, "dLoss", dLoss, {}, x);
  expectFloats(expect, "statistics", statistics, statisticsShape(x), x);
  expectFloats(expect, "inverseNorms", inverseNorms, normsShape(x, options), x);
  const auto like = [](const Tensor& tensor) {
    return empty(tensor.shape(), tensor.dtype(), tensor.device());
  };
  ContrastiveBackward out;
  if (wanted.x) out.dx = like(x);
  if (wanted.y) out.dy = like(y);
  if (wanted.theta && options.theta) out.dTheta = like(*options.theta);
  if (wanted.negatives && options.negatives) out.dNegatives = like(*options.negatives);
  const ContrastiveForward forward{dLoss, statistics, inverseNorms};
  onDevice(
      x.device(), [&]<cpu::Isa isa>() { cpu::contrastiveBackward<isa>(forward, x, y, options, out); },
      [&](auto& stream) { cuda::contrastiveBackward(stream, forward, x, y, options, out); });
  return out;
}

}  // namespace crossmap
