#pragma once
// The members of the family of one operand: the value and the derivative, for all devices. `Math` is a
// device's kind of numbers: the type, Value, and its functions. Kernels only.
#include "ops/elementwise/elementwise.h"

namespace crossmap {
namespace {

template <typename Math>
struct Clamp {
  using V = typename Math::Value;
  float low, high;
  constexpr V value(V x) const { return x < low ? Math::of(low) : x > high ? Math::of(high) : x; }
  constexpr V derivative(V x) const { return x < low ? V{} : x > high ? V{} : Math::of(1); }
};

template <typename Math>
struct Exp {
  using V = typename Math::Value;
  constexpr V value(V x) const { return Math::exp(x); }
  constexpr V derivative(V x) const { return Math::exp(x); }
};

template <typename Math>
struct Gelu {
  using V = typename Math::Value;
  static constexpr float kRoot = 0.797884560802865356f;  // sqrt(2 / pi)
  static constexpr float kCubic = 0.044715f;

  // 1/2 (1 + tanh u) is sigmoid(2u).
  static constexpr V gate(V x) { return Math::sigmoid(2 * kRoot * x * (1 + kCubic * x * x)); }
  constexpr V value(V x) const { return x * gate(x); }
  constexpr V derivative(V x) const {
    // Beyond 10 the gate is 0 or 1 to the last bit, while its factors would reach 0 * infinity.
    const V bounded = Clamp<Math>{-10, 10}.value(x);
    const V g = gate(bounded);
    return g + bounded * g * (1 - g) * (2 * kRoot) * (1 + 3 * kCubic * bounded * bounded);
  }
};

template <typename Math>
struct Log {
  using V = typename Math::Value;
  constexpr V value(V x) const { return Math::log(x); }
  constexpr V derivative(V x) const { return 1 / x; }
};

template <typename Math>
struct Negate {
  using V = typename Math::Value;
  constexpr V value(V x) const { return -x; }
  constexpr V derivative(V) const { return Math::of(-1); }
};

template <typename Math>
struct Relu {
  using V = typename Math::Value;
  constexpr V value(V x) const { return x < 0 ? V{} : x; }
  constexpr V derivative(V x) const { return x > 0 ? Math::of(1) : V{}; }
};

template <typename Math>
struct Scale {
  using V = typename Math::Value;
  float factor;
  constexpr V value(V x) const { return x * factor; }
  constexpr V derivative(V) const { return Math::of(factor); }
};

template <typename Math>
struct Sigmoid {
  using V = typename Math::Value;
  constexpr V value(V x) const { return Math::sigmoid(x); }
  // s (1 - s), with 1 - s = sigmoid(-x) free of cancellation.
  constexpr V derivative(V x) const { return Math::sigmoid(x) * Math::sigmoid(-x); }
};

template <typename Math>
struct Silu {
  using V = typename Math::Value;
  constexpr V value(V x) const { return x * Math::sigmoid(x); }
  constexpr V derivative(V x) const {
    const V s = Math::sigmoid(x);
    return s + x * s * Math::sigmoid(-x);
  }
};

template <typename Math>
struct Sqrt {
  using V = typename Math::Value;
  constexpr V value(V x) const { return Math::sqrt(x); }
  constexpr V derivative(V x) const { return 0.5f / Math::sqrt(x); }
};

template <typename Math>
struct Square {
  using V = typename Math::Value;
  constexpr V value(V x) const { return x * x; }
  constexpr V derivative(V x) const { return 2 * x; }
};

template <typename Math>
struct Tanh {
  using V = typename Math::Value;
  constexpr V value(V x) const { return Math::tanh(x); }
  // 1 - tanh^2 = 4 sigmoid(2x) sigmoid(-2x), free of cancellation.
  constexpr V derivative(V x) const { return 4 * Math::sigmoid(2 * x) * Math::sigmoid(-2 * x); }
};

template <typename Math, typename F>
constexpr void onExpression(Unary op, const UnaryOptions& options, F&& f) {
  switch (op) {
    case Unary::clamp:
      return f(Clamp<Math>{options.low, options.high});
    case Unary::exp:
      return f(Exp<Math>{});
    case Unary::gelu:
      return f(Gelu<Math>{});
    case Unary::log:
      return f(Log<Math>{});
    case Unary::negate:
      return f(Negate<Math>{});
    case Unary::relu:
      return f(Relu<Math>{});
    case Unary::scale:
      return f(Scale<Math>{options.factor});
    case Unary::sigmoid:
      return f(Sigmoid<Math>{});
    case Unary::silu:
      return f(Silu<Math>{});
    case Unary::sqrt:
      return f(Sqrt<Math>{});
    case Unary::square:
      return f(Square<Math>{});
    case Unary::tanh:
      return f(Tanh<Math>{});
  }
}

}  // namespace
}  // namespace crossmap
