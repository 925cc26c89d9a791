// Linear cross-entropy, chunk of tokens by chunk: the logits of a chunk are multiplied tile by tile and
// reduced to softmax sums while they lie in registers; then their gradients go into the two other products.
#include "ops/linear-cross-entropy/linear-cross-entropy-cuda.h"
#include "ops/linear-cross-entropy/linear-cross-entropy-logits-cuda.cuh"
#include "ops/linear-cross-entropy/linear-cross-entropy-plan.h"
#include "ops/linear-cross-entropy/linear-cross-entropy-tokens-cuda.cuh"
#include "runtime/cuda/elements.cuh"
#include "runtime/cuda/gemm.cuh"

namespace crossmap::cuda {

namespace {

constexpr const char* kOp = "linearCrossEntropy";
constexpr int64_t kTile = 128;
constexpr auto kDepth = Contiguous::depth, kLine = Contiguous::line;

template <typename E>
using Tile = GemmTile<E, kTile>;

double* asDoubles(const Tensor& tensor) { return static_cast<double*>(tensor.raw()); }

float* floatsOrNull(const std::optional<Tensor>& tensor) { return tensor ? tensor->data<float>() : nullptr; }

// The working memory of a call and what its launches have in common.
template <typename E>
class Call {
 public:
  Call(Stream& stream, const Tensor& hidden, const Tensor& weight, const Tensor& targets,
       const LinearCrossEntropyOptions& options, const LinearCrossEntropyForward& out)
      : stream_(stream),
        device_(hidden.device()),
        hidden_(hidden.data<E>()),
        weight_(weight.data<E>()),
        targets_(targets.data<int32_t>()),
        weights_(floatsOrNull(options.weights)),
        logProbabilities_(floatsOrNull(out.logProbabilities)),
        dHidden_(floatsOrNull(out.dHidden)),
        dWeight_(floatsOrNull(out.dWeight)),
        tokens_(hidden.size(0)),
        vocab_(weight.size(0)),
        features_(hidden.size(1)),
        options_{vocab_, options.labelSmoothing, options.zLoss,
                 static_cast<float>(options.softcap.value_or(0)),
                 options.softcap ? static_cast<float>(1 / *options.softcap) : 0},
        plan_(linearCrossEntropyPlan(stream.architecture(), tokens_, vocab_, int64_t{sizeof(E)},
                                     wantsGradients())),
        chunks_(std::max<int64_t>(ceilDiv(tokens_, plan_.rows), 1)) {
    keepTokens(options);
    allocateChunk();
  }

  void run(float* loss) {
    for (int64_t chunk = 0; chunk < chunks_; chunk++) {
      gather(chunk);
      computeLosses(chunk);
      if (!wantsGradients()) continue;
      for (int64_t column = 0; column == 0 || column < vocab_; column += plan_.columns) {
        const int64_t columns = std::min(plan_.columns, vocab_ - column);
        computeLogitGradients(chunk, column, columns);
        if (dHidden_) addDHidden(chunk, column, columns);
        if (dWeight_) addDWeight(chunk, column, columns);
      }
    }
    launch(stream_, {kOp, {1}, kSumThreads, 32 * int64_t{sizeof(double)}}, sumLossesKernel,
           SumLossesArgs{asDoubles(*losses_), kept_.count, loss});
  }

 private:
  bool wantsGradients() const { return dHidden_ || dWeight_; }
  bool isStored() const { return plan_.method == LinearCrossEntropyMethod::stored; }

  Tensor scratch(int64_t elements, DType dtype) const { return empty({elements}, dtype, device_); }

  void keepTokens(const LinearCrossEntropyOptions& options) {
    order_ = scratch(tokens_, DType::int32);
    losses_ = scratch(tokens_, DType::int64);  // the bytes of as many doubles
    counts_ = scratch(2 + chunks_, DType::int64);
    bounds_ = scratch(chunks_, DType::float32);
    auto* counts = counts_->data<int64_t>();
    kept_ = {order_->data<int32_t>(), counts, asDoubles(*counts_) + 1, counts + 2, bounds_->data<float>()};
    FaultSlot* faults =
        stream_.faultSlot(kOp, ErrorCode::index,
                          [vocab = vocab_, ignoreIndex = options.ignoreIndex](int64_t index, int32_t value) {
                            return "target " + std::to_string(value) + " of token " + std::to_string(index) +
                                   " must be 0 or more and below " + std::to_string(vocab) +
                                   ", or ignoreIndex, which is " + std::to_string(ignoreIndex);
                          });
    launch(stream_, {kOp, {1}, kKeepThreads, kKeepSharedBytes}, keepTokensKernel,
           KeepTokensArgs{targets_, weights_, tokens_, vocab_, options.ignoreIndex,
                          options.normalizer.value_or(0), chunks_, plan_.rows, kept_, faults});
    if (!logProbabilities_ && !dHidden_) return;
    const int64_t blocks = std::min<int64_t>(tokens_, int64_t{8} * stream_.architecture().multiprocessors);
    launch(stream_, {kOp, {blocks}, kRowThreads}, clearDroppedKernel,
           ClearDroppedArgs{kept_, tokens_, features_, logProbabilities_, dHidden_});
  }

