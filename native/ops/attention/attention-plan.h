#pragma once
// What there is to do: segments as they are found when the op runs, the tiles that have something to compute,
// and their order. Pure functions of shapes and segments, for all devices.
#include <cstdint>
#include <vector>

#include "ops/attention/attention.h"

namespace crossmap {

struct AttentionShape {
  int64_t tokens;
  int64_t keyTokens;
  int64_t segments;
  int64_t heads;
  int64_t kvHeads;
  int64_t headDim;

  // Query heads that share a head of keys. Their queries are rows side by side: row r of a segment and a head
  // of keys is query r / group of the segment, head kvHead * group + r % group.
  int64_t group() const { return heads / kvHeads; }
};

// Keys of a segment, from its first.
struct KeyRange {
  int64_t begin;
  int64_t end;
};

struct AttentionSegment {
  int64_t firstQuery;
  int64_t queries;
  int64_t firstKey;
  int64_t keys;
  int64_t prefix;

  int64_t positionOf(int64_t query) const { return keys - queries + query; }
};

// Reads and checks the starts; `keyStarts` and `prefixLengths` may be null. Throws ERR_INDEX where the starts
// do not rise from 0 to the tokens, or a prefix is longer than its segment.
std::vector<AttentionSegment> attentionSegments(const AttentionShape& shape, const int32_t* segmentStarts,
                                                const int32_t* keyStarts, const int32_t* prefixLengths);

// Which keys a query sees besides its segment's prefix.
struct AttentionView {
  bool causal;
  int64_t window;  // 2^53 where there is none

  // For a query at `position` of `keys` keys. Both ends rise with the position.
  KeyRange keysAt(int64_t position, int64_t keys) const;
};

AttentionView attentionView(const AttentionOptions& options);

// Blocks of keys that a block of rows visits: those of the prefix, then those of its own keys that follow.
struct KeyBlocks {
  int64_t prefixEnd;
  int64_t begin;  // not below prefixEnd
  int64_t end;    // not below begin

  int64_t count() const { return prefixEnd + end - begin; }
  bool contains(int64_t block) const { return block < prefixEnd || (block >= begin && block < end); }
  // How many blocks are visited before this one.
  int64_t rankOf(int64_t block) const { return block < prefixEnd ? block : prefixEnd + block - begin; }
  int64_t at(int64_t rank) const { return rank < prefixEnd ? rank : begin + rank - prefixEnd; }
};

// A block of rows of one segment and every head of keys.
struct RowBlock {
  int64_t segment;
  int64_t row;  // its first, of the segment
  int64_t rows;
  KeyBlocks keyBlocks;
};

// A block of keys of one segment, and the row blocks of that segment.
struct KeyBlock {
  int64_t segment;
  int64_t block;
  int64_t firstRowBlock;
  int64_t rowBlocks;
};

// Blocks are in the order of their segments. Items are runs of consecutive blocks of about equal cost, so
// that many short segments do not each cost a hand-over between threads.
struct AttentionPlan {
  std::vector<AttentionSegment> segments;
  std::vector<RowBlock> rowBlocks;
  std::vector<KeyBlock> keyBlocks;
  std::vector<int64_t> rowItems;  // [items + 1] starts of runs of rowBlocks
  std::vector<int64_t> keyItems;  // [items + 1] starts of runs of keyBlocks
};

struct AttentionTile {
  int64_t rows;
  int64_t keys;
};

AttentionPlan attentionPlan(std::vector<AttentionSegment> segments, const AttentionView& view, int64_t group,
                            AttentionTile tile);

}  // namespace crossmap
