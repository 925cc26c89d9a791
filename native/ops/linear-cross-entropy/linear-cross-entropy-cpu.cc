#include "ops/linear-cross-entropy/linear-cross-entropy-cpu.h"

#include <algorithm>
#include <cstring>

#include "ops/linear-cross-entropy/softmax-row.h"
#include "runtime/cpu/cpu-device.h"
#include "runtime/cpu/gemm.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {

namespace {

// The logits of a chunk. More tokens at a time read the weight and its gradient less often from memory; these
// bytes fit in a shared cache of 32 MiB.
constexpr int64_t kLogits = (int64_t{22} << 20) / int64_t{sizeof(float)};
constexpr int64_t kLeastChunk =
    112;  // tokens: fewer would spend more time packing the weight than multiplying

// What the task works on; `kept` and what follows is working memory.
struct Loss {
  const void* hidden;      // [tokens, features]
  const void* weight;      // [vocab, features]
  const int32_t* targets;  // [tokens]
  const float* weights;    // [tokens], or null: all 1
  int64_t tokens, features;
  SoftmaxOptions softmax;
  int64_t ignoreIndex;
  double normalizer;        // 0: the sum of weights
  float* loss;              // []
  float* logProbabilities;  // [tokens], or null
  float* dHidden;           // [tokens, features], or null
  float* dWeight;           // [vocab, features], or null
  int64_t chunk = 0;
  int32_t* kept = nullptr;     // [tokens] those that are not dropped, in their order
  double* losses = nullptr;    // [tokens] of the kept ones
  float* logits = nullptr;     // [chunk, vocab]
  void* gathered = nullptr;    // [chunk, features] hidden of kept tokens, in its dtype
  float* dGathered = nullptr;  // [chunk, features]
  void* workspace = nullptr;
};

struct Kept {
  int64_t count;
  double normalizer;
};

void clearResults(const Loss& loss) {
  *loss.loss = 0;
  if (loss.logProbabilities) std::fill_n(loss.logProbabilities, loss.tokens, 0.f);
  if (loss.dHidden) std::fill_n(loss.dHidden, loss.tokens * loss.features, 0.f);
  if (loss.dWeight) std::fill_n(loss.dWeight, loss.softmax.vocab * loss.features, 0.f);
}

double weightOf(const Loss& loss, int64_t t) {
  return loss.weights ? static_cast<double>(loss.weights[t]) : 1;
}

Kept keepTokens(const Loss& loss) {
  Kept kept{0, 0};
  for (int64_t t = 0; t < loss.tokens; t++) {
    const int64_t target = loss.targets[t];
    if (target == loss.ignoreIndex) continue;
    if (target < 0 || target >= loss.softmax.vocab)
      throw Error(ErrorCode::index, "target " + std::to_string(target) + " of token " + std::to_string(t) +
                                        " must be 0 or more and below " + std::to_string(loss.softmax.vocab) +
                                        ", or ignoreIndex, which is " + std::to_string(loss.ignoreIndex));
    if (weightOf(loss, t) == 0) continue;
    kept.normalizer += weightOf(loss, t);
    loss.kept[kept.count++] = static_cast<int32_t>(t);
  }
  if (loss.normalizer > 0) kept.normalizer = loss.normalizer;
  return kept;
}

// Kept tokens [begin, end): where their rows of hidden lie, and where those of its gradient go.
template <typename E>
struct Chunk {
  int64_t begin, end;
  bool isTogether;  // the rows follow each other in hidden, so that nothing needs to move
  const E* hidden;
  float* dHidden;

  int64_t rows() const { return end - begin; }
};

template <typename E>
Chunk<E> gather(Context& context, const Loss& loss, int64_t begin, int64_t end) {
  const auto* hidden = static_cast<const E*>(loss.hidden);
  const int64_t first = loss.kept[begin] * loss.features;
  if (loss.kept[end - 1] - loss.kept[begin] == end - 1 - begin)
    return {begin, end, true, hidden + first, loss.dHidden ? loss.dHidden + first : nullptr};
  auto* gathered = static_cast<E*>(loss.gathered);
  context.pool.parallelFor(end - begin, rowGrain(loss.features), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++)
      std::copy_n(hidden + loss.kept[begin + row] * loss.features, loss.features,
                  gathered + row * loss.features);
  });
  return {begin, end, false, gathered, loss.dGathered};
}

