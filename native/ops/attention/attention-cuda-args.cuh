#pragma once
// What the kernels of both passes are given, and the memory of their plan.
#include <cmath>
#include <string>

#include "ops/attention/attention-cuda-plan.h"
#include "ops/attention/attention-cuda-products.cuh"
#include "ops/attention/attention-cuda-spans.cuh"
#include "ops/attention/attention-cuda.h"
#include "runtime/cuda/launch.h"

namespace crossmap::cuda {
namespace {

inline constexpr int kMergeThreads = 128;

// logit = outer * score in base 2, or outer * tanh(inner * score) with a softcap; the derivative of the logit
// in base e by the score is `scale`, times 1 - tanh^2.
struct LogitScale {
  float outer;
  float inner;  // 0: no softcap
  float scale;

  __device__ bool isCapped() const { return inner != 0; }
};

template <typename E>
struct AttentionArgs {
  const E *q, *k, *v;     // [tokens, heads, headDim], [keyTokens, kvHeads, headDim]
  const KeyView* views;   // [tokens]
  const SpanList* lists;  // [tiles]
  const Span* spans;
  int64_t rows;  // of one head of keys: tokens * group
  int64_t keyTokens;
  int64_t tiles;
  int kvHeads;
  int group;
  int headDim;
  LogitScale logits;
  bool wide;  // rows of all operands begin at multiples of 16 bytes and are as long

  template <typename T>
  __device__ HeadRows<T> queryRows(T* base, int kvHead) const {
    const int64_t stride = int64_t{kvHeads} * group * headDim;
    return {base + int64_t{kvHead} * group * headDim, rows, stride, group, headDim};
  }
  template <typename T>
  __device__ HeadRows<T> keyRows(T* base, int kvHead) const {
    return {base + int64_t{kvHead} * headDim, keyTokens, int64_t{kvHeads} * headDim, 1, headDim};
  }
  // Rows that only fill a tile see nothing.
  __device__ KeyView viewOf(int64_t row) const {
    return row < rows ? loadWhole(views + row / group) : KeyView{0, 0, 0, 0};
  }
  __device__ int headOf(int64_t row, int kvHead) const {
    return kvHead * group + static_cast<int>(row % group);
  }
  // In [tokens, heads].
  __device__ int64_t lseAt(int64_t row, int kvHead) const {
    return row / group * kvHeads * group + headOf(row, kvHead);
  }
};

inline AttentionShape attentionShape(const AttentionInputs& inputs) {
  return {inputs.q.size(0), inputs.k.size(0), inputs.segmentStarts.size(0) - 1,
          inputs.q.size(1), inputs.k.size(1), inputs.q.size(2)};
}

inline bool isAligned(const Tensor& tensor, int64_t bytes) {
  return reinterpret_cast<uintptr_t>(tensor.raw()) % static_cast<uintptr_t>(bytes) == 0;
}

template <typename E>
bool isPaired(const Tensor& tensor) {
  return isAligned(tensor, 2 * sizeof(E));
}

// Whether rows of headDim elements can be copied 16 bytes at a time.
inline bool isWide(const Tensor& tensor) {
  constexpr int64_t kWide = 16;
  return isAligned(tensor, kWide) && tensor.size(2) * sizeOf(tensor.dtype()) % kWide == 0;
}

// What check number n of attentionCheckKernel has found: the value that is wrong, and the other number that
// the text names.
inline FaultTextOfTwo startsFault(const AttentionShape& shape) {
  return [=](int64_t n, int32_t value, int32_t other) {
    const int64_t checks = shape.segments + 2;
    const auto text = [&](const std::string& name, int64_t at, const std::string& expected) {
      return name + "[" + std::to_string(at) + "] must be " + expected + "; got " + std::to_string(value);
    };
    if (n >= 2 * checks) {
      const int64_t s = n - 2 * checks;
      return text("prefixLengths", s, "from 0 to the " + std::to_string(other) + " keys of its segment");
    }
    const bool ofKeys = n >= checks;
    const std::string name = ofKeys ? "keyStarts" : "segmentStarts";
    const int64_t s = n % checks;
    if (s == 0) return text(name, 0, "0");
    if (s > shape.segments)
      return text(name, shape.segments,
                  "the number of tokens, " + std::to_string(ofKeys ? shape.keyTokens : shape.tokens));
    return text(name, s, "at least the start before it, " + std::to_string(other));
  };
}

struct SpanMemory {
  Tensor lists;  // [tiles, 4]
  Tensor spans;  // [2 (tiles + segments), 4]

