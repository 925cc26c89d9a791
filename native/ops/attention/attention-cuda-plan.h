#pragma once
// Tiles, stages and splits of attention on CUDA: pure functions of architecture, dtype and shape.
//
// A block owns a tile of rows or of keys, 16 or 32 for each of its warps, and streams the other operand past
// it in blocks of a fixed size, two of which are in shared memory: one that is multiplied, one that arrives.
#include <algorithm>
#include <cstdint>

#include "ops/attention/attention-plan.h"
#include "runtime/cuda/stream.h"
#include "runtime/dtype.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

// Rows of an mma.
inline constexpr int kStripRows = 16;
// Rows or keys of the largest tile.
inline constexpr int kMostOwned = 128;
inline constexpr int kStages = 2;

enum class AttentionPass { forward, backward };

// The sizes for which there are kernels; what lies between is padded with zeros in shared memory.
constexpr int paddedHeadDim(int64_t headDim) {
  for (const int size : {32, 64, 96, 128, 192})
    if (headDim <= size) return size;
  return 256;
}

// Keys, or rows, in a block that is streamed, for rows of so many bytes. All stages and the owned tile fit
// the 99 KiB that a block can have on sm_86, sm_89 and sm_120, and twice the 163 KiB of sm_80 up to headDim
// 128. Scores of a warp take a register for each 32 of their elements, the sums up to 128: with more keys,
// registers spill.
constexpr int streamedRows(AttentionPass pass, int rowBytes) {
  if (pass == AttentionPass::forward) return rowBytes <= 128 ? 64 : rowBytes <= 512 ? 32 : 16;
  return rowBytes <= 256 ? 32 : 16;
}

// Strips of 16 rows that a warp owns. With two, what a warp reads of a streamed row serves twice as many
// products: with one, reading shared memory takes as long as the tensor cores of sm_80 multiply. Two are
// taken where no architecture spills (bench/results/static.json); float32 needs registers to split operands.
constexpr int stripsOf(AttentionPass pass, int64_t elementBytes, int padded) {
  const int most = pass == AttentionPass::forward ? 64 : 32;
  return elementBytes == 2 && padded <= most ? 2 : 1;
}

constexpr int mostThreads(AttentionPass pass, int64_t elementBytes, int padded) {
  return kMostOwned / (kStripRows * stripsOf(pass, elementBytes, padded)) * 32;
}

// Operands of the owner that stay in shared memory: q, or k and v.
constexpr int ownedTiles(AttentionPass pass) { return pass == AttentionPass::forward ? 1 : 2; }

// Into how many ranges the columns of gradients are cut, a block for each that computes the scores again:
// with more than 128 columns the sums of dk and dv would not fit into registers.
constexpr int columnRanges(int padded) { return padded > 128 ? 2 : 1; }

// A block of k and v, or of q and dOut; of these, when all have been multiplied, the gradients of the scores
// take the place: an element for each key of the tile and row of the block.
constexpr int stageBytes(AttentionPass pass, int64_t elementBytes, int padded) {
  const int bytes = static_cast<int>(elementBytes);
  const int perRow = pass == AttentionPass::forward ? 2 * padded : std::max(2 * padded, kMostOwned);
  return streamedRows(pass, padded * bytes) * perRow * bytes;
}

// What the columns of the scores need when they are rows of q: which keys they see (16 bytes), lse and dOut .
// out (8 bytes). And what a stage of them needs: which tiles visit it (16 bytes).
inline constexpr int kRowInfoBytes = 24;
inline constexpr int kVisitorBytes = 16;
// For each strip of keys the pieces of the gradients of scores that there are; and what the block owns.
inline constexpr int kMaskBytes = kMostOwned / kStripRows * 4;
inline constexpr int kPlaceBytes = 16;

constexpr int64_t sharedBytesOf(AttentionPass pass, int64_t elementBytes, int padded, int owned) {
  const int64_t rowBytes = padded * elementBytes;
  const int64_t tiles =
      int64_t{kStages} * stageBytes(pass, elementBytes, padded) + ownedTiles(pass) * owned * rowBytes;
  if (pass == AttentionPass::forward) return tiles;
  const int64_t streamed = streamedRows(pass, static_cast<int>(rowBytes));
  return tiles + kStages * (streamed * kRowInfoBytes + kVisitorBytes) + kMaskBytes + kPlaceBytes;
}

struct AttentionTiling {
  int threads;
  int owned;     // rows or keys of a tile
  int streamed;  // keys or rows of a block that passes by
  int splits;    // blocks that share the keys of one tile of rows; their results are merged
  int64_t tiles;
  int64_t sharedBytes;
};

// Rows, or keys, of an average segment from which on the largest tiles pay. Below, smaller ones waste less.
inline constexpr int64_t kLongSegment = 512;
// Streamed blocks that are worth a split of their own, and the most splits: the merge reads each again.
inline constexpr int64_t kBlocksPerSplit = 4;
inline constexpr int64_t kMostSplits = 64;

inline AttentionTiling attentionTiling(const Architecture& architecture, DType dtype,
                                       const AttentionShape& shape, AttentionPass pass) {
  const int padded = paddedHeadDim(shape.headDim);
  const int rowBytes = padded * static_cast<int>(sizeOf(dtype));
  const int warpRows = kStripRows * stripsOf(pass, sizeOf(dtype), padded);
  const int64_t count = pass == AttentionPass::backward ? shape.keyTokens : shape.tokens * shape.group();
  const bool isLong = count / std::max<int64_t>(shape.segments, 1) >= kLongSegment;
  int owned = isLong ? kMostOwned : kMostOwned / 2;
  while (owned > warpRows &&
         (sharedBytesOf(pass, sizeOf(dtype), padded, owned) > architecture.sharedBytes || owned / 2 >= count))
    owned /= 2;
  const int64_t tiles = ceilDiv(count, int64_t{owned});
  const int streamed = streamedRows(pass, rowBytes);
  int64_t splits = 1;
  if (pass == AttentionPass::forward && tiles > 0) {
    const int64_t wanted = ceilDiv(int64_t{2} * architecture.multiprocessors, tiles * shape.kvHeads);
    const int64_t possible = ceilDiv(shape.keyTokens, int64_t{streamed}) / kBlocksPerSplit;
    splits = std::clamp<int64_t>(std::min(wanted, possible), 1, kMostSplits);
  }
  return {owned / warpRows * 32,    owned, streamed,
          static_cast<int>(splits), tiles, sharedBytesOf(pass, sizeOf(dtype), padded, owned)};
}

// Calls f.template operator()<padded>() with the padded headDim.
template <typename F>
void onHeadDim(int64_t headDim, F&& f) {
  switch (paddedHeadDim(headDim)) {
    case 32:
      return f.template operator()<32>();
    case 64:
      return f.template operator()<64>();
    case 96:
      return f.template operator()<96>();
    case 128:
      return f.template operator()<128>();
    case 192:
      return f.template operator()<192>();
    default:
      return f.template operator()<256>();
  }
}

}  // namespace crossmap::cuda
