#include "ops/cast/cast-cuda.h"
#include "ops/cast/convert.h"
#include "runtime/cuda/elements.cuh"

namespace crossmap::cuda {

namespace {

// From one float dtype to another, or to itself.
template <typename From, typename To>
struct Cast {
  // Of the wider type: the narrower one then goes in accesses of half the size, which are as good.
  static constexpr int kWidth = std::min(kPackWidth<From>, kPackWidth<To>);
  static constexpr bool kLoads = true;
  const From* x;  // [count]
  To* out;        // [count]
  int64_t count;
  bool isWide;

  template <int width>
  __device__ Pack<From, width> load(int64_t at) const {
    return loadPack<width>(x + at);
  }

  template <int width>
  __device__ void store(int64_t at, const Pack<From, width>& rX) const {
    Pack<To, width> rOut;
#pragma unroll
    for (int i = 0; i < width; i++) rOut.values[i] = round<To>(widen(rX.values[i]));
    storePack(out + at, rOut);
  }
};

// From or to integers: rare enough to be one kernel, which learns the dtypes while it runs. One element at a
// time makes whole lines of a warp too.
struct CastInteger {
  static constexpr int kWidth = 1;
  static constexpr bool kLoads = true;
  static constexpr bool isWide = true;
  const void* x;  // [count] of `from`
  void* out;      // [count] of `to`
  DType from, to;
  int64_t count;

  // An element of `from` without loss.
  struct Loaded {
    int64_t integer;
    float real;
  };

  template <int width>
  __device__ Loaded load(int64_t at) const {
    switch (from) {
      case DType::float32:
        return {0, static_cast<const float*>(x)[at]};
      case DType::bfloat16:
        return {0, widen(static_cast<const BFloat16*>(x)[at])};
      case DType::float16:
        return {0, widen(static_cast<const Float16*>(x)[at])};
      case DType::int32:
        return {static_cast<const int32_t*>(x)[at], 0};
      case DType::int64:
        return {static_cast<const int64_t*>(x)[at], 0};
      case DType::uint8:
        return {static_cast<const uint8_t*>(x)[at], 0};
    }
    return {};
  }

  template <typename To>
  __device__ void put(int64_t at, const Loaded& r) const {
    static_cast<To*>(out)[at] = isFloat(from) ? convert<To>(r.real) : convert<To>(r.integer);
  }

  template <int width>
  __device__ void store(int64_t at, const Loaded& r) const {
    switch (to) {
      case DType::float32:
        return put<float>(at, r);
      case DType::bfloat16:
        return put<BFloat16>(at, r);
      case DType::float16:
        return put<Float16>(at, r);
      case DType::int32:
        return put<int32_t>(at, r);
      case DType::int64:
        return put<int64_t>(at, r);
      case DType::uint8:
        return put<uint8_t>(at, r);
    }
  }
};

}  // namespace

void cast(Stream& stream, const Tensor& x, const Tensor& out) {
  if (!isFloat(x.dtype()) || !isFloat(out.dtype()))
    return launchElements(stream, "cast",
                          CastInteger{x.raw(), out.raw(), x.dtype(), out.dtype(), x.elements()});
  onFloatDType(x.dtype(), [&]<typename From>(From) {
    onFloatDType(out.dtype(), [&]<typename To>(To) {
      Cast<From, To> body{x.data<From>(), out.data<To>(), x.elements(), false};
      body.isWide = areAlignedFor(body.kWidth, body.x, body.out);
      launchElements(stream, "cast", body);
    });
  });
}

}  // namespace crossmap::cuda
