#pragma once
// What each query sees, and which blocks each tile has to visit: written on the device, since the host does
// not know where segments start. Everything is counted from the first token or row of all segments together,
// so that a tile may hold several segments: their masks are blocks on the diagonal of one product.
//
// Rows are those of one head of keys: row r is query r / group, head kvHead * group + r % group.
#include <cstdint>

#include "ops/attention/attention-cuda-plan.h"
#include "runtime/cuda/device/fault.cuh"
#include "runtime/cuda/device/numeric.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/device/warp.cuh"

namespace crossmap::cuda {
namespace {

// Keys that a query sees: [begin, end) and those of the prefix.
struct alignas(16) KeyView {
  int32_t begin, end;
  int32_t prefixBegin, prefixEnd;

  __device__ bool sees(int key) const {
    return (key >= begin && key < end) || (key >= prefixBegin && key < prefixEnd);
  }
  // Whether it sees some of [first, last).
  __device__ bool seesSome(int first, int last) const {
    return (begin < end && begin < last && end > first) ||
           (prefixBegin < prefixEnd && prefixBegin < last && prefixEnd > first);
  }
};

// Blocks [begin, end) that a tile visits; of [fullBegin, fullEnd) every element is seen.
struct alignas(16) Span {
  int32_t begin, end;
  int32_t fullBegin, fullEnd;
};

// Of a tile: its spans are in order and do not overlap.
struct alignas(16) SpanList {
  int32_t first;
  int32_t count;
  int32_t blocks;  // in all spans
  int32_t end;     // of the last span
};

template <typename T>
__device__ T loadWhole(const T* from) {
  const auto words = loadPack<4>(reinterpret_cast<const int32_t*>(from));
  return std::bit_cast<T>(words);
}

template <typename T>
__device__ void storeWhole(T* to, const T& value) {
  storePack(reinterpret_cast<int32_t*>(to), std::bit_cast<Pack<int32_t, 4>>(value));
}

struct SegmentArgs {
  const int32_t* segmentStarts;  // [segments + 1]
  const int32_t* keyStarts;      // [segments + 1]
  const int32_t* prefixLengths;  // [segments], may be null
  const FaultSlot* fault;
  int64_t tokens, keyTokens;
  int segments;
  int group;
  bool causal;
  int64_t window;

  __device__ int prefixOf(int s) const { return prefixLengths ? prefixLengths[s] : 0; }

  // Keys besides the prefix that a query at `position` of `keys` keys sees; like AttentionView::keysAt.
  __device__ int64_t keysBegin(int64_t position, int64_t keys) const {
    return min(max(position - window + 1, int64_t{0}), keys);
  }
  __device__ int64_t keysEnd(int64_t position, int64_t keys) const {
    return min(max(causal ? position + 1 : position + window, keysBegin(position, keys)), keys);
  }
};

// The segment of a token: the last one that starts at or before it.
__device__ inline int segmentOf(const int32_t* starts, int segments, int64_t token) {
  int low = 0;
  int high = segments;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    if (starts[middle] <= token)
      low = middle;
    else
      high = middle;
  }
  return low;
}

// Reports number n of the checks that attentionSegments makes, in its order, where it fails: of segmentStarts
// its first, its rising, its end; the same of keyStarts; then of each prefix. One thread for each check.
__global__ void __launch_bounds__(256) attentionCheckKernel(SegmentArgs a, FaultSlot* slot) {
  const int64_t checks = int64_t{a.segments} + 2;
  const int64_t total = 2 * checks + (a.prefixLengths ? a.segments : 0);
  for (int64_t n = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; n < total;
       n += int64_t{gridDim.x} * blockDim.x) {
    if (n >= 2 * checks) {
      const auto s = static_cast<int>(n - 2 * checks);
      const int prefix = a.prefixLengths[s];
      const int64_t keys = int64_t{a.keyStarts[s + 1]} - a.keyStarts[s];
      if (prefix < 0 || prefix > keys) reportFault(slot, n, prefix, static_cast<int32_t>(keys));
      continue;
    }
    const int32_t* starts = n < checks ? a.segmentStarts : a.keyStarts;
    const auto s = static_cast<int>(n % checks);
    if (s == 0 && starts[0] != 0) reportFault(slot, n, starts[0]);
    if (s > 0 && s <= a.segments && starts[s] < starts[s - 1]) reportFault(slot, n, starts[s], starts[s - 1]);
    if (s > a.segments && starts[a.segments] != (n < checks ? a.tokens : a.keyTokens))
      reportFault(slot, n, starts[a.segments]);
  }
}

// views [tokens]. After a fault nobody sees anything, so that all results are zero.
__global__ void __launch_bounds__(256) attentionViewKernel(SegmentArgs a, KeyView* views) {
  const int64_t token = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (token >= a.tokens) return;
  KeyView view{0, 0, 0, 0};
  if (!hasFault(a.fault)) {
    const int s = segmentOf(a.segmentStarts, a.segments, token);
    const int64_t firstKey = a.keyStarts[s];
    const int64_t keys = a.keyStarts[s + 1] - firstKey;
    const int64_t position = keys - (a.segmentStarts[s + 1] - token);
    view = {static_cast<int32_t>(firstKey + a.keysBegin(position, keys)),
            static_cast<int32_t>(firstKey + a.keysEnd(position, keys)), static_cast<int32_t>(firstKey),
            static_cast<int32_t>(firstKey + a.prefixOf(s))};
  }
  storeWhole(views + token, view);
}

// Appends the spans of one tile.
class SpanWriter {
 public:
  __device__ SpanWriter(Span* spans, int64_t first, int size) : spans_(spans + first), size_(size) {
    // Here, since the compiler of host code sees the list of initialisers.
    shift_ = __ffs(size) - 1;
    list_ = {static_cast<int32_t>(first), 0, 0, 0};
    last_ = {0, 0, 0, 0};
  }

