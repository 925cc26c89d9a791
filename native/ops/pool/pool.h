#pragma once
#include <array>
#include <string_view>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Weights of the tokens of a span of n tokens, which sum to 1: 1/n each; the last token alone; or 1, 2, ...,
// n over n (n + 1) / 2, which favours tokens that have seen more of the span.
enum class Pooling { mean, last, weighted };

constexpr auto enumNames(Pooling) {
  using namespace std::string_view_literals;
  return std::array{"mean"sv, "last"sv, "weighted"sv};
}

// One vector for each span of tokens:
//   p[b] = sum_t weight[b,t] hidden[t]   over starts[b] <= t < ends[b]
//   pooled[b] = p[b], or p[b] / |p[b]| with `normalize`
// An empty span, and with `normalize` one whose p is 0, gives zeros and a gradient of 0.
struct PoolForward {
  Tensor pooled;        // [pairs, features] float32
  Tensor inverseNorms;  // [pairs] float32: 1 / |p[b]|, 0 for an empty span and for |p| = 0; [0] without
                        // `normalize`

  static constexpr auto fields() {
    return std::tuple(field("pooled", &PoolForward::pooled),
                      field("inverseNorms", &PoolForward::inverseNorms));
  }
};

// hidden [tokens, features] float32, bfloat16 or float16; starts, ends [pairs] int32. Sums are float32. A
// span that does not lie within the tokens is a fault, and gives zeros.
PoolForward pool(const Tensor& hidden, const Tensor& starts, const Tensor& ends, Pooling pooling,
                 bool normalize);

// dHidden [tokens, features] in `dtype`: the sum over the spans that a token is in, in the order of the
// spans, rounded once; 0 for tokens in none. `forward` is what pool() returned; its spans have been checked,
// those that were refused have no gradient.
Tensor poolBackward(const Tensor& dPooled, const Tensor& pooled, const Tensor& inverseNorms,
                    const Tensor& starts, const Tensor& ends, Pooling pooling, int64_t tokens, DType dtype);

}  // namespace crossmap
