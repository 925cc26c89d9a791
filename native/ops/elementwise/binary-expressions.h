#pragma once
// The members of the family of two operands: the value, and the gradients of a and b, for all devices: V is a
// float or a vector of them. Kernels only.
#include "ops/elementwise/elementwise.h"

namespace crossmap {
namespace {

struct Add {
  template <typename V>
  static constexpr V value(V a, V b) {
    return a + b;
  }
  template <typename V>
  static constexpr V da(V dy, V, V) {
    return dy;
  }
  template <typename V>
  static constexpr V db(V dy, V, V) {
    return dy;
  }
};

struct Divide {
  template <typename V>
  static constexpr V value(V a, V b) {
    return a / b;
  }
  template <typename V>
  static constexpr V da(V dy, V, V b) {
    return dy / b;
  }
  // Two quotients, since b * b may overflow where the result does not.
  template <typename V>
  static constexpr V db(V dy, V a, V b) {
    return -(dy / b) * (a / b);
  }
};

// `a` has all of the gradient, half of it or nothing.
template <typename V, typename Mask>
constexpr V share(V dy, Mask isGreater, Mask isEqual) {
  return isGreater ? dy : isEqual ? 0.5f * dy : V{};
}

struct Maximum {
  template <typename V>
  static constexpr V value(V a, V b) {
    return a > b ? a : a != a ? a : b;
  }
  template <typename V>
  static constexpr V da(V dy, V a, V b) {
    return share(dy, a > b, a == b);
  }
  template <typename V>
  static constexpr V db(V dy, V a, V b) {
    return share(dy, b > a, a == b);
  }
};

struct Minimum {
  template <typename V>
  static constexpr V value(V a, V b) {
    return a < b ? a : a != a ? a : b;
  }
  template <typename V>
  static constexpr V da(V dy, V a, V b) {
    return share(dy, a < b, a == b);
  }
  template <typename V>
  static constexpr V db(V dy, V a, V b) {
    return share(dy, b < a, a == b);
  }
};

struct Multiply {
  template <typename V>
  static constexpr V value(V a, V b) {
    return a * b;
  }
  template <typename V>
  static constexpr V da(V dy, V, V b) {
    return dy * b;
  }
  template <typename V>
  static constexpr V db(V dy, V a, V) {
    return dy * a;
  }
};

struct Subtract {
  template <typename V>
  static constexpr V value(V a, V b) {
    return a - b;
  }
  template <typename V>
  static constexpr V da(V dy, V, V) {
    return dy;
  }
  template <typename V>
  static constexpr V db(V dy, V, V) {
    return -dy;
  }
};

template <typename F>
constexpr void onExpression(Binary op, F&& f) {
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

[[maybe_unused]] inline Layout layoutOf(const Tensor& a, const Tensor& b) {
  if (b.rank() == 0) return {Operand::scalar, 1, a.elements()};
  if (b.shape() == a.shape()) return {Operand::full, 1, a.elements()};
  const int64_t features = b.elements();
  return {Operand::row, features == 0 ? 0 : a.elements() / features, features};
}

// The element of a scalar tensor, which has the dtype of a or is float32. Read while executing.
template <typename E>
constexpr float scalarAt(const void* b, bool isFloat32) {
  return isFloat32 ? *static_cast<const float*>(b) : toFloat(*static_cast<const E*>(b));
}

}  // namespace
}  // namespace crossmap
