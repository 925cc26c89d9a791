#include "ops/elementwise/elementwise-cuda.h"
#include "ops/elementwise/unary-expressions.h"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

struct FloatMath {
  using Value = float;
  __device__ static float of(float value) { return value; }
  __device__ static float exp(float x) { return expf(x); }
  __device__ static float log(float x) { return logf(x); }
  __device__ static float sigmoid(float x) { return 1.f / (1.f + expf(-x)); }
  __device__ static float sqrt(float x) { return sqrtf(x); }
  __device__ static float tanh(float x) { return tanhf(x); }
};

// The member of the family is chosen while running, once per pack: a branch that all threads take together
// costs nothing beside the memory, and a kernel per member would be a twelvefold build.
template <typename E>
struct Forward {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  Unary op;
  UnaryOptions options;
  const E* x;  // [count]
  E* y;        // [count]
  int64_t count;
  bool isWide;

  template <int width>
  __device__ Pack<E, width> load(int64_t at) const {
    return loadPack<width>(x + at);
  }

  template <int width>
  __device__ void store(int64_t at, const Pack<E, width>& rX) const {
    Pack<E, width> rY{};
    onExpression<FloatMath>(op, options, [&](auto expression) {
#pragma unroll
      for (int i = 0; i < width; i++) rY.values[i] = round<E>(expression.value(widen(rX.values[i])));
    });
    storePack(y + at, rY);
  }
};

template <typename E>
struct Backward {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  Unary op;
  UnaryOptions options;
  const E *dy, *x;  // [count]
  E* dx;            // [count]
  int64_t count;
  bool isWide;

  template <int width>
  struct Loaded {
    Pack<E, width> dy, x;
  };

  template <int width>
  __device__ Loaded<width> load(int64_t at) const {
    return {loadPack<width>(dy + at), loadPack<width>(x + at)};
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded<width>& r) const {
    Pack<E, width> rDx{};
    onExpression<FloatMath>(op, options, [&](auto expression) {
#pragma unroll
      for (int i = 0; i < width; i++)
        rDx.values[i] = round<E>(widen(r.dy.values[i]) * expression.derivative(widen(r.x.values[i])));
    });
    storePack(dx + at, rDx);
  }
};

}  // namespace

void unary(Stream& stream, Unary op, const Tensor& x, const UnaryOptions& options, const Tensor& y) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    Forward<E> body{op, options, x.data<E>(), y.data<E>(), x.elements(), false};
    body.isWide = areAlignedFor(body.kWidth, body.x, body.y);
    launchElements(stream, nameOf(op).data(), body);
  });
}

void unaryBackward(Stream& stream, Unary op, const Tensor& dy, const Tensor& x, const UnaryOptions& options,
                   const Tensor& dx) {
  onFloatDType(x.dtype(), [&]<typename E>(E) {
    Backward<E> body{op, options, dy.data<E>(), x.data<E>(), dx.data<E>(), x.elements(), false};
    body.isWide = areAlignedFor(body.kWidth, body.dy, body.x, body.dx);
    launchElements(stream, nameOf(op).data(), body);
  });
}

}  // namespace crossmap::cuda
