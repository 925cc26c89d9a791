#pragma once
// What the backward pass over tiles of floats and that over pairs of bfloat16 have in common. Kernels only.
#include <atomic>
#include <thread>
#include <vector>

#include "ops/attention/attention-args.h"
#include "ops/attention/tile.h"

namespace crossmap::cpu {
namespace {

template <typename E>
struct BackwardArgs : AttentionArgs<E> {
  const E *out, *dOut;
  const float* lse;
  E *dq, *dk, *dv;
  // [kvHeads, tokens * group, padded headDim], of the rows that several blocks of keys visit: q and dOut,
  // converted and laid side by side once, and the sums of dq. Where pairs are multiplied, RowPacks is at the
  // first.
  float *queryPack, *dOutPack, *dqPack;
  float* deltas;  // [tokens, heads]: dOut . out
  float* dSinks;  // may be null

  int64_t packedAt(const AttentionSegment& segment, int64_t row, int64_t kvHead) const {
    const int64_t group = this->shape.group();
    return ((kvHead * this->shape.tokens + segment.firstQuery) * group + row) * paddedTo(this->shape.headDim);
  }
};

// Which block of keys is next to add to the dq of a block of rows, for each head of keys.
class Turns {
 public:
  Turns(size_t rowBlocks, int64_t kvHeads)
      : turns_(rowBlocks * static_cast<size_t>(kvHeads)), kvHeads_(kvHeads) {}

  // Deadlock is impossible: the item waited for was taken before this one and waits only for earlier ones.
  void wait(int64_t rowBlock, int64_t kvHead, int64_t rank) {
    const std::atomic<int64_t>& turn = at(rowBlock, kvHead);
    while (turn.load(std::memory_order_acquire) != rank) std::this_thread::yield();
  }
  void pass(int64_t rowBlock, int64_t kvHead) {
    at(rowBlock, kvHead).fetch_add(1, std::memory_order_release);
  }

 private:
  std::atomic<int64_t>& at(int64_t rowBlock, int64_t kvHead) {
    return turns_[static_cast<size_t>(rowBlock * kvHeads_ + kvHead)];
  }

  std::vector<std::atomic<int64_t>> turns_;
  int64_t kvHeads_;
};

struct KeyTile {
  int64_t first;  // of the segment
  int64_t keys;
  int64_t prefix;
};

inline KeyTile keyTileOf(const AttentionSegment& segment, const KeyBlock& block) {
  const int64_t first = block.block * kTileKeys;
  return {first, std::min(kTileKeys, segment.keys - first), segment.prefix};
}

template <typename E>
float dotRow(const E* x, const E* y, int64_t size) {
  Vec products{};
  int64_t d = 0;
  for (; d + kLanes <= size; d += kLanes) products = fma(load(x + d), load(y + d), products);
  if (d < size) products = fma(loadPartial(x + d, size - d), loadPartial(y + d, size - d), products);
  return sum(products);
}

template <typename E>
void rowDeltas(const BackwardArgs<E>& a, const TileRows& rows) {
  const int64_t headDim = a.shape.headDim;
  for (int64_t r = 0; r < rows.count; r++)
    a.deltas[rows.at[r]] = dotRow(a.dOut + rows.at[r] * headDim, a.out + rows.at[r] * headDim, headDim);
}

template <typename E>
void writeQueryGradients(const BackwardArgs<E>& a, const TileRows& rows, const float* from) {
  const int64_t headDim = a.shape.headDim;
  for (int64_t r = 0; r < rows.count; r++)
    writeRow(from + r * paddedTo(headDim), headDim, 1, a.dq + rows.at[r] * headDim);
}

// [keys, padded] sums of a tile.
template <typename E>
void writeKeyGradients(const BackwardArgs<E>& a, const AttentionSegment& segment, const KeyTile& tile,
                       int64_t kvHead, const float* dKeys, const float* dValues, int64_t padded) {
  const int64_t headDim = a.shape.headDim;
  for (int64_t j = 0; j < tile.keys; j++) {
    const int64_t at = ((segment.firstKey + tile.first + j) * a.shape.kvHeads + kvHead) * headDim;
    writeRow(dKeys + j * padded, headDim, 1, a.dk + at);
    writeRow(dValues + j * padded, headDim, 1, a.dv + at);
  }
}

// Calls body(index, rowBlock, rows) for the blocks of rows that see a block of keys, in their order.
template <typename E, typename Body>
void forEachSeeingBlock(const BackwardArgs<E>& a, const AttentionPlan& plan, const KeyBlock& block,
                        int64_t kvHead, const Body& body) {
  for (int64_t index = block.firstRowBlock; index < block.firstRowBlock + block.rowBlocks; index++) {
    const RowBlock& rowBlock = plan.rowBlocks[static_cast<size_t>(index)];
    if (!rowBlock.keyBlocks.contains(block.block)) continue;
    body(index, rowBlock,
         tileRows(a.shape, a.view, plan.segments[static_cast<size_t>(block.segment)], rowBlock, kvHead));
  }
}

}  // namespace
}  // namespace crossmap::cpu
