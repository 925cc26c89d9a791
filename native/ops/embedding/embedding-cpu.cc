#include "ops/embedding/embedding-cpu.h"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/least-index.h"
#include "runtime/cpu/loops.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

// Features of a task of the backward pass: the rows of a frequent token are shared among several.
constexpr int64_t kBlockFeatures = 256;

template <typename E>
void gather(Context& context, const E* table, int64_t vocab, const int32_t* tokens, int64_t count,
            int64_t features, E* y) {
  LeastIndex refused;
  context.pool.parallelFor(count, rowGrain(features), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t v = tokens[t];
      if (v >= 0 && v < vocab) {
        std::copy_n(table + v * features, features, y + t * features);
        continue;
      }
      refused.note(t);
      std::fill_n(y + t * features, features, fromFloat<E>(0));
    }
  });
  if (const auto t = refused.found()) {
    const std::string bound = tokens[*t] < 0 ? "0 or more" : "below " + std::to_string(vocab);
    throw Error(ErrorCode::index, "token id " + std::to_string(tokens[*t]) + " at position " +
                                      std::to_string(*t) + " must be " + bound);
  }
}

// Sorts the tokens by id, those of one id by position: a counting sort. ends[v] is where those of v end in
// order, and ends[v - 1] where they begin.
void sortById(const int32_t* tokens, int64_t count, int64_t vocab, int64_t* ends, int64_t* order) {
  const auto isInside = [=](int64_t t) { return tokens[t] >= 0 && tokens[t] < vocab; };
  std::fill_n(ends, vocab, 0);
  for (int64_t t = 0; t < count; t++)
    if (isInside(t)) ends[tokens[t]]++;
  int64_t start = 0;
  for (int64_t v = 0; v < vocab; v++) start += std::exchange(ends[v], start);
  // Each start moves to the end as its tokens are put in place.
  for (int64_t t = 0; t < count; t++)
    if (isInside(t)) order[ends[tokens[t]]++] = t;
}

template <typename E>
void scatter(Context& context, const E* dy, const int64_t* ends, const int64_t* order, int64_t vocab,
             int64_t features, float* dTable) {
  const int64_t blocks = ceilDiv(features, kBlockFeatures);
  const int64_t rows = rowGrain(std::min(kBlockFeatures, features));
  const int64_t ranges = ceilDiv(vocab, rows);
  context.pool.parallelFor(ranges * blocks, 1, [&](int64_t task, int64_t) {
    const int64_t firstFeature = task % blocks * kBlockFeatures;
    const int64_t width = std::min(kBlockFeatures, features - firstFeature);
    const int64_t firstRow = task / blocks * rows;
    for (int64_t v = firstRow; v < std::min(firstRow + rows, vocab); v++) {
      float* sum = dTable + v * features + firstFeature;
      std::fill_n(sum, width, 0.f);
      for (int64_t at = v > 0 ? ends[v - 1] : 0; at < ends[v]; at++)
        mapVectors(
            width, [](Vec a, Vec b) { return a + b; }, sum, sum, dy + order[at] * features + firstFeature);
    }
  });
}

}  // namespace

template <Isa isa>
void embedding(const Tensor& table, const Tensor& tokens, const Tensor& y) {
  onFloatDType(table.dtype(), [&]<typename E>(E) {
    enqueue(table.device(), "embedding",
            [table = table.data<E>(), vocab = table.size(0), tokens = tokens.data<int32_t>(),
             count = tokens.size(0), features = table.size(1), y = y.data<E>()](Context& context) {
              gather(context, table, vocab, tokens, count, features, y);
            });
  });
}

template <Isa isa>
void embeddingBackward(const Tensor& dy, const Tensor& tokens, const Tensor& dTable) {
  const Tensor ends = empty({dTable.size(0)}, DType::int64, dy.device());
  const Tensor order = empty({tokens.size(0)}, DType::int64, dy.device());
  onFloatDType(dy.dtype(), [&]<typename E>(E) {
    enqueue(dy.device(), "embeddingBackward",
            [dy = dy.data<E>(), tokens = tokens.data<int32_t>(), count = tokens.size(0),
             vocab = dTable.size(0), features = dTable.size(1), dTable = dTable.data<float>(),
             ends = ends.data<int64_t>(), order = order.data<int64_t>()](Context& context) {
              sortById(tokens, count, vocab, ends, order);
              scatter(context, dy, ends, order, vocab, features, dTable);
            });
  });
}

template void embedding<kIsa>(const Tensor&, const Tensor&, const Tensor&);
template void embeddingBackward<kIsa>(const Tensor&, const Tensor&, const Tensor&);

}  // namespace crossmap::cpu
