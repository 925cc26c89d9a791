#pragma once
// The forward pass of bfloat16 where the processor multiplies pairs. Sums are held transposed as scores are,
// [headDim, rows]: so weights become pairs along the keys, the second operand of the product with the values,
// without leaving their lanes. Kernels only.
#include "ops/attention/attention-forward.h"
#include "ops/attention/pair-operands.h"

namespace crossmap::cpu {
namespace {

// Keys and values of a block of keys as operands.
struct KeyOperands {
  float* keys;     // [kTileKeys, pairWords(headDim)]
  float* valuesT;  // [padded headDim, kKeyWords]

  static int64_t floats(int64_t headDim) {
    return kTileKeys * pairWords(headDim) + pairPadded(headDim) * kKeyWords;
  }
  KeyOperands(float* at, int64_t headDim) : keys(at), valuesT(at + kTileKeys * pairWords(headDim)) {}
};

struct PairForwardScratch {
  float* own;   // KeyOperands of blocks that are not packed
  float* rows;  // [kTileRows, pairWords(headDim)], [kKeyWords, padded headDim] or [kTileRows, padded headDim]
  float* q;     // [pairWords(headDim), kTileRows]
  float* scores;   // [kTileKeys, kTileRows]
  float* weights;  // [kKeyWords, kTileRows]: pairs along the keys
  float* sums;     // [padded headDim, kTileRows]

  static int64_t floats(int64_t headDim) {
    return KeyOperands::floats(headDim) + kTileRows * pairPadded(headDim) + pairWords(headDim) * kTileRows +
           (kTileKeys + kKeyWords) * kTileRows + pairPadded(headDim) * kTileRows;
  }
  PairForwardScratch(float* at, int64_t headDim)
      : own(at),
        rows(own + KeyOperands::floats(headDim)),
        q(rows + kTileRows * pairPadded(headDim)),
        scores(q + pairWords(headDim) * kTileRows),
        weights(scores + kTileKeys * kTileRows),
        sums(weights + kKeyWords * kTileRows) {}
};

// Operands of all blocks of keys of the segments that isPacked, each made once.
struct KeyPacks {
  float* at;
  int64_t blocks;                   // of all packed segments
  std::vector<int64_t> firstBlock;  // of each segment