  const SpanList* gLists() const { return reinterpret_cast<const SpanList*>(lists.data<int32_t>()); }
  const Span* gSpans() const { return reinterpret_cast<const Span*>(spans.data<int32_t>()); }
};

// Checks the starts on the device and writes what each query sees; then the spans of each pass.
class AttentionPlanMemory {
 public:
  AttentionPlanMemory(Stream& stream, const char* op, const AttentionInputs& inputs)
      : op_(op), views_(empty({inputs.q.size(0), 4}, DType::int32, inputs.q.device())) {
    const AttentionOptions& options = inputs.options;
    const AttentionShape shape = attentionShape(inputs);
    const AttentionView view = attentionView(options);
    const Tensor& keyStarts = options.keyStarts ? *options.keyStarts : inputs.segmentStarts;
    FaultSlot* slot = stream.faultSlot(op, ErrorCode::index, startsFault(shape));
    segments_ = {inputs.segmentStarts.data<int32_t>(),
                 keyStarts.data<int32_t>(),
                 options.prefixLengths ? options.prefixLengths->data<int32_t>() : nullptr,
                 slot,
                 shape.tokens,
                 shape.keyTokens,
                 static_cast<int>(shape.segments),
                 static_cast<int>(shape.group()),
                 view.causal,
                 view.window};
    constexpr int64_t kMostBlocks = 1024;
    launch(stream, {op, {std::min(kMostBlocks, ceilDiv(3 * shape.segments + 4, int64_t{256}))}, 256},
           attentionCheckKernel, segments_, slot);
    launch(stream, {op, {ceilDiv(shape.tokens, int64_t{256})}, 256}, attentionViewKernel, segments_, views());
  }

  KeyView* views() const { return reinterpret_cast<KeyView*>(views_.data<int32_t>()); }

  // The blocks of so many keys that each tile of so many rows visits.
  SpanMemory rowSpans(Stream& stream, int rows, int keys) const {
    return spans(stream, attentionRowSpansKernel, segments_.tokens * segments_.group, rows, keys);
  }
  // The blocks of rows that each tile of keys visits.
  SpanMemory keySpans(Stream& stream, int keys, int rows) const {
    return spans(stream, attentionKeySpansKernel, segments_.keyTokens, keys, rows);
  }

 private:
  SpanMemory spans(Stream& stream, void (*kernel)(SpanArgs), int64_t count, int owned, int streamed) const {
    const int64_t tiles = ceilDiv(count, int64_t{owned});
    const Device& device = views_.device();
    const SpanMemory memory{empty({tiles, 4}, DType::int32, device),
                            empty({2 * (tiles + segments_.segments), 4}, DType::int32, device)};
    const SpanArgs args{segments_,
                        reinterpret_cast<SpanList*>(memory.lists.data<int32_t>()),
                        reinterpret_cast<Span*>(memory.spans.data<int32_t>()),
                        tiles,
                        owned,
                        streamed};
    constexpr int kThreads = 64;
    launch(stream, {op_, {ceilDiv(tiles, int64_t{kThreads})}, kThreads}, kernel, args);
    return memory;
  }

  const char* op_;
  Tensor views_;  // [tokens, 4]
  SegmentArgs segments_;
};

// Without the tiles of a pass, which withTiles adds.
template <typename E>
AttentionArgs<E> attentionArgs(const AttentionInputs& inputs, const AttentionPlanMemory& plan) {
  const auto& [q, k, v, segmentStarts, options] = inputs;
  const AttentionShape shape = attentionShape(inputs);
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(shape.headDim)));
  const double log2E = 1.4426950408889634;
  const LogitScale logits = {static_cast<float>(options.softcap.value_or(scale) * log2E),
                             options.softcap ? static_cast<float>(scale / *options.softcap) : 0.f,
                             static_cast<float>(scale)};
  return {q.template data<E>(),
          k.template data<E>(),
          v.template data<E>(),
          plan.views(),
          nullptr,
          nullptr,
          shape.tokens * shape.group(),
          shape.keyTokens,
          0,
          static_cast<int>(shape.kvHeads),
          static_cast<int>(shape.group()),
          static_cast<int>(shape.headDim),
          logits,
          isWide(q) && isWide(k) && isWide(v)};
}

template <typename E>
AttentionArgs<E> withTiles(AttentionArgs<E> args, const SpanMemory& spans, const AttentionTiling& tiling) {
  args.lists = spans.gLists();
  args.spans = spans.gSpans();
  args.tiles = tiling.tiles;
  return args;
}

}  // namespace
}  // namespace crossmap::cuda
