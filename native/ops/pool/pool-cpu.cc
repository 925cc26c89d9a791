#include "ops/pool/pool-cpu.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/simd.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kPairGrain = 4;
// Each range of tokens looks through all spans, so there are few ranges, whatever the number of tokens.
constexpr int64_t kLeastTokenGrain = 64;
constexpr int64_t kMostTokenRanges = 256;

struct Spans {
  const int32_t *starts, *ends;  // [pairs]
  int64_t tokens;
  Pooling pooling;

  int64_t length(int64_t pair) const { return int64_t{ends[pair]} - starts[pair]; }

  bool isValid(int64_t pair) const {
    return starts[pair] >= 0 && starts[pair] <= ends[pair] && ends[pair] <= tokens;
  }

  // The first token whose weight is not 0.
  int64_t firstCounted(int64_t pair) const {
    return pooling == Pooling::last ? std::max(starts[pair], ends[pair] - 1) : starts[pair];
  }

  bool counts(int64_t pair, int64_t token) const { return token >= firstCounted(pair) && token < ends[pair]; }

  float weight(int64_t pair, int64_t token) const {
    const auto length = static_cast<double>(this->length(pair));
    switch (pooling) {
      case Pooling::mean:
        return static_cast<float>(1 / length);
      case Pooling::last:
        return 1;
      case Pooling::weighted:
        return static_cast<float>(static_cast<double>(token - starts[pair] + 1) * 2 /
                                  (length * (length + 1)));
    }
    return 0;
  }
};

// into += weight * row
template <typename E>
void addRow(float* into, float weight, const E* row, int64_t features) {
  int64_t d = 0;
  for (; d + kLanes <= features; d += kLanes)
    store(into + d, fma(broadcast(weight), load(row + d), load(into + d)));
  for (; d < features; d++) into[d] += weight * toFloat(row[d]);
}

// 1 / |row|, 0 for a row of zeros. Squares are double, so that they neither overflow nor vanish.
float inverseNorm(const float* row, int64_t features) {
  double squares = 0;
  for (int64_t d = 0; d < features; d++) squares += static_cast<double>(row[d]) * row[d];
  return squares == 0 ? 0 : static_cast<float>(1 / std::sqrt(squares));
}

[[noreturn]] void refuseSpan(const Spans& spans, int64_t pair) {
  throw Error(ErrorCode::index, "span " + std::to_string(pair) +
                                    " must have 0 <= start <= end <= " + std::to_string(spans.tokens) +
                                    ", the number of tokens; got " + std::to_string(spans.starts[pair]) +
                                    " to " + std::to_string(spans.ends[pair]));
}

// One pair is one range's own. Bound by reading the tokens of the spans.
template <typename E>
void poolPair(const E* hidden, const Spans& spans, int64_t pair, int64_t features, float* pooled,
              float* inverse) {
  std::fill_n(pooled, features, 0.f);
  if (spans.isValid(pair))
    for (int64_t token = spans.firstCounted(pair); token < spans.ends[pair]; token++)
      addRow(pooled, spans.weight(pair, token), hidden + token * features, features);
  if (!inverse) return;
  *inverse = inverseNorm(pooled, features);
  for (int64_t d = 0; d < features; d++) pooled[d] *= *inverse;
}

// Through the normalisation: dp = (dPooled - (dPooled . pooled) pooled) / |p|
void normalizeBackward(const float* dPooled, const float* pooled, float inverse, int64_t features,
                       float* dp) {
  double dot = 0;
  for (int64_t d = 0; d < features; d++) dot += static_cast<double>(dPooled[d]) * pooled[d];
  const auto along = static_cast<float>(dot);
  for (int64_t d = 0; d < features; d++) dp[d] = (dPooled[d] - along * pooled[d]) * inverse;
}

// A range of tokens is one range's own: it gathers from the spans that touch it, in their order.
template <typename E>
void scatterTo(E* dHidden, const float* dp, const Spans& spans, int64_t pairs, int64_t features,
               int64_t begin, int64_t end) {
  std::vector<int64_t> touching;
  for (int64_t pair = 0; pair < pairs; pair++)
    if (spans.isValid(pair) && spans.firstCounted(pair) < end && spans.ends[pair] > begin)
      touching.push_back(pair);
  std::vector<float> sum(static_cast<size_t>(features));
  for (int64_t token = begin; token < end; token++) {
    std::fill(sum.begin(), sum.end(), 0.f);
    for (const int64_t pair : touching)
      if (spans.counts(pair, token))
        addRow(sum.data(), spans.weight(pair, token), dp + pair * features, features);
    for (int64_t d = 0; d < features; d++)
      dHidden[token * features + d] = fromFloat<E>(sum[static_cast<size_t>(d)]);
  }
}

}  // namespace

template <Isa isa>
void pool(const Tensor& hidden, const Tensor& starts, const Tensor& ends, Pooling pooling,
          const PoolForward& out) {
  const Spans spans{starts.data<int32_t>(), ends.data<int32_t>(), hidden.size(0), pooling};
  const int64_t pairs = starts.size(0), features = hidden.size(1);
  float* const pooled = out.pooled.data<float>();
  float* const inverse = out.inverseNorms.elements() > 0 ? out.inverseNorms.data<float>() : nullptr;
  onFloatDType(hidden.dtype(), [&]<typename E>(E) {
    enqueue(hidden.device(), "pool", [=, from = hidden.data<E>()](Context& context) {
      context.pool.parallelFor(pairs, kPairGrain, [&](int64_t begin, int64_t end) {
        for (int64_t pair = begin; pair < end; pair++)
          poolPair(from, spans, pair, features, pooled + pair * features, inverse ? inverse + pair : nullptr);
      });
      for (int64_t pair = 0; pair < pairs; pair++)
        if (!spans.isValid(pair)) refuseSpan(spans, pair);
    });
  });
}

template <Isa isa>
void poolBackward(const Tensor& dPooled, const Tensor& pooled, const Tensor& inverseNorms,
                  const Tensor& starts, const Tensor& ends, Pooling pooling, const Tensor& dHidden) {
  const Spans spans{starts.data<int32_t>(), ends.data<int32_t>(), dHidden.size(0), pooling};
  const int64_t pairs = pooled.size(0), features = pooled.size(1);
  const bool normalize = inverseNorms.elements() > 0;
  const Tensor scratch = empty({normalize ? pairs : 0, features}, DType::float32, pooled.device());
  const int64_t grain = std::max(kLeastTokenGrain, ceilDiv(spans.tokens, kMostTokenRanges));
  onFloatDType(dHidden.dtype(), [&]<typename E>(E) {
    enqueue(pooled.device(), "poolBackward",
            [=, from = dPooled.data<float>(), y = pooled.data<float>(), inverse = inverseNorms.data<float>(),
             dp = scratch.data<float>(), to = dHidden.data<E>()](Context& context) {
              if (normalize)
                context.pool.parallelFor(pairs, kPairGrain, [&](int64_t begin, int64_t end) {
                  for (int64_t pair = begin; pair < end; pair++)
                    normalizeBackward(from + pair * features, y + pair * features, inverse[pair], features,
                                      dp + pair * features);
                });
              context.pool.parallelFor(spans.tokens, grain, [&](int64_t begin, int64_t end) {
                scatterTo(to, normalize ? dp : from, spans, pairs, features, begin, end);
              });
            });
  });
}

template void pool<kIsa>(const Tensor&, const Tensor&, const Tensor&, Pooling, const PoolForward&);
template void poolBackward<kIsa>(const Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&,
                                 Pooling, const Tensor&);

}  // namespace crossmap::cpu
