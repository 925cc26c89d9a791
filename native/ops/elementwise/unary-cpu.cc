#include "ops/elementwise/elementwise-cpu.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/loops.h"

namespace crossmap::cpu {

namespace {

// The members of the family: an expression for the value and one for the derivative.

struct Clamp {
  float low, high;
  Vec value(Vec x) const { return x < low ? broadcast(low) : x > high ? broadcast(high) : x; }
  Vec derivative(Vec x) const { return x < low ? Vec{} : x > high ? Vec{} : broadcast(1); }
};

struct Exp {
  Vec value(Vec x) const { return exp(x); }
  Vec derivative(Vec x) const { return exp(x); }
};

struct Gelu {
  static constexpr float kRoot = 0.797884560802865356f;  // sqrt(2 / pi)
  static constexpr float kCubic = 0.044715f;

  // 1/2 (1 + tanh u) is sigmoid(2u).
  static Vec gate(Vec x) { return sigmoid(2 * kRoot * x * (1 + kCubic * x * x)); }
  Vec value(Vec x) const { return x * gate(x); }
  Vec derivative(Vec x) const {
    // Beyond 10 the gate is 0 or 1 to the last bit, while its factors would reach 0 * infinity.
    const Vec bounded = Clamp{-10, 10}.value(x);
    const Vec g = gate(bounded);
    return g + bounded * g * (1 - g) * (2 * kRoot) * (1 + 3 * kCubic * bounded * bounded);
  }
};

struct Log {
  Vec value(Vec x) const { return log(x); }
  Vec derivative(Vec x) const { return 1 / x; }
};

struct Negate {
  Vec value(Vec x) const { return -x; }
  Vec derivative(Vec) const { return broadcast(-1); }
};

struct Relu {
  Vec value(Vec x) const { return x < 0 ? Vec{} : x; }
  Vec derivative(Vec x) const { return x > 0 ? broadcast(1) : Vec{}; }
};

struct Scale {
  float factor;
  Vec value(Vec x) const { return x * factor; }
  Vec derivative(Vec) const { return broadcast(factor); }
};

struct Sigmoid {
  Vec value(Vec x) const { return sigmoid(x); }
  // s (1 - s), with 1 - s = sigmoid(-x) free of cancellation.
  Vec derivative(Vec x) const { return sigmoid(x) * sigmoid(-x); }
};

struct Silu {
  Vec value(Vec x) const { return x * sigmoid(x); }
  Vec derivative(Vec x) const {
    const Vec s = sigmoid(x);
    return s + x * s * sigmoid(-x);
  }
};

struct Sqrt {
  Vec value(Vec x) const { return sqrt(x); }
  Vec derivative(Vec x) const { return 0.5f / sqrt(x); }
};

struct Square {
  Vec value(Vec x) const { return x * x; }
  Vec derivative(Vec x) const { return 2 * x; }
};

struct Tanh {
  Vec value(Vec x) const { return tanh(x); }
  // 1 - tanh^2 = 4 sigmoid(2x) sigmoid(-2x), free of cancellation.
  Vec derivative(Vec x) const { return 4 * sigmoid(2 * x) * sigmoid(-2 * x); }
};

template <typename F>
void onExpression(Unary op, const UnaryOptions& options, F&& f) {
  switch (op) {
    case Unary::clamp:
      return f(Clamp{options.low, options.high});
    case Unary::exp:
      return f(Exp{});
    case Unary::gelu:
      return f(Gelu{});
    case Unary::log:
      return f(Log{});
    case Unary::negate:
      return f(Negate{});
    case Unary::relu:
      return f(Relu{});
    case Unary::scale:
      return f(Scale{options.factor});
    case Unary::sigmoid:
      return f(Sigmoid{});
    case Unary::silu:
      return f(Silu{});
    case Unary::sqrt:
      return f(Sqrt{});
    case Unary::square:
      return f(Square{});
    case Unary::tanh:
      return f(Tanh{});
  }
}

}  // namespace

template <Isa isa>
void unary(Unary op, const Tensor& x, const UnaryOptions& options, const Tensor& y) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    onExpression(op, options, [&](auto expression) {
      enqueue(x.device(), nameOf(op).data(),
              [=, from = x.data<E>(), to = y.data<E>(), count = x.elements()](Context& context) {
                context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                  const auto value = [&](Vec x) { return expression.value(x); };
                  mapVectors(end - begin, value, to + begin, from + begin);
                });
              });
    });
  });
}

template <Isa isa>
void unaryBackward(Unary op, const Tensor& dy, const Tensor& x, const UnaryOptions& options,
                   const Tensor& dx) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    onExpression(op, options, [&](auto expression) {
      enqueue(x.device(), nameOf(op).data(),
              [=, dy = dy.data<E>(), from = x.data<E>(), to = dx.data<E>(),
               count = x.elements()](Context& context) {
                context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                  const auto chain = [&](Vec dy, Vec x) { return dy * expression.derivative(x); };
                  mapVectors(end - begin, chain, to + begin, dy + begin, from + begin);
                });
              });
    });
  });
}

template void unary<kIsa>(Unary, const Tensor&, const UnaryOptions&, const Tensor&);
template void unaryBackward<kIsa>(Unary, const Tensor&, const Tensor&, const UnaryOptions&, const Tensor&);

}  // namespace crossmap::cpu
