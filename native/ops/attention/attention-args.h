#pragma once
// What the tasks of both passes capture, and how they share work. Kernels only.
#include <atomic>
#include <cmath>
#include <vector>

#include "ops/attention/attention-cpu.h"
#include "ops/attention/attention-plan.h"
#include "runtime/cpu/cpu-device.h"

namespace crossmap::cpu {
namespace {

template <typename E>
struct AttentionArgs {
  AttentionShape shape;
  AttentionView view;
  float scale;
  float softcap;  // 0: none
  const E *q, *k, *v;
  const int32_t *segmentStarts, *keyStarts, *prefixLengths;  // the last two may be null
  const float* sinks;                                        // may be null

  const E* keyRow(const E* base, const AttentionSegment& segment, int64_t key, int64_t kvHead) const {
    return base + ((segment.firstKey + key) * shape.kvHeads + kvHead) * shape.headDim;
  }
  std::vector<AttentionSegment> segments() const {
    return attentionSegments(shape, segmentStarts, keyStarts, prefixLengths);
  }
};

template <typename T>
const T* dataOrNull(const std::optional<Tensor>& tensor) {
  return tensor ? tensor->data<T>() : nullptr;
}

template <typename E>
AttentionArgs<E> attentionArgs(const AttentionInputs& inputs) {
  const auto& [q, k, v, segmentStarts, options] = inputs;
  const AttentionShape shape{q.size(0), k.size(0), segmentStarts.size(0) - 1,
                             q.size(1), k.size(1), q.size(2)};
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(shape.headDim)));
  return {shape,
          attentionView(options),
          static_cast<float>(scale),
          static_cast<float>(options.softcap.value_or(0)),
          q.data<E>(),
          k.data<E>(),
          v.data<E>(),
          segmentStarts.data<int32_t>(),
          dataOrNull<int32_t>(options.keyStarts),
          dataOrNull<int32_t>(options.prefixLengths),
          dataOrNull<float>(options.sinks)};
}

// Calls body(item, scratch) for every item, on all threads, each with `floats` of scratch of its own. Threads
// take items in their order: an item may wait for one before it.
template <typename Body>
void forEachItem(ThreadPool& pool, int64_t items, float* scratch, int64_t floats, const Body& body) {
  std::atomic<int64_t> next{0};
  pool.parallelFor(pool.threads(), 1, [&](int64_t worker, int64_t) {
    for (int64_t item; (item = next.fetch_add(1, std::memory_order_relaxed)) < items;)
      body(item, scratch + worker * floats);
  });
}

// The scratch of forEachItem.
inline Tensor scratchOf(const Device& device, int64_t floats) {
  return empty({cpuOf(device).threads(), floats}, DType::float32, device);
}

}  // namespace
}  // namespace crossmap::cpu