template <typename E>
void computeLogits(Context& context, const Loss& loss, const Chunk<E>& chunk) {
  gemm<kIsa>(&context.pool,
             {.m = chunk.rows(),
              .n = loss.softmax.vocab,
              .k = loss.features,
              .a = {chunk.hidden, dtypeOf<E>(), loss.features},
              .b = {loss.weight, dtypeOf<E>(), loss.features, true},
              .c = loss.logits,
              .dtypeC = DType::float32,
              .strideC = loss.softmax.vocab},
             loss.workspace);
}

// Losses of the tokens, and the gradients of their logits in the place of these, as D.
template <typename D>
void computeLosses(Context& context, const Loss& loss, int64_t begin, int64_t end, double normalizer) {
  const int64_t vocab = loss.softmax.vocab;
  const double scale = normalizer == 0 ? 0 : 1 / normalizer;
  context.pool.parallelFor(end - begin, rowGrain(vocab), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const int64_t t = loss.kept[begin + row];
      const int64_t target = loss.targets[t];
      float* logits = loss.logits + row * vocab;
      const RowStatistics statistics = rowStatistics(logits, target, loss.softmax);
      const double factor = weightOf(loss, t) * scale;
      loss.losses[begin + row] = factor * rowLoss(statistics, loss.softmax);
      if (loss.logProbabilities)
        loss.logProbabilities[t] = static_cast<float>(statistics.targetLogit - statistics.lse);
      if (loss.dHidden || loss.dWeight) rowGradient<D>(logits, target, factor, statistics, loss.softmax);
    }
  });
}

template <typename E, typename D>
void computeDHidden(Context& context, const Loss& loss, const Chunk<E>& chunk, const Matrix& dLogits) {
  gemm<kIsa>(&context.pool,
             {.m = chunk.rows(),
              .n = loss.features,
              .k = loss.softmax.vocab,
              .a = dLogits,
              .b = {loss.weight, dtypeOf<E>(), loss.features},
              .c = chunk.dHidden,
              .dtypeC = DType::float32,
              .strideC = loss.features},
             loss.workspace);
  if (chunk.isTogether) return;
  for (int64_t row = 0; row < chunk.rows(); row++)
    std::copy_n(loss.dGathered + row * loss.features, loss.features,
                loss.dHidden + loss.kept[chunk.begin + row] * loss.features);
}

template <typename E>
void addDWeight(Context& context, const Loss& loss, const Chunk<E>& chunk, Matrix dLogits) {
  dLogits.transposed = true;
  gemm<kIsa>(&context.pool,
             {.m = loss.softmax.vocab,
              .n = loss.features,
              .k = chunk.rows(),
              .a = dLogits,
              .b = {chunk.hidden, dtypeOf<E>(), loss.features},
              .c = loss.dWeight,
              .dtypeC = DType::float32,
              .strideC = loss.features,
              .accumulate = true},
             loss.workspace);
}

template <typename E>
void run(Context& context, const Loss& loss) {
  // bfloat16 has the range of float32, so gradients of logits may take it and use its faster product; in
  // float16 those of a mean over many tokens would vanish.
  using D = std::conditional_t<std::is_same_v<E, BFloat16>, BFloat16, float>;
  clearResults(loss);
  const Kept kept = keepTokens(loss);
  // None is left with a few tokens.
  const int64_t length = evenPart(std::max<int64_t>(1, kept.count), loss.chunk);
  for (int64_t begin = 0; begin < kept.count; begin += length) {
    const Chunk<E> chunk = gather<E>(context, loss, begin, std::min(begin + length, kept.count));
    computeLogits(context, loss, chunk);
    computeLosses<D>(context, loss, chunk.begin, chunk.end, kept.normalizer);
    constexpr int64_t perLogit = sizeof(float) / sizeof(D);
    const Matrix dLogits{loss.logits, dtypeOf<D>(), loss.softmax.vocab * perLogit};
    if (loss.dHidden) computeDHidden<E, D>(context, loss, chunk, dLogits);
    if (loss.dWeight) addDWeight(context, loss, chunk, dLogits);
  }
  double sum = 0;
  for (int64_t row = 0; row < kept.count; row++) sum += loss.losses[row];
  *loss.loss = static_cast<float>(sum);
}

