#include "ops/elementwise/elementwise-cuda.h"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

template <typename Into, typename From>
struct Accumulate {
  // Of the wider type: the narrower one then goes in accesses of half the size, which are as good.
  static constexpr int kWidth = std::min(kPackWidth<Into>, kPackWidth<From>);
  static constexpr bool kLoads = true;
  Into* into;        // [count]
  const From* from;  // [count]
  int64_t count;
  bool isWide;

  template <int width>
  struct Loaded {
    Pack<Into, width> into;
    Pack<From, width> from;
  };

  template <int width>
  __device__ Loaded<width> load(int64_t at) const {
    return {loadPack<width>(into + at), loadPack<width>(from + at)};
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded<width>& r) const {
    Pack<Into, width> rSum;
#pragma unroll
    for (int i = 0; i < width; i++)
      rSum.values[i] = round<Into>(widen(r.into.values[i]) + widen(r.from.values[i]));
    storePack(into + at, rSum);
  }
};

}  // namespace

void accumulate(Stream& stream, const Tensor& into, const Tensor& from) {
  onFloatDType(into.dtype(), [&]<typename Into>(Into) {
    onFloatDType(from.dtype(), [&]<typename From>(From) {
      Accumulate<Into, From> body{into.data<Into>(), from.data<From>(), into.elements(), false};
      body.isWide = areAlignedFor(body.kWidth, body.into, body.from);
      launchElements(stream, "accumulate", body);
    });
  });
}

}  // namespace crossmap::cuda
