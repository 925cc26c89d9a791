#pragma once
// How linearCrossEntropy goes over tokens and vocabulary on a GPU. Pure functions.
#include <algorithm>
#include <cstdint>

#include "runtime/cuda/stream.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

enum class LinearCrossEntropyMethod {
  lossOnly,  // no gradient is wanted: one product, and no logit is stored
  stored,    // the logits of a chunk are stored and become its gradients: three products
  again      // the logits are computed again once their log-sum-exp is known: four products, none is stored
};

struct LinearCrossEntropyPlan {
  LinearCrossEntropyMethod method;
  int64_t rows;     // tokens of a chunk, 1 or more
  int64_t columns;  // 1 or more of the vocabulary, whose gradients of logits are stored at a time: all unless
                    // `again`
};

// `gradientBytes`: of one gradient of a logit.
//
// A chunk reads and writes all of dWeight: 8 bytes for each element, and 6 operations on it for each row. On
// a GPU of some 250 operations a byte and 100 to 150 multiprocessors this takes as long as a fourth product
// where a chunk has kLeastRows for each multiprocessor. So logits are stored where so many rows (or all
// tokens) fit in kStoredBytes, and computed again where the vocabulary is too large for that. A chunk then
// has kMostRows for each multiprocessor, and kAgainBytes hold gradients of as many columns as fit: each group
// of columns reads and writes dHidden once.
inline LinearCrossEntropyPlan linearCrossEntropyPlan(const Architecture& architecture, int64_t tokens,
                                                     int64_t vocab, int64_t gradientBytes,
                                                     bool wantsGradients) {
  // For each multiprocessor:
  constexpr int64_t kLeastRows = 8;
  constexpr int64_t kMostRows = 32;
  constexpr int64_t kStoredBytes = int64_t{2} << 20;
  constexpr int64_t kAgainBytes = int64_t{1} << 19;
  constexpr int64_t kTile = 128;

  const int64_t processors = architecture.multiprocessors;
  // Whole tiles, and about as many in each chunk, so that none is left with a few tokens.
  const auto evenly = [=](int64_t most) {
    if (most >= kTile) most = most / kTile * kTile;
    const int64_t chunks = std::max<int64_t>(ceilDiv(tokens, most), 1);
    const int64_t rows = std::max<int64_t>(ceilDiv(tokens, chunks), 1);
    return std::min({roundUp(rows, kTile), most, std::max<int64_t>(tokens, 1)});
  };
  const int64_t all = std::max<int64_t>(vocab, 1);
  const int64_t many = evenly(processors * kMostRows);
  if (!wantsGradients) return {LinearCrossEntropyMethod::lossOnly, many, all};
  // Float32 gradients take the place of the logits.
  const int64_t logitBytes = gradientBytes == 4 ? 4 : 4 + gradientBytes;
  const int64_t fitting = processors * kStoredBytes / (all * logitBytes);
  if (fitting >= std::min(tokens, processors * kLeastRows))
    return {LinearCrossEntropyMethod::stored, evenly(std::max<int64_t>(fitting, 1)), all};
  const int64_t columns = processors * kAgainBytes / (many * gradientBytes) / kTile * kTile;
  return {LinearCrossEntropyMethod::again, many, std::clamp(columns, kTile, std::max(vocab, kTile))};
}

}  // namespace crossmap::cuda
