#pragma once
// The way of sums from working memory of float32 to c. Kernels only.
#include "runtime/cpu/gemm-micro.h"
#include "runtime/cpu/gemm.h"
#include "runtime/cpu/simd.h"

namespace crossmap::cpu {
namespace {

template <typename E>
void convertRow(E* to, const float* from, int64_t count) {
  int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) store(to + at, load(from + at));
  if (at < count) storePartial(to + at, loadPartial(from + at, count - at), count - at);
}

// A micro-tile of c: c (+)= alpha * sums.
template <typename E>
struct FinishedSums {
  const float* sums;
  int64_t stride;
  int64_t rows, columns;
  float alpha;
  bool add;
  bool isStreamed;  // past the caches, where whole lines of them are written
  E* c;
  int64_t strideC;
};

// Of a larger c, what is not read soon is written past the caches, which it would leave anyway: a line of
// them that is written as a whole need not be read first. A product of [2048, 384] and [384, 1024] takes
// three quarters of the time.
constexpr int64_t kMostCachedBytes = int64_t{2} << 20;

// Writes a line of the caches from 16 floats or 32 halves. Who streams fences before others may read.
template <typename E>
void streamLine(E* to, const float* from, float alpha) {
#if defined(__AVX512F__)
  alignas(kLineBytes) E line[kLineBytes / sizeof(E)];
  for (int64_t at = 0; at < kLineBytes / int64_t{sizeof(E)}; at += kLanes)
    store(line + at, alpha * load(from + at));
  __m512i whole;
  std::memcpy(&whole, line, sizeof whole);
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), whole);
#else
  for (int64_t at = 0; at < kLineBytes / int64_t{sizeof(E)}; at += kLanes)
    store(to + at, alpha * load(from + at));
#endif
}

template <typename E>
void writeSums(const FinishedSums<E>& finished) {
  constexpr int64_t kLine = kLineBytes / int64_t{sizeof(E)};
  const auto [sums, stride, rows, columns, alpha, add, isStreamed, c, strideC] = finished;
  for (int64_t row = 0; row < rows; row++) {
    const float* from = sums + row * stride;
    E* to = c + row * strideC;
    int64_t at = 0;
    if (isStreamed && reinterpret_cast<uintptr_t>(to) % kLineBytes == 0)
      for (; at + kLine <= columns; at += kLine) streamLine(to + at, from + at, alpha);
    for (; at + kLanes <= columns; at += kLanes) {
      const Vec scaled = alpha * load(from + at);
      store(to + at, add ? scaled + load(to + at) : scaled);
    }
    if (at == columns) continue;
    const Vec scaled = alpha * loadPartial(from + at, columns - at);
    storePartial(to + at, add ? scaled + loadPartial(to + at, columns - at) : scaled, columns - at);
  }
}

// Lines that are to be written arrive while the kernel computes.
template <typename E>
void prefetchToWrite(E* c, int64_t strideC, int64_t rows) {
  for (int64_t row = 0; row < rows; row++) __builtin_prefetch(c + row * strideC, 1);
}

}  // namespace
}  // namespace crossmap::cpu
