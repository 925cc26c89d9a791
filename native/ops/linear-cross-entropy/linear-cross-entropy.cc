#include "ops/linear-cross-entropy/linear-cross-entropy.h"

#include "ops/linear-cross-entropy/linear-cross-entropy-cpu.h"
#include "ops/linear-cross-entropy/linear-cross-entropy-cuda.h"
#include "runtime/dispatch.h"
#include "runtime/expect.h"

namespace crossmap {

namespace {

void check(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
           const LinearCrossEntropyOptions& options) {
  Expect expect("linearCrossEntropy");
  expect.rank("hidden", hidden, 2)
      .rank("weight", weight, 2)
      .shape("weight", weight, {weight.size(0), hidden.size(1)}, "hidden", hidden)
      .shape("targets", targets, {hidden.size(0)}, "hidden", hidden)
      .floating("hidden", hidden)
      .sameDType("weight", weight, "hidden", hidden)
      .dtype("targets", targets, DType::int32)
      .sameDevice("weight", weight, "hidden", hidden)
      .sameDevice("targets", targets, "hidden", hidden)
      .between("options.labelSmoothing", options.labelSmoothing, 0, 1)
      .notNegative("options.zLoss", options.zLoss);
  if (options.softcap) expect.positive("options.softcap", *options.softcap);
  if (options.normalizer) expect.positive("options.normalizer", *options.normalizer);
  if (options.weights)
    expect.shape("options.weights", *options.weights, {hidden.size(0)}, "hidden", hidden)
        .dtype("options.weights", *options.weights, DType::float32)
        .sameDevice("options.weights", *options.weights, "hidden", hidden);
}

}  // namespace

LinearCrossEntropyForward linearCrossEntropy(const Tensor& hidden, const Tensor& weight,
                                             const Tensor& targets,
                                             const LinearCrossEntropyOptions& options) {
  check(hidden, weight, targets, options);
  const auto floats = [&](const Shape& shape) { return empty(shape, DType::float32, hidden.device()); };
  LinearCrossEntropyForward out{floats({}), {}, {}, {}};
  if (options.logProbabilities) out.logProbabilities = floats(targets.shape());
  if (options.wantsHidden) out.dHidden = floats(hidden.shape());
  if (options.wantsWeight) out.dWeight = floats(weight.shape());
  onDevice(
      hidden.device(),
      [&]<cpu::Isa isa>() { cpu::linearCrossEntropy<isa>(hidden, weight, targets, options, out); },
      [&](auto& stream) { cuda::linearCrossEntropy(stream, hidden, weight, targets, options, out); });
  return out;
}

Tensor linearCrossEntropyBackward(const Tensor& dLoss, const Tensor& gradient, DType dtype) {
  Expect("linearCrossEntropyBackward")
      .shape("dLoss", dLoss, {})
      .dtype("dLoss", dLoss, DType::float32)
      .dtype("gradient", gradient, DType::float32)
      .sameDevice("gradient", gradient, "dLoss", dLoss)
      .that(isFloat(dtype), ErrorCode::dtype, "dtype", "float32, bfloat16 or float16",
            std::string(nameOf(dtype)));
  const bool inPlace = dtype == DType::float32;
  const Tensor out = inPlace ? gradient : empty(gradient.shape(), dtype, gradient.device());
  onDevice(
      gradient.device(), [&]<cpu::Isa isa>() { cpu::linearCrossEntropyBackward<isa>(dLoss, gradient, out); },
      [&](auto& stream) { cuda::linearCrossEntropyBackward(stream, dLoss, gradient, out); });
  return out;
}

}  // namespace crossmap