  void allocateChunk() {
    constexpr int64_t kWidth = kPackWidth<E>;
    stride_ = roundUp(features_, kWidth);
    logitStride_ = roundUp(plan_.columns, kWidth);
    gathered_ = scratch(plan_.rows * stride_, dtypeOf<E>());
    rowTargets_ = scratch(plan_.rows, DType::int32);
    targetLogits_ = scratch(plan_.rows, DType::float32);
    partials_ = scratch(plan_.rows * tiles() * 3, DType::float32);
    if (!wantsGradients()) return;
    rowGradients_ = scratch(plan_.rows * 4, DType::float32);
    if (isStored()) logits_ = scratch(plan_.rows * logitStride_, DType::float32);
    // Gradients as wide as the logits take their place.
    gradients_ = isStored() && sizeof(E) == 4 ? *logits_ : scratch(plan_.rows * logitStride_, dtypeOf<E>());
  }

  int64_t tiles() const { return ceilDiv(vocab_, kTile); }
  const int32_t* orderOf(int64_t chunk) const { return kept_.order + chunk * plan_.rows; }
  const int64_t* rowsOf(int64_t chunk) const { return kept_.rows + chunk; }
  float* boundOf(int64_t chunk) const { return kept_.bounds + chunk; }
  int64_t mostRowsOf(int64_t chunk) const { return std::min(plan_.rows, tokens_ - chunk * plan_.rows); }
  RowGradient* rowGradients() const {
    return rowGradients_ ? static_cast<RowGradient*>(rowGradients_->raw()) : nullptr;
  }
  PartialSoftmax* partials() const { return static_cast<PartialSoftmax*>(partials_->raw()); }

  void gather(int64_t chunk) {
    const bool isWide = gemmOperand(hidden_, features_).isWide;
    launch(stream_, {kOp, {mostRowsOf(chunk)}, kRowThreads}, gatherKernel<E>,
           GatherArgs<E>{hidden_, targets_, orderOf(chunk), rowsOf(chunk), gathered_->data<E>(),
                         rowTargets_->data<int32_t>(), features_, stride_, isWide});
  }

  // The chunk's rows of hidden times columns of the vocabulary.
  template <typename Epilogue>
  void multiplyLogits(int64_t chunk, int64_t column, int64_t columns, const Epilogue& epilogue) {
    GemmArgs<E> args{gemmOperand<E>(gathered_->data<E>(), stride_),
                     gemmOperand(weight_ + column * features_, features_), mostRowsOf(chunk), columns,
                     features_};
    args.rowsUsed = rowsOf(chunk);
    launchGemm<kDepth, kDepth, Tile<E>>(stream_, kOp, args, epilogue);
  }

  void computeLosses(int64_t chunk) {
    multiplyLogits(
        chunk, 0, vocab_,
        SoftmaxOfTile{options_, rowTargets_->data<int32_t>(), targetLogits_->data<float>(), partials(),
                      plan_.rows, logits_ ? logits_->data<float>() : nullptr, logitStride_});
    const RowLossArgs args{options_,
                           partials(),
                           tiles(),
                           plan_.rows,
                           targetLogits_->data<float>(),
                           rowTargets_->data<int32_t>(),
                           orderOf(chunk),
                           weights_,
                           kept_.scale,
                           rowsOf(chunk),
                           asDoubles(*losses_) + chunk * plan_.rows,
                           logProbabilities_,
                           rowGradients(),
                           boundOf(chunk)};
    launch(stream_, {kOp, {ceilDiv(mostRowsOf(chunk), kLossRows)}, kLossThreads, kLossSharedBytes},
           rowLossKernel, args);
  }

  void computeLogitGradients(int64_t chunk, int64_t column, int64_t columns) {
    if (!isStored())
      return multiplyLogits(chunk, column, columns,
                            GradientOfTile<E>{options_, rowGradients(), boundOf(chunk), column,
                                              gradients_->data<E>(), logitStride_});
    const int64_t parts = ceilDiv(vocab_, kGradientsOfBlock);
    launch(stream_, {kOp, {mostRowsOf(chunk) * parts}, kGradientThreads}, storedGradientKernel<E>,
           StoredGradientArgs<E>{options_, logits_->data<float>(), gradients_->data<E>(), logitStride_,
                                 rowGradients(), rowsOf(chunk), boundOf(chunk), parts});
  }

