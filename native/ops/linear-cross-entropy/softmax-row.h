#pragma once
// One token of the cross-entropy: from its row of logits to its loss, and on to the gradient of the row.
// Kernels only.
#include <algorithm>
#include <cmath>

#include "runtime/cpu/loops.h"

namespace crossmap::cpu {
namespace {

// What all tokens have in common.
struct SoftmaxOptions {
  int64_t vocab;
  double labelSmoothing;
  double zLoss;
  float softcap;  // 0: none
};

struct RowStatistics {
  double lse;
  double targetLogit;
  double mean;  // of the logits; 0 without label smoothing, which alone needs it
};

// Caps the logits in their place where there is a cap.
inline RowStatistics rowStatistics(float* row, int64_t target, const SoftmaxOptions& options) {
  if (options.softcap > 0) {
    const float inverse = 1 / options.softcap;
    mapVectors(
        options.vocab, [&](Vec logits) { return options.softcap * tanh(logits * inverse); }, row, row);
  }
  constexpr float kLeast = -std::numeric_limits<float>::infinity();
  Vec most = broadcast(kLeast);
  int64_t v = 0;
  for (; v + kLanes <= options.vocab; v += kLanes) most = max(most, load(row + v));
  if (v < options.vocab) most = max(most, loadPartial(row + v, options.vocab - v, kLeast));
  // -inf - -inf is NaN: a row of -inf alone keeps 0.
  const float largest = maxOf(most);
  const float shift = std::isinf(largest) ? 0 : largest;
  const double sumExp = sumVectors(
      options.vocab, [&](Vec logits) { return exp(logits - shift); }, row);
  const double sumLogits = options.labelSmoothing == 0
                               ? 0
                               : sumVectors(
                                     options.vocab, [](Vec logits) { return logits; }, row);
  return {static_cast<double>(shift) + std::log(sumExp), static_cast<double>(row[target]),
          sumLogits / static_cast<double>(options.vocab)};
}

// The token's loss for a weight of 1.
inline double rowLoss(const RowStatistics& row, const SoftmaxOptions& options) {
  return row.lse - (1 - options.labelSmoothing) * row.targetLogit - options.labelSmoothing * row.mean +
         options.zLoss * row.lse * row.lse;
}

// Gradient of the loss with respect to the logits, times `factor`, as E in the memory of the logits: an
// element is at most as wide as a logit, so what is written has been read before.
template <typename E>
void rowGradient(float* row, int64_t target, double factor, const RowStatistics& statistics,
                 const SoftmaxOptions& options) {
  const double vocab = static_cast<double>(options.vocab);
  const auto share = static_cast<float>(factor * (1 + 2 * options.zLoss * statistics.lse));
  const auto spread = static_cast<float>(factor * options.labelSmoothing / vocab);
  const auto lse = static_cast<float>(statistics.lse);
  const float inverseCap = options.softcap > 0 ? 1 / options.softcap : 0;
  const auto gradient = [&](Vec logits, Vec onTarget) {
    const Vec capped = logits * inverseCap;
    return (share * exp(logits - lse) - spread - onTarget) * (1.f - capped * capped);
  };
  const auto onTarget = static_cast<float>(factor * (1 - options.labelSmoothing));
  const Vec atTarget = gradient(broadcast(row[target]), broadcast(onTarget));
  E* to = reinterpret_cast<E*>(row);
  mapVectors(
      options.vocab, [&](Vec logits) { return gradient(logits, Vec{}); }, to, row);
  to[target] = fromFloat<E>(atTarget[0]);
}

}  // namespace
}  // namespace crossmap::cpu
