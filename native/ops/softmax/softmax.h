#pragma once
#include <array>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Softmax over the last axis, and its logarithm:
//   p[t,d] = e^x[t,d] / sum_d e^x[t,d]
// A row that is masked whole, -infinity throughout, has p = 0, log p = -infinity and no gradient.
enum class SoftmaxForm { logSoftmax, softmax };

constexpr auto enumNames(SoftmaxForm) {
  using namespace std::string_view_literals;
  return std::array{"logSoftmax"sv, "softmax"sv};
}

constexpr std::string_view nameOf(SoftmaxForm form) { return enumNames(form)[static_cast<size_t>(form)]; }

struct SoftmaxForward {
  Tensor y;  // like x: p or log p
  // [rows, 2] float32, for the backward pass: the greatest x of a row, and the logarithm of the sum of
  // e^(x - greatest). Apart, since their sum would round away small differences of large x.
  Tensor statistics;

  static constexpr auto fields() {
    return std::tuple(field("y", &SoftmaxForward::y), field("statistics", &SoftmaxForward::statistics));
  }
};

// x [..., features], float32, bfloat16 or float16. Statistics are float32.
SoftmaxForward softmax(SoftmaxForm form, const Tensor& x);

// softmax: dx = p (dy - sum_d dy p); logSoftmax: dx = dy - p sum_d dy. dy and dx like x; p comes from x,
// since a rounded log p would be off by a factor.
Tensor softmaxBackward(SoftmaxForm form, const Tensor& dy, const Tensor& x, const Tensor& statistics);

}  // namespace crossmap