// Enough for each of the products of a chunk of any length up to the given one.
int64_t workspaceBytes(const Loss& loss, DType dtype) {
  const DType dLogits = dtype == DType::bfloat16 ? dtype : DType::float32;
  const int64_t vocab = loss.softmax.vocab;
  const auto bytes = [&](int64_t m, int64_t n, int64_t k, DType a) {
    return gemmWorkspaceBytes<kIsa>({.m = m,
                                     .n = n,
                                     .k = k,
                                     .a = {nullptr, a, 0},
                                     .b = {nullptr, dtype, 0},
                                     .c = nullptr,
                                     .dtypeC = DType::float32,
                                     .strideC = 0});
  };
  return std::max({bytes(loss.chunk, vocab, loss.features, dtype),
                   loss.dHidden ? bytes(loss.chunk, loss.features, vocab, dLogits) : 0,
                   loss.dWeight ? bytes(vocab, loss.features, loss.chunk, dLogits) : 0});
}

}  // namespace

template <Isa isa>
void linearCrossEntropy(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                        const LinearCrossEntropyOptions& options, const LinearCrossEntropyForward& out) {
  const auto floats = [](const std::optional<Tensor>& tensor) {
    return tensor ? tensor->data<float>() : nullptr;
  };
  Loss loss{.hidden = hidden.raw(),
            .weight = weight.raw(),
            .targets = targets.data<int32_t>(),
            .weights = floats(options.weights),
            .tokens = hidden.size(0),
            .features = hidden.size(1),
            .softmax = {weight.size(0), options.labelSmoothing, options.zLoss,
                        static_cast<float>(options.softcap.value_or(0))},
            .ignoreIndex = options.ignoreIndex,
            .normalizer = options.normalizer.value_or(0),
            .loss = out.loss.data<float>(),
            .logProbabilities = floats(out.logProbabilities),
            .dHidden = floats(out.dHidden),
            .dWeight = floats(out.dWeight)};
  const int64_t most = std::max(kLeastChunk, kLogits / std::max<int64_t>(1, loss.softmax.vocab));
  loss.chunk = evenPart(std::max<int64_t>(1, loss.tokens), most);

  const auto scratch = [&](int64_t elements, DType dtype) {
    return empty({elements}, dtype, hidden.device());
  };
  const Tensor kept = scratch(loss.tokens, DType::int32);
  const Tensor losses = scratch(loss.tokens, DType::int64);
  const Tensor logits = scratch(loss.chunk * loss.softmax.vocab, DType::float32);
  const Tensor gathered = scratch(loss.chunk * loss.features, hidden.dtype());
  const Tensor dGathered = scratch(loss.dHidden ? loss.chunk * loss.features : 0, DType::float32);
  const Tensor workspace = scratch(workspaceBytes(loss, hidden.dtype()), DType::uint8);
  loss.kept = kept.data<int32_t>();
  loss.losses = static_cast<double*>(losses.raw());
  loss.logits = logits.data<float>();
  loss.gathered = gathered.raw();
  loss.dGathered = dGathered.data<float>();
  loss.workspace = workspace.raw();
  onFloatDType(hidden.dtype(), [&]<typename E>(E) {
    enqueue(hidden.device(), "linearCrossEntropy", [=](Context& context) { run<E>(context, loss); });
  });
}

template <Isa isa>
void linearCrossEntropyBackward(const Tensor& dLoss, const Tensor& gradient, const Tensor& out) {
  onFloatDType(out.dtype(), [&]<typename E>(E) {
    enqueue(out.device(), "linearCrossEntropyBackward",
            [factor = dLoss.data<float>(), from = gradient.data<float>(), to = out.data<E>(),
             count = gradient.elements()](Context& context) {
              // Where the loss is what backward() started from, the gradient is in its place already.
              if (std::is_same_v<E, float> && *factor == 1) return;
              context.pool.parallelFor(count, kGrain, [&](int64_t begin, int64_t end) {
                mapVectors(
                    end - begin, [&](Vec each) { return *factor * each; }, to + begin, from + begin);
              });
            });
  });
}

template void linearCrossEntropy<kIsa>(const Tensor&, const Tensor&, const Tensor&,
                                       const LinearCrossEntropyOptions&, const LinearCrossEntropyForward&);
template void linearCrossEntropyBackward<kIsa>(const Tensor&, const Tensor&, const Tensor&);

}  // namespace crossmap::cpu