  // The blocks that hold some of [begin, end); all of [fullBegin, fullEnd) is seen by the whole tile. Calls
  // come in ascending order; a block that was added before is not added again.
  __device__ void add(int64_t begin, int64_t end, int64_t fullBegin, int64_t fullEnd) {
    if (begin >= end) return;
    const int64_t from = max(begin >> shift_, int64_t{list_.end});
    const int64_t to = (end + size_ - 1) >> shift_;
    if (from >= to) return;
    const int64_t fullFrom = min(max((fullBegin + size_ - 1) >> shift_, from), to);
    const int64_t fullTo = min(max(fullEnd >> shift_, fullFrom), to);
    list_.blocks += static_cast<int32_t>(to - from);
    // Of many short segments side by side no block is full, and one span holds all.
    const bool continues =
        list_.count > 0 && from == list_.end && fullFrom == fullTo && last_.fullBegin == last_.fullEnd;
    if (continues) {
      last_.end = static_cast<int32_t>(to);
    } else {
      last_ = {static_cast<int32_t>(from), static_cast<int32_t>(to), static_cast<int32_t>(fullFrom),
               static_cast<int32_t>(fullTo)};
      list_.count++;
    }
    storeWhole(spans_ + list_.count - 1, last_);
    list_.end = static_cast<int32_t>(to);
  }
  __device__ const SpanList& list() const { return list_; }

