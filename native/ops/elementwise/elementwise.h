#pragma once
#include <limits>
#include <optional>
#include <tuple>

#include "runtime/fields.h"
#include "runtime/tensor.h"

namespace crossmap {

// Ops whose elements do not meet. Arithmetic is float32; results are rounded once, to the dtype of the
// output.

// y = f(x). What f is for numbers that are not finite, IEEE 754 says: log(-1) is NaN, exp(1000) infinity.
enum class Unary {
  clamp,    // min(max(x, low), high); derivative 1 from low to high, both included, else 0
  exp,      // e^x
  gelu,     // x / (1 + e^(-2u)) with u = sqrt(2/pi) (x + 0.044715 x^3): the tanh form. Hendrycks and Gimpel
            // 2016, arXiv:1606.08415
  log,      // natural logarithm
  negate,   // -x
  relu,     // max(x, 0); derivative 0 at 0
  scale,    // x * factor
  sigmoid,  // 1 / (1 + e^-x)
  silu,     // x / (1 + e^-x)
  sqrt,     // square root
  square,   // x * x
  tanh,     // hyperbolic tangent
};

constexpr auto enumNames(Unary) {
  using namespace std::string_view_literals;
  return std::array{"clamp"sv, "exp"sv,     "gelu"sv, "log"sv,  "negate"sv, "relu"sv,
                    "scale"sv, "sigmoid"sv, "silu"sv, "sqrt"sv, "square"sv, "tanh"sv};
}

constexpr std::string_view nameOf(Unary op) { return enumNames(op)[static_cast<size_t>(op)]; }

struct UnaryOptions {
  float factor = 1;                                     // of scale
  float low = -std::numeric_limits<float>::infinity();  // of clamp; low <= high
  float high = std::numeric_limits<float>::infinity();  // of clamp

  static constexpr auto fields() {
    return std::tuple(field("factor", &UnaryOptions::factor), field("low", &UnaryOptions::low),
                      field("high", &UnaryOptions::high));
  }
};

// x any shape, float32, bfloat16 or float16; y like x.
Tensor unary(Unary op, const Tensor& x, const UnaryOptions& options);

// dx = dy f'(x), from x alone: it is mostly kept anyway, and a rounded y would lose small derivatives. dy and
// dx like x.
Tensor unaryBackward(Unary op, const Tensor& dy, const Tensor& x, const UnaryOptions& options);

// y = f(a, b), with b repeated to the shape of a.
enum class Binary {
  add,       // a + b
  divide,    // a / b
  maximum,   // the greater one, NaN if one is; where they are equal each has half the gradient
  minimum,   // the lesser one, likewise
  multiply,  // a * b
  subtract,  // a - b
};

constexpr auto enumNames(Binary) {
  using namespace std::string_view_literals;
  return std::array{"add"sv, "divide"sv, "maximum"sv, "minimum"sv, "multiply"sv, "subtract"sv};
}

constexpr std::string_view nameOf(Binary op) { return enumNames(op)[static_cast<size_t>(op)]; }

// a any shape, float32, bfloat16 or float16; b the shape of a, or [features] for a [..., features], in the
// dtype of a; or [] in that dtype or in float32. y like a.
Tensor binary(Binary op, const Tensor& a, const Tensor& b);

struct BinaryGradients {
  std::optional<Tensor> da;  // like a
  // Like b where b has the shape of a. Where b was repeated: float32, summed over the repetitions in an order
  // that the shape fixes.
  std::optional<Tensor> db;

  static constexpr auto fields() {
    return std::tuple(field("da", &BinaryGradients::da), field("db", &BinaryGradients::db));
  }
};

// The gradients that are wanted. dy like a. The elements of a are not read by add and subtract, nor for the
// da of multiply and divide.
BinaryGradients binaryBackward(Binary op, const Tensor& dy, const Tensor& a, const Tensor& b, bool wantsA,
                               bool wantsB);

// into += from, in the memory of `into`: the sum of gradients that meet. Same shape; dtypes may differ, the
// sum is float32 and rounded to that of `into`.
void accumulate(const Tensor& into, const Tensor& from);

// A tensor whose elements all are `value`, rounded to the dtype; for integers it must be one of the dtype's.
Tensor fill(const Shape& shape, DType dtype, const Device& device, double value);

}  // namespace crossmap