  StoreGradient<E> storeGradient(int64_t chunk, float* to) const {
    const bool isPaired = areAlignedFor(2, to) && features_ % 2 == 0;
    return {to, features_, nullptr, boundOf(chunk), rowsOf(chunk), isPaired, false};
  }

  void addDHidden(int64_t chunk, int64_t column, int64_t columns) {
    GemmArgs<E> args{gemmOperand<E>(gradients_->data<E>(), logitStride_),
                     gemmOperand(weight_ + column * features_, features_), mostRowsOf(chunk), features_,
                     columns};
    args.rowsUsed = rowsOf(chunk);
    StoreGradient<E> store = storeGradient(chunk, dHidden_);
    store.rows = orderOf(chunk);
    store.accumulate = column > 0;
    launchGemm<kDepth, kLine, Tile<E>>(stream_, kOp, args, store);
  }

  void addDWeight(int64_t chunk, int64_t column, int64_t columns) {
    GemmArgs<E> args{gemmOperand<E>(gradients_->data<E>(), logitStride_),
                     gemmOperand<E>(gathered_->data<E>(), stride_), columns, features_, mostRowsOf(chunk)};
    args.depthUsed = rowsOf(chunk);
    StoreGradient<E> store = storeGradient(chunk, dWeight_ + column * features_);
    store.accumulate = chunk > 0;
    launchGemm<kLine, kLine, Tile<E>>(stream_, kOp, args, store);
  }

  Stream& stream_;
  const Device device_;
  const E* hidden_;          // [tokens, features]
  const E* weight_;          // [vocab, features]
  const int32_t* targets_;   // [tokens]
  const float* weights_;     // [tokens], or null
  float* logProbabilities_;  // [tokens], or null
  float* dHidden_;           // [tokens, features], or null
  float* dWeight_;           // [vocab, features], or null
  const int64_t tokens_, vocab_, features_;
  const LossOptions options_;
  const LinearCrossEntropyPlan plan_;
  const int64_t chunks_;
  KeptTokens kept_{};
  int64_t stride_ = 0, logitStride_ = 0;
  // Of all tokens:
  std::optional<Tensor> order_, losses_, counts_, bounds_;
  // Of a chunk:
  std::optional<Tensor> gathered_, rowTargets_, targetLogits_, partials_;
  std::optional<Tensor> rowGradients_, logits_, gradients_;
};

// A gradient times that of the loss.
template <typename E>
struct ScaleGradient {
  static constexpr int kWidth = kPackWidth<float>;
  static constexpr bool kLoads = true;
  const float* gradient;  // [count]
  const float* factor;    // []
  E* out;                 // [count]; of float32 the gradient itself
  int64_t count;
  bool isWide;
  float by = 1;

  __device__ void prepare() {
    by = *factor;
    // Where the loss is what backward() started from, a float32 gradient is in its place already.
    if (std::is_same_v<E, float> && by == 1) count = 0;
  }

  template <int width>
  __device__ Pack<float, width> load(int64_t at) const {
    return loadPack<width>(gradient + at);
  }

  template <int width>
  __device__ void store(int64_t at, const Pack<float, width>& rGradient) const {
    Pack<E, width> rOut;
#pragma unroll
    for (int i = 0; i < width; i++) rOut.values[i] = round<E>(by * rGradient.values[i]);
    storePack(out + at, rOut);
  }
};

}  // namespace

void linearCrossEntropy(Stream& stream, const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                        const LinearCrossEntropyOptions& options, const LinearCrossEntropyForward& out) {
  onFloatDType(hidden.dtype(), [&]<typename E>(E) {
    Call<E>(stream, hidden, weight, targets, options, out).run(out.loss.data<float>());
  });
}

void linearCrossEntropyBackward(Stream& stream, const Tensor& dLoss, const Tensor& gradient,
                                const Tensor& out) {
  onFloatDType(out.dtype(), [&]<typename E>(E) {
    ScaleGradient<E> body{gradient.data<float>(), dLoss.data<float>(), out.data<E>(), gradient.elements(),
                          false};
    body.isWide = areAlignedFor(body.kWidth, body.gradient, body.out);
    launchElements(stream, "linearCrossEntropyBackward", body);
  });
}

}  // namespace crossmap::cuda
