#pragma once
// The step of one element, for all devices. Kernels only.
#include <cmath>
#include <tuple>

#include "ops/adamw/adamw.h"

namespace crossmap {
namespace {

// The factors of a step, rounded once from double: 1 - beta2 of float32 would be off by 1e-5 of itself.
struct AdamwFactors {
  float beta1, rest1;  // beta1, 1 - beta1
  float beta2, rest2;
  float rate;       // lr / (1 - beta1^t)
  float rootScale;  // 1 / sqrt(1 - beta2^t)
  float eps;
};

[[maybe_unused]] AdamwFactors factorsOf(const AdamwArguments& arguments) {
  const auto [beta1, beta2, step] =
      std::tuple(arguments.beta1, arguments.beta2, static_cast<double>(arguments.step));
  return {static_cast<float>(beta1),
          static_cast<float>(1 - beta1),
          static_cast<float>(beta2),
          static_cast<float>(1 - beta2),
          static_cast<float>(arguments.learningRate / (1 - std::pow(beta1, step))),
          static_cast<float>(1 / std::sqrt(1 - std::pow(beta2, step))),
          static_cast<float>(arguments.eps)};
}

// What is kept of the weights of parameter `index` beside the step: 1 - lr * weightDecay.
[[maybe_unused]] float keepOf(const AdamwArguments& arguments, size_t index) {
  return static_cast<float>(1 - arguments.learningRate * arguments.weightDecays[index]);
}

// V is a float or a vector of them; g is the scaled gradient.
template <typename V, typename Root>
constexpr void adamwStep(const AdamwFactors& factors, float keep, V g, V& m, V& v, V& w, Root&& root) {
  m = factors.beta1 * m + factors.rest1 * g;
  v = factors.beta2 * v + factors.rest2 * (g * g);
  w = keep * w - factors.rate * m / (root(v) * factors.rootScale + factors.eps);
}

}  // namespace
}  // namespace crossmap
