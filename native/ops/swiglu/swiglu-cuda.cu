#include "ops/swiglu/swiglu-cuda.h"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

__device__ inline float sigmoid(float x) { return 1.f / (1.f + expf(-x)); }

template <typename E>
struct Forward {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  const E *gate, *up;  // [count]
  E* y;                // [count]
  int64_t count;
  bool isWide;

  template <int width>
  struct Loaded {
    Pack<E, width> gate, up;
  };

  template <int width>
  __device__ Loaded<width> load(int64_t at) const {
    return {loadPack<width>(gate + at), loadPack<width>(up + at)};
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded<width>& r) const {
    Pack<E, width> rY;
#pragma unroll
    for (int i = 0; i < width; i++) {
      const float g = widen(r.gate.values[i]);
      rY.values[i] = round<E>(g * sigmoid(g) * widen(r.up.values[i]));
    }
    storePack(y + at, rY);
  }
};

template <typename E>
struct Backward {
  static constexpr int kWidth = kPackWidth<E>;
  static constexpr bool kLoads = true;
  const E *dy, *gate, *up;  // [count]
  E *dGate, *dUp;           // [count]
  int64_t count;
  bool isWide;

  template <int width>
  struct Loaded {
    Pack<E, width> dy, gate, up;
  };

  template <int width>
  __device__ Loaded<width> load(int64_t at) const {
    return {loadPack<width>(dy + at), loadPack<width>(gate + at), loadPack<width>(up + at)};
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded<width>& r) const {
    Pack<E, width> rDGate, rDUp;
#pragma unroll
    for (int i = 0; i < width; i++) {
      const float d = widen(r.dy.values[i]);
      const float g = widen(r.gate.values[i]);
      const float s = sigmoid(g);
      rDGate.values[i] = round<E>(d * widen(r.up.values[i]) * (s * (1.f + g * (1.f - s))));
      rDUp.values[i] = round<E>(d * (g * s));
    }
    storePack(dGate + at, rDGate);
    storePack(dUp + at, rDUp);
  }
};

}  // namespace

void swiglu(Stream& stream, const Tensor& gate, const Tensor& up, const Tensor& y) {
  onFloatDType(gate.dtype(), [&]<typename E>(E) {
    Forward<E> body{gate.data<E>(), up.data<E>(), y.data<E>(), y.elements(), false};
    body.isWide = areAlignedFor(body.kWidth, body.gate, body.up, body.y);
    launchElements(stream, "swiglu", body);
  });
}

void swigluBackward(Stream& stream, const Tensor& dy, const Tensor& gate, const Tensor& up,
                    const SwigluGradients& out) {
  onFloatDType(gate.dtype(), [&]<typename E>(E) {
    Backward<E> body{dy.data<E>(),      gate.data<E>(),  up.data<E>(), out.dGate.data<E>(),
                     out.dUp.data<E>(), gate.elements(), false};
    body.isWide = areAlignedFor(body.kWidth, body.dy, body.gate, body.up, body.dGate, body.dUp);
    launchElements(stream, "swigluBackward", body);
  });
}

}  // namespace crossmap::cuda
