#pragma once
#include <array>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// What a reduction takes together: all elements, giving [], or those of the last axis, giving x [...,
// features] the shape [...]. The order of every sum is fixed by the shape.
enum class Axis { all, last };

constexpr auto enumNames(Axis) {
  using namespace std::string_view_literals;
  return std::array{"all"sv, "last"sv};
}

enum class Reduction { mean, sum };

constexpr auto enumNames(Reduction) {
  using namespace std::string_view_literals;
  return std::array{"mean"sv, "sum"sv};
}

constexpr std::string_view nameOf(Reduction op) { return enumNames(op)[static_cast<size_t>(op)]; }

// The sum, 0 of nothing, or the mean, of at least one element. x float32, bfloat16 or float16; the result is
// float32: a sum of many small terms does not fit in fewer bits.
Tensor reduce(Reduction op, const Tensor& x, Axis axis);

// dx [shape] in `dtype`, from dy, float32 in the shape of the result.
Tensor reduceBackward(Reduction op, const Tensor& dy, const Shape& shape, DType dtype, Axis axis);

struct MaxForward {
  Tensor y;        // the greatest elements, dtype of x; NaN where one is NaN
  Tensor indices;  // int64, like y: the first place of each in its row, or among all

  static constexpr auto fields() {
    return std::tuple(field("y", &MaxForward::y), field("indices", &MaxForward::indices));
  }
};

// Of at least one element. x float32, bfloat16 or float16.
MaxForward reduceMax(const Tensor& x, Axis axis);

// dx [shape], dtype of dy: the gradient goes to the element at the index; nowhere where there is none.
Tensor reduceMaxBackward(const Tensor& dy, const Tensor& indices, const Shape& shape, Axis axis);

}  // namespace crossmap
