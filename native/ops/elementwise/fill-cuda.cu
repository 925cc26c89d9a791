#include <cstring>

#include "ops/elementwise/elementwise-cuda.h"
#include "ops/elementwise/fill-element.h"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

// `Bits` is an unsigned integer of the size of an element: what it stands for does not matter here.
template <typename Bits>
struct Fill {
  static constexpr int kWidth = kPackWidth<Bits>;
  static constexpr bool kLoads = false;
  Bits element;
  Bits* out;  // [count]
  int64_t count;
  bool isWide;

  struct Nothing {};

  template <int width>
  __device__ Nothing load(int64_t) const {
    return {};
  }

  template <int width>
  __device__ void store(int64_t at, Nothing) const {
    Pack<Bits, width> pack;
#pragma unroll
    for (int i = 0; i < width; i++) pack.values[i] = element;
    storePack(out + at, pack);
  }
};

template <typename F>
void onBits(int64_t bytes, F&& f) {
  switch (bytes) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    default:
      return f(uint64_t{});
  }
}

}  // namespace

void fill(Stream& stream, const Tensor& out, double value) {
  onBits(sizeOf(out.dtype()), [&]<typename Bits>(Bits) {
    Fill<Bits> body{0, static_cast<Bits*>(out.raw()), out.elements(), false};
    onDType(out.dtype(), [&]<typename E>(E) {
      const E element = elementOf<E>(value);
      if constexpr (sizeof(E) == sizeof(Bits)) std::memcpy(&body.element, &element, sizeof element);
    });
    body.isWide = areAlignedFor(body.kWidth, body.out);
    launchElements(stream, "fill", body);
  });
}

}  // namespace crossmap::cuda
