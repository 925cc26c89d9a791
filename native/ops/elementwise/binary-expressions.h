#pragma once
// The members of the family of two operands: the value, and the gradients of a and b. Kernels only.
#include "ops/elementwise/elementwise.h"
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {
namespace {

struct Add {
  static Vec value(Vec a, Vec b) { return a + b; }
  static Vec da(Vec dy, Vec, Vec) { return dy; }
  static Vec db(Vec dy, Vec, Vec) { return dy; }
};

struct Divide {
  static Vec value(Vec a, Vec b) { return a / b; }
  static Vec da(Vec dy, Vec, Vec b) { return dy / b; }
  // Two quotients, since b * b may overflow where the result does not.
  static Vec db(Vec dy, Vec a, Vec b) { return -(dy / b) * (a / b); }
};

// `a` has all of the gradient, half of it or nothing.
inline Vec share(Vec dy, IntVec isGreater, IntVec isEqual) {
  return isGreater ? dy : isEqual ? 0.5f * dy : Vec{};
}

struct Maximum {
  static Vec value(Vec a, Vec b) { return a > b ? a : a != a ? a : b; }
  static Vec da(Vec dy, Vec a, Vec b) { return share(dy, a > b, a == b); }
  static Vec db(Vec dy, Vec a, Vec b) { return share(dy, b > a, a == b); }
};

struct Minimum {
  static Vec value(Vec a, Vec b) { return a < b ? a : a != a ? a : b; }
  static Vec da(Vec dy, Vec a, Vec b) { return share(dy, a < b, a == b); }
  static Vec db(Vec dy, Vec a, Vec b) { return share(dy, b < a, a == b); }
};

struct Multiply {
  static Vec value(Vec a, Vec b) { return a * b; }
  static Vec da(Vec dy, Vec, Vec b) { return dy * b; }
  static Vec db(Vec dy, Vec a, Vec) { return dy * a; }
};

struct Subtract {
  static Vec value(Vec a, Vec b) { return a - b; }
  static Vec da(Vec dy, Vec, Vec) { return dy; }
  static Vec db(Vec dy, Vec, Vec) { return -dy; }
};

template <typename F>
inline void onExpression(Binary op, F&& f) {
  switch (op) {
    case Binary::add:
      return f(Add{});
    case Binary::divide:
      return f(Divide{});
    case Binary::maximum:
      return f(Maximum{});
    case Binary::minimum:
      return f(Minimum{});
    case Binary::multiply:
      return f(Multiply{});
    case Binary::subtract:
      return f(Subtract{});
  }
}

// How b lies beside a, both as matrices.
enum class Operand { full, row, scalar };

struct Layout {
  Operand operand;
  int64_t rows, features;  // of a; one row of all elements but for Operand::row
};

inline Layout layoutOf(const Tensor& a, const Tensor& b) {
  if (b.rank() == 0) return {Operand::scalar, 1, a.elements()};
  if (b.shape() == a.shape()) return {Operand::full, 1, a.elements()};
  const int64_t features = b.elements();
  return {Operand::row, features == 0 ? 0 : a.elements() / features, features};
}

// The element of a scalar tensor, which has the dtype of a or is float32. Read while executing.
template <typename E>
inline float scalarAt(const void* b, bool isFloat32) {
  return isFloat32 ? *static_cast<const float*>(b) : toFloat(*static_cast<const E*>(b));
}

}  // namespace
}  // namespace crossmap::cpu