 private:
  Span* spans_;
  int size_;  // of a block: a power of two, so that no division is needed
  int shift_;
  Span last_;
  SpanList list_;
};

// A tile and a segment that share tokens are a step of a staircase, of which tile + segment is the number:
// room for two spans at each step is enough, and no tile needs to know how many spans another has.
struct SpanArgs {
  SegmentArgs segments;
  SpanList* lists;  // [tiles]
  Span* spans;      // [2 (tiles + segments)]
  int64_t tiles;
  int owned;     // rows or keys of a tile
  int streamed;  // keys or rows of a block
};

// Blocks of keys of which each tile of rows sees some. One thread for each tile. With the sizes of the two
// exchanged this and the kernel below find the same pairs: both leave out only pairs in which no row sees a
// key.
__global__ void __launch_bounds__(64) attentionRowSpansKernel(SpanArgs p) {
  const int64_t tile = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (tile >= p.tiles) return;
  const SegmentArgs& a = p.segments;
  if (hasFault(a.fault)) return storeWhole(p.lists + tile, SpanList{0, 0, 0, 0});
  const int64_t firstToken = tile * p.owned / a.group;
  const int64_t lastToken = (min((tile + 1) * p.owned, a.tokens * a.group) - 1) / a.group;
  int s = segmentOf(a.segmentStarts, a.segments, firstToken);
  SpanWriter writer(p.spans, 2 * (tile + s), p.streamed);
  for (; s < a.segments && a.segmentStarts[s] <= lastToken; s++) {
    const int64_t start = a.segmentStarts[s];
    const int64_t end = a.segmentStarts[s + 1];
    if (start == end) continue;
    const int64_t firstKey = a.keyStarts[s];
    const int64_t keys = a.keyStarts[s + 1] - firstKey;
    const int64_t prefix = a.prefixOf(s);
    const int64_t firstPosition = keys - (end - max(start, firstToken));
    const int64_t lastPosition = keys - (end - min(end - 1, lastToken));
    const bool alone = start <= firstToken && lastToken < end;
    writer.add(firstKey, firstKey + prefix, firstKey, alone ? firstKey + prefix : 0);
    writer.add(firstKey + max(a.keysBegin(firstPosition, keys), prefix),
               firstKey + a.keysEnd(lastPosition, keys), firstKey + a.keysBegin(lastPosition, keys),
               alone ? firstKey + a.keysEnd(firstPosition, keys) : 0);
  }
  storeWhole(p.lists + tile, writer.list());
}

// Blocks of rows that see some of each tile of keys. One thread for each tile.
__global__ void __launch_bounds__(64) attentionKeySpansKernel(SpanArgs p) {
  const int64_t tile = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (tile >= p.tiles) return;
  const SegmentArgs& a = p.segments;
  if (hasFault(a.fault)) return storeWhole(p.lists + tile, SpanList{0, 0, 0, 0});
  const int64_t firstKey = tile * p.owned;
  const int64_t lastKey = min(firstKey + p.owned, a.keyTokens) - 1;
  int s = segmentOf(a.keyStarts, a.segments, firstKey);
  SpanWriter writer(p.spans, 2 * (tile + s), p.streamed);
  for (; s < a.segments && a.keyStarts[s] <= lastKey; s++) {
    const int64_t start = a.keyStarts[s];
    const int64_t keys = a.keyStarts[s + 1] - start;
    const int64_t queries = int64_t{a.segmentStarts[s + 1]} - a.segmentStarts[s];
    if (keys == 0 || queries == 0) continue;
    const int64_t prefix = a.prefixOf(s);
    const int64_t from = max(firstKey, start) - start;
    const int64_t to = min(lastKey, start + keys - 1) - start;
    const bool alone = start <= firstKey && firstKey + p.owned <= start + keys;
    // A key is seen from its own position on, or from window - 1 before it, to window - 1 after it.
    const int64_t before = a.causal ? 0 : a.window - 1;
    const auto rowAt = [&](int64_t position) {
      const int64_t query = min(max(position - (keys - queries), int64_t{0}), queries);
      return (a.segmentStarts[s] + query) * a.group;
    };
    const bool somePrefix = from < prefix;
    const bool allPrefix = to < prefix;
    const int64_t firstRow = a.segmentStarts[s] * int64_t{a.group};
    const int64_t endRow = a.segmentStarts[s + 1] * int64_t{a.group};
    writer.add(somePrefix ? firstRow : rowAt(from - before), somePrefix ? endRow : rowAt(to + a.window),
               allPrefix ? firstRow : rowAt(to - before),
               !alone      ? 0
               : allPrefix ? endRow
                           : rowAt(from + a.window));
  }
  storeWhole(p.lists + tile, writer.list());
}

// How many blocks of the list come after this one.
__device__ inline int blocksAfter(const SpanList& list, const Span* spans, int block) {
  if (list.count == 1) return list.end - 1 - block;
  int after = 0;
  for (int n = list.count - 1; n >= 0; n--) {
    const Span span = loadWhole(spans + list.first + n);
    after += max(span.end - max(span.begin, block + 1), 0);
  }
  return after;
}

// Walks over the blocks of a tile.
class SpanWalk {
 public:
  // From block number `skip` of the list on, if there are so many.
  __device__ SpanWalk(const Span* spans, const SpanList& list, int skip)
      : next_(spans + list.first), span_{0, 0, 0, 0}, block_(0) {
    if (skip >= list.blocks) return;
    for (loadNext(); skip >= span_.end - span_.begin; loadNext()) skip -= span_.end - span_.begin;
    block_ += skip;
  }

  __device__ int block() const { return block_; }
  __device__ bool isFull() const { return block_ >= span_.fullBegin && block_ < span_.fullEnd; }
  // There must be one more block.
  __device__ void advance() {
    if (++block_ == span_.end) loadNext();
  }

 private:
  __device__ void loadNext() {
    span_ = loadWhole(next_++);
    block_ = span_.begin;
  }

  const Span* next_;
  Span span_;
  int block_;
};

}  // namespace
}  // namespace crossmap::cuda
