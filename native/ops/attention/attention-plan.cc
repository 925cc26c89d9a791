#include "ops/attention/attention-plan.h"

#include <algorithm>
#include <string>

#include "runtime/numbers.h"

namespace crossmap {

namespace {

// Query-key pairs of an item, for each head of keys: about 20 µs at headDim 64, some hundred times what it
// costs to hand an item to a thread.
constexpr int64_t kItemCost = 1 << 14;

void checkStarts(const char* name, const int32_t* starts, int64_t segments, int64_t tokens) {
  const auto fail = [&](int64_t at, const std::string& expected) {
    throw Error(ErrorCode::index, std::string(name) + "[" + std::to_string(at) + "] must be " + expected +
                                      "; got " + std::to_string(starts[at]));
  };
  if (starts[0] != 0) fail(0, "0");
  for (int64_t s = 0; s < segments; s++)
    if (starts[s + 1] < starts[s]) fail(s + 1, "at least the start before it, " + std::to_string(starts[s]));
  if (starts[segments] != tokens) fail(segments, "the number of tokens, " + std::to_string(tokens));
}

void addRowBlocks(AttentionPlan& plan, int64_t segment, const AttentionView& view, int64_t group,
                  AttentionTile tile) {
  const AttentionSegment& s = plan.segments[static_cast<size_t>(segment)];
  const int64_t rows = s.queries * group;
  for (int64_t row = 0; row < rows; row += tile.rows) {
    const int64_t count = std::min(tile.rows, rows - row);
    const int64_t begin = view.keysAt(s.positionOf(row / group), s.keys).begin;
    const int64_t end = view.keysAt(s.positionOf((row + count - 1) / group), s.keys).end;
    const int64_t prefixEnd = ceilDiv(s.prefix, tile.keys);
    const int64_t ownBegin = std::max(prefixEnd, begin / tile.keys);
    const int64_t ownEnd = begin < end ? std::max(ownBegin, ceilDiv(end, tile.keys)) : ownBegin;
    plan.rowBlocks.push_back({segment, row, count, {prefixEnd, ownBegin, ownEnd}});
  }
}

void addKeyBlocks(AttentionPlan& plan, int64_t segment, int64_t firstRowBlock, AttentionTile tile) {
  const int64_t rowBlocks = static_cast<int64_t>(plan.rowBlocks.size()) - firstRowBlock;
  const int64_t blocks = ceilDiv(plan.segments[static_cast<size_t>(segment)].keys, tile.keys);
  for (int64_t block = 0; block < blocks; block++)
    plan.keyBlocks.push_back({segment, block, firstRowBlock, rowBlocks});
}

// Starts of runs that cost about kItemCost each; one block may cost more.
template <typename Block, typename Cost>
std::vector<int64_t> runsOf(const std::vector<Block>& blocks, const Cost& costOf) {
  std::vector<int64_t> starts{0};
  int64_t cost = 0;
  for (size_t index = 0; index < blocks.size(); index++) {
    cost += costOf(blocks[index]);
    if (cost < kItemCost && index + 1 < blocks.size()) continue;
    starts.push_back(static_cast<int64_t>(index) + 1);
    cost = 0;
  }
  return starts;
}

}  // namespace

std::vector<AttentionSegment> attentionSegments(const AttentionShape& shape, const int32_t* segmentStarts,
                                                const int32_t* keyStarts, const int32_t* prefixLengths) {
  checkStarts("segmentStarts", segmentStarts, shape.segments, shape.tokens);
  if (keyStarts) checkStarts("keyStarts", keyStarts, shape.segments, shape.keyTokens);
  const int32_t* keys = keyStarts ? keyStarts : segmentStarts;
  std::vector<AttentionSegment> segments;
  segments.reserve(static_cast<size_t>(shape.segments));
  for (int64_t s = 0; s < shape.segments; s++) {
    const int64_t count = keys[s + 1] - keys[s];
    const int64_t prefix = prefixLengths ? prefixLengths[s] : 0;
    if (prefix < 0 || prefix > count)
      throw Error(ErrorCode::index, "prefixLengths[" + std::to_string(s) + "] must be from 0 to the " +
                                        std::to_string(count) + " keys of its segment; got " +
                                        std::to_string(prefix));
    segments.push_back({segmentStarts[s], segmentStarts[s + 1] - segmentStarts[s], keys[s], count, prefix});
  }
  return segments;
}

KeyRange AttentionView::keysAt(int64_t position, int64_t keys) const {
  const int64_t begin = std::clamp<int64_t>(position - window + 1, 0, keys);
  return {begin, std::clamp<int64_t>(causal ? position + 1 : position + window, begin, keys)};
}

AttentionView attentionView(const AttentionOptions& options) {
  return {options.mask == AttentionMask::causal, options.window.value_or(int64_t{1} << 53)};
}

AttentionPlan attentionPlan(std::vector<AttentionSegment> segments, const AttentionView& view, int64_t group,
                            AttentionTile tile) {
  AttentionPlan plan;
  plan.segments = std::move(segments);
  for (size_t s = 0; s < plan.segments.size(); s++) {
    const auto firstRowBlock = static_cast<int64_t>(plan.rowBlocks.size());
    addRowBlocks(plan, static_cast<int64_t>(s), view, group, tile);
    addKeyBlocks(plan, static_cast<int64_t>(s), firstRowBlock, tile);
  }
  // What there is besides pairs (rows, keys) is about as much as one lane's worth of pairs.
  plan.rowItems = runsOf(plan.rowBlocks, [&](const RowBlock& block) {
    const int64_t keys = plan.segments[static_cast<size_t>(block.segment)].keys;
    return block.rows * (16 + std::min(keys, block.keyBlocks.count() * tile.keys));
  });
  plan.keyItems = runsOf(plan.keyBlocks, [&](const KeyBlock& block) {
    const AttentionSegment& s = plan.segments[static_cast<size_t>(block.segment)];
    return std::min(tile.keys, s.keys) * (16 + s.queries * group);
  });
  return plan;
}

}  // namespace crossmap
