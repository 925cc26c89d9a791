#pragma once
#include <optional>
#include <tuple>
#include <vector>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// AdamW over many tensors. Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with the decay of
// PyTorch, lr * weightDecay, where the paper has its schedule multiplier times lambda. For each element, in
// step t:
//   g = gradientScale * gradient
//   m = beta1 m + (1 - beta1) g            v = beta2 v + (1 - beta2) g^2
//   w = w - lr (weightDecay w + (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps))
// w is the master where there is one, and the parameter then is w rounded to its dtype; else w is the
// parameter.
//
// A gradientScale that is not finite leaves everything as it was; without one, a gradient that is not finite
// makes its elements of m, v and w so.
struct AdamwArguments {
  std::vector<Tensor> parameters;  // float32, bfloat16 or float16; none twice
  std::vector<Tensor>
      gradients;  // [parameters] float32, each in the shape of its parameter, like all that follow
  // [parameters] float32 for bfloat16 and float16, which need one; none for float32. Empty: none at all.
  std::vector<std::optional<Tensor>> masters;
  std::vector<Tensor> firstMoments;     // [parameters] float32: m
  std::vector<Tensor> secondMoments;    // [parameters] float32: v
  std::vector<double> weightDecays;     // [parameters] 0 or more
  double learningRate = 0;              // 0 or more
  double beta1 = 0;                     // 0 to 1, 1 left out
  double beta2 = 0;                     // 0 to 1, 1 left out
  double eps = 0;                       // above 0
  int64_t step = 0;                     // t, from 1
  std::optional<Tensor> gradientScale;  // [] float32, default 1

  static constexpr auto fields() {
    using Self = AdamwArguments;
    return std::tuple(field("parameters", &Self::parameters), field("gradients", &Self::gradients),
                      field("masters", &Self::masters), field("firstMoments", &Self::firstMoments),
                      field("secondMoments", &Self::secondMoments),
                      field("weightDecays", &Self::weightDecays), field("learningRate", &Self::learningRate),
                      field("beta1", &Self::beta1), field("beta2", &Self::beta2), field("eps", &Self::eps),
                      field("step", &Self::step), field("gradientScale", &Self::gradientScale));
  }
};

// Updates parameters, masters and moments in place.
void adamw(const AdamwArguments& arguments);

}  // namespace crossmap
