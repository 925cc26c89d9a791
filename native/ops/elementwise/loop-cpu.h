#pragma once
// The loop of all elementwise kernels. Kernels only.
#include <algorithm>

#include "runtime/cpu/simd.h"

namespace crossmap::cpu {
namespace {

// Elements of one range of work: 64 KB of float32, which stay in the cache nearest to the core but one.
constexpr int64_t kGrain = 1 << 14;

// Rows of one range of work.
inline int64_t rowGrain(int64_t features) {
  return std::max<int64_t>(1, kGrain / std::max<int64_t>(1, features));
}

// out[i] = f(in[i]...) for `count` elements, a vector at a time. `out` may be one of `in`.
template <typename Out, typename F, typename... In>
inline void mapVectors(int64_t count, F&& f, Out* out, const In*... in) {
  int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) store(out + at, f(load(in + at)...));
  if (at < count) storePartial(out + at, f(loadPartial(in + at, count - at)...), count - at);
}

}  // namespace
}  // namespace crossmap::cpu
