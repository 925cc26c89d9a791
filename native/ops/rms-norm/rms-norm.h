#pragma once
#include <optional>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// RMSNorm over features. Zhang and Sennrich 2019, arXiv:1910.07467, with eps as in Llama.
//   rstd[t] = 1 / sqrt(mean_d x[t,d]^2 + eps)        y[t,d] = x[t,d] * rstd[t] * weight[d]
struct RmsNormForward {
  Tensor y;     // [tokens, features], dtype of x
  Tensor rstd;  // [tokens] float32, kept for the backward pass

  static constexpr auto fields() {
    return std::tuple(field("y", &RmsNormForward::y), field("rstd", &RmsNormForward::rstd));
  }
};

// x [tokens, features], weight [features], one float dtype; features > 0; eps > 0. Sums are float32, so they
// overflow where the squares of a row add up to more than 3e38: such a row gives zeros.
RmsNormForward rmsNorm(const Tensor& x, const Tensor& weight, double eps);

struct RmsNormResidualForward {
  Tensor y;     // [tokens, features], dtype of x
  Tensor sum;   // [tokens, features], dtype of x
  Tensor rstd;  // [tokens] float32, kept for the backward pass

  static constexpr auto fields() {
    return std::tuple(field("y", &RmsNormResidualForward::y), field("sum", &RmsNormResidualForward::sum),
                      field("rstd", &RmsNormResidualForward::rstd));
  }
};

// sum = x + residual, rounded to the dtype, and y = rmsNorm(sum), in one pass.
// x and residual [tokens, features], weight [features], one float dtype.
RmsNormResidualForward rmsNormResidual(const Tensor& x, const Tensor& residual, const Tensor& weight,
                                       double eps);

// Which gradients rmsNormBackward computes.
struct RmsNormWanted {
  bool x = true;
  bool weight = true;

  static constexpr auto fields() {
    return std::tuple(field("x", &RmsNormWanted::x), field("weight", &RmsNormWanted::weight));
  }
};

struct RmsNormGradients {
  std::optional<Tensor> dx;       // [tokens, features], dtype of x
  std::optional<Tensor> dWeight;  // [features] float32

  static constexpr auto fields() {
    return std::tuple(field("dx", &RmsNormGradients::dx), field("dWeight", &RmsNormGradients::dWeight));
  }
};

// Both gradients in one pass, where xHat = x * rstd:
//   dx[t,d] = rstd[t] * (dy[t,d] weight[d] - xHat[t,d] * mean_e dy[t,e] weight[e] xHat[t,e]) + dSum[t,d]
//   dWeight[d] = sum_t dy[t,d] * xHat[t,d]
// x is what was normalised: that of rmsNorm, or the sum of rmsNormResidual, whose own gradient is dSum and
// whose dx is that of x and of the residual. dy and dSum are like x; rstd is the forward pass's.
RmsNormGradients rmsNormBackward(const Tensor& dy, const std::optional<Tensor>& dSum, const Tensor& x,
                                 const Tensor& weight, const Tensor& rstd, const RmsNormWanted& wanted);

}  // namespace crossmap
