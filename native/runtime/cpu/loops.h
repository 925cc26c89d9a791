#pragma once
// The loops of kernels that are bound by memory: over elements one by one, a vector at a time. Kernels only.
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

// out[i] = f(in[i]...) for `count` elements. `out` may be one of `in`.
template <typename Out, typename F, typename... In>
inline void mapVectors(int64_t count, F&& f, Out* out, const In*... in) {
  int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) store(out + at, f(load(in + at)...));
  if (at < count) storePartial(out + at, f(loadPartial(in + at, count - at)...), count - at);
}

// The sum of f(in[i]...) over `count` elements, in an order that `count` fixes.
template <typename F, typename... In>
inline double sumVectors(int64_t count, F&& f, const In*... in) {
  // float32 sums of this many elements lose next to nothing; their own sum is double.
  constexpr int64_t kBlock = 256 * kLanes;
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, count);
    Vec even{}, odd{};  // two chains of additions hide half of their latency
    int64_t at = begin;
    for (; at + 2 * kLanes <= end; at += 2 * kLanes) {
      even += f(load(in + at)...);
      odd += f(load(in + at + kLanes)...);
    }
    for (; at + kLanes <= end; at += kLanes) even += f(load(in + at)...);
    float rest[kLanes] = {};
    if (at < end) storePartial(rest, f(loadPartial(in + at, end - at)...), end - at);
    total += sum(even + odd + load(rest));
  }
  return total;
}

// The greatest of `count` elements, -infinity of none. Any value where one of them is NaN.
template <typename E>
inline float greatestOf(const E* x, int64_t count) {
  const Vec least = broadcast(-std::numeric_limits<float>::infinity());
  Vec most[4] = {least, least, least, least};  // chains hide the latency of a comparison
  int64_t at = 0;
  for (; at + 4 * kLanes <= count; at += 4 * kLanes)
    for (int chain = 0; chain < 4; chain++) most[chain] = max(most[chain], load(x + at + chain * kLanes));
  for (; at + kLanes <= count; at += kLanes) most[0] = max(most[0], load(x + at));
  if (at < count) most[1] = max(most[1], loadPartial(x + at, count - at, least[0]));
  return maxOf(max(max(most[0], most[1]), max(most[2], most[3])));
}

}  // namespace
}  // namespace crossmap::cpu