  KeyPacks(const ForwardArgs<BFloat16>& a, const AttentionPlan& plan, float* at) : at(at), blocks(0) {
    for (const AttentionSegment& segment : plan.segments) {
      firstBlock.push_back(blocks);
      if (a.isPacked(segment)) blocks += ceilDiv(segment.keys, kTileKeys);
    }
  }
  // No plan has more blocks: a segment that is packed has more than kTileRows rows.
  static int64_t floats(const AttentionShape& shape) {
    const int64_t segments = std::min(shape.segments, shape.tokens * shape.group() / kTileRows);
    return (shape.keyTokens / kTileKeys + segments) * shape.kvHeads * KeyOperands::floats(shape.headDim);
  }
  KeyOperands operands(const ForwardArgs<BFloat16>& a, int64_t segment, int64_t block, int64_t kvHead) const {
    const int64_t index = kvHead * blocks + firstBlock[static_cast<size_t>(segment)] + block;
    return {at + index * KeyOperands::floats(a.shape.headDim), a.shape.headDim};
  }
};

// `pairs` is scratch, [kKeyWords, padded headDim].
inline void loadKeys(const ForwardArgs<BFloat16>& a, const AttentionSegment& segment, int64_t first,
                     int64_t keys, int64_t kvHead, float* pairs, const KeyOperands& to) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = pairPadded(headDim);
  const auto rowOf = [&](const BFloat16* base) {
    return
        [&a, &segment, base, first, kvHead](int64_t j) { return a.keyRow(base, segment, first + j, kvHead); };
  };
  copyPairs(rowOf(a.k), keys, pairPadded(keys), headDim, to.keys);
  pairRows(rowOf(a.v), keys, 2 * pairWords(keys), headDim, pairs, padded);
  transpose(pairs, padded, pairWords(keys), padded, to.valuesT, kKeyWords);
}

inline void packAll(const ForwardArgs<BFloat16>& a, const AttentionPlan& plan, const KeyPacks& packs,
                    float* scratch, int64_t floats, ThreadPool& pool) {
  const int64_t headDim = a.shape.headDim;
  forEachItem(pool, static_cast<int64_t>(plan.keyBlocks.size()), scratch, floats,
              [&](int64_t item, float* own) {
                const KeyBlock& block = plan.keyBlocks[static_cast<size_t>(item)];
                const AttentionSegment& segment = plan.segments[static_cast<size_t>(block.segment)];
                if (!a.isPacked(segment)) return;
                const int64_t first = block.block * kTileKeys;
                const int64_t keys = std::min(kTileKeys, segment.keys - first);
                for (int64_t kvHead = 0; kvHead < a.shape.kvHeads; kvHead++)
                  loadKeys(a, segment, first, keys, kvHead, PairForwardScratch(own, headDim).rows,
                           packs.operands(a, block.segment, block.block, kvHead));
              });
}

struct PairTile {
  const float* scores;
  float* weights;
  int64_t firstKey;  // of the segment
  int64_t keys;
  int64_t prefix;
};

// Turns the scores of a band of rows into weights exp(logit - top), with the new top.
template <bool masked, bool capped>
void softmaxPairs(const PairTile& tile, const Band& band, const TileRows& rows, float scale, float softcap,
                  Softmax& softmax) {
  for (int64_t lane = band.begin; lane < band.end; lane += kLanes) {
    const IntVec begin = loadInts(rows.begin + lane);
    const IntVec end = loadInts(rows.end + lane);
    const auto logitAt = [&](int64_t j) {
      Vec logit = load(tile.scores + j * kTileRows + lane) * scale;
      if constexpr (capped) logit = tanh(logit * (1 / softcap)) * softcap;
      const auto key = static_cast<int32_t>(tile.firstKey + j);
      if (masked && key >= tile.prefix) logit = (begin <= key) & (key < end) ? logit : broadcast(-kInfinity);
      return logit;
    };
    const Vec oldTop = load(softmax.top + lane);
    Vec top = oldTop;
    for (int64_t j = band.from; j < band.to; j++) top = max(top, logitAt(j));
    // -inf - -inf is NaN: a row that has seen no key yet keeps sum 0.
    const Vec base = top == -kInfinity ? Vec{} : top;
    const Vec rescale = exp(oldTop - base);
    Vec sum = load(softmax.sum + lane) * rescale;
    float* words = tile.weights + lane;
    for (int64_t j = 0; j < band.from; j += 2) store(words + j / 2 * kTileRows, Vec{});
    for (int64_t j = band.from; j < band.to; j += 2) {
      const Vec first = exp(logitAt(j) - base);
      const Vec second = j + 1 < band.to ? exp(logitAt(j + 1) - base) : Vec{};
      sum += first;
      sum += second;
      store(words + j / 2 * kTileRows, pairOf(first, second));
    }
    for (int64_t j = roundUp(band.to, 2); j < 2 * pairWords(tile.keys); j += 2)
      store(words + j / 2 * kTileRows, Vec{});
    store(softmax.top + lane, top);
    store(softmax.sum + lane, sum);
    store(softmax.rescale + lane, rescale);
  }
}

inline void rescaleColumns(float* sums, int64_t padded, int64_t rows, const Softmax& softmax) {
  for (int64_t lane = 0; lane < rows; lane += kLanes) {
    const Vec factor = load(softmax.rescale + lane);
    if (maxOf(factor == 1.f ? Vec{} : broadcast(1)) == 0) continue;
    for (int64_t d = 0; d < padded; d++) {
      float* at = sums + d * kTileRows + lane;
      store(at, load(at) * factor);
    }
  }
}

inline void forwardBlock(const ForwardArgs<BFloat16>& a, const AttentionSegment& segment,
                         const RowBlock& block, int64_t kvHead, const KeyPacks& packs,
                         const PairForwardScratch& scratch, const PairProducts& multiply) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = pairPadded(headDim);
  const int64_t words = pairWords(headDim);
  const TileRows rows = tileRows(a.shape, a.view, segment, block, kvHead);
  const int64_t lanes = pairPadded(rows.count);
  Softmax softmax = initialSoftmax(a.sinks, rows, a.shape.heads);
  copyPairs([&](int64_t r) { return a.q + rows.at[r] * headDim; }, rows.count, lanes, headDim, scratch.rows);
  transpose(scratch.rows, words, lanes, words, scratch.q, kTileRows);
  if (block.keyBlocks.count() == 0) clearRows(scratch.sums, kTileRows, 0, padded);
  for (int64_t rank = 0; rank < block.keyBlocks.count(); rank++) {
    const int64_t keyBlock = block.keyBlocks.at(rank);
    const int64_t first = keyBlock * kTileKeys;
    const PairTile tile{scratch.scores, scratch.weights, first, std::min(kTileKeys, segment.keys - first),
                        segment.prefix};
    KeyOperands operands(scratch.own, headDim);
    if (a.isPacked(segment))
      operands = packs.operands(a, block.segment, keyBlock, kvHead);
    else
      loadKeys(a, segment, first, tile.keys, kvHead, scratch.rows, operands);
    multiply({.m = pairPadded(tile.keys),
              .n = lanes,
              .words = words,
              .a = operands.keys,
              .strideA = words,
              .b = scratch.q,
              .strideB = kTileRows,
              .c = scratch.scores,
              .strideC = kTileRows,
              .add = false});
    const bool masked = !rows.seeAll(first, first + tile.keys, segment.prefix);
    const auto band = a.softcap > 0 ? (masked ? softmaxPairs<true, true> : softmaxPairs<false, true>)
                                    : (masked ? softmaxPairs<true, false> : softmaxPairs<false, false>);
    for (const Band& each : tileBands(rows, first, tile.keys, segment.prefix).rows)
      band(tile, each, rows, a.scale, a.softcap, softmax);
    if (rank > 0) rescaleColumns(scratch.sums, padded, lanes, softmax);
    multiply({.m = padded,
              .n = lanes,
              .words = pairWords(tile.keys),
              .a = operands.valuesT,
              .strideA = kKeyWords,
              .b = scratch.weights,
              .strideB = kTileRows,
              .c = scratch.sums,
              .strideC = kTileRows,
              .add = rank > 0});
  }
  transpose(scratch.sums, kTileRows, padded, lanes, scratch.rows, padded);
  writeRows(a, rows, softmax, scratch.rows, padded);
}

}  // namespace
}  // namespace crossmap::cpu
