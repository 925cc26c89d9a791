#pragma once
// The forward pass of rows so few that the lanes of a tile would be mostly empty: a step of decoding with a
// cache of keys. Bound by memory: keys and values are read once, where they lie. Kernels only.
#include "ops/attention/attention-forward.h"

namespace crossmap::cpu {
namespace {

// Four rows cost as much as the sixteen lanes of a tile.
constexpr int64_t kFewRows = 3;

template <typename E>
bool areFew(const ForwardArgs<E>& a, const RowBlock& block) {
  return block.rows <= kFewRows && a.shape.headDim % kLanes == 0;
}

// One row of the pass: its query times scale, its state, and scores to work on.
struct FewRow {
  const float* q;
  float* scores;  // [kTileKeys]
  float* sums;    // [headDim]
  float &top, &sum;
};

template <typename E>
inline float dotKey(const float* q, const E* key, int64_t headDim) {
  Vec products{};
  for (int64_t d = 0; d < headDim; d += kLanes) products = fma(load(q + d), load(key + d), products);
  return sum(products);
}

// sums = sums * rescale + weights @ values, for kVecs vectors of the headDim.
template <int kVecs, typename E>
inline void addValues(const float* weights, int64_t keys, const E* values, int64_t stride, float rescale,
                      float* sums) {
  Vec total[kVecs];
  for (int v = 0; v < kVecs; v++) total[v] = load(sums + v * kLanes) * rescale;
  for (int64_t j = 0; j < keys; j++)
    for (int v = 0; v < kVecs; v++)
      total[v] = fma(broadcast(weights[j]), load(values + j * stride + v * kLanes), total[v]);
  for (int v = 0; v < kVecs; v++) store(sums + v * kLanes, total[v]);
}

// Keys [first, first + keys) of the segment, at most kTileKeys, all seen by the row.
template <typename E>
void fewKeys(const ForwardArgs<E>& a, const E* keyRows, const E* valueRows, int64_t keys, const FewRow& row) {
  const int64_t headDim = a.shape.headDim;
  const int64_t stride = a.shape.kvHeads * headDim;
  for (int64_t j = 0; j < keys; j++) row.scores[j] = dotKey(row.q, keyRows + j * stride, headDim);
  if (a.softcap > 0)
    for (int64_t j = 0; j < keys; j += kLanes)
      store(row.scores + j, tanh(load(row.scores + j) * (1 / a.softcap)) * a.softcap);
  for (int64_t j = keys; j < paddedTo(keys); j++) row.scores[j] = -kInfinity;
  Vec tops = broadcast(row.top);
  for (int64_t j = 0; j < keys; j += kLanes) tops = max(tops, load(row.scores + j));
  const float top = maxOf(tops);
  const float rescale = exp(broadcast(row.top - top))[0];
  Vec weightSum{};
  for (int64_t j = 0; j < keys; j += kLanes) {
    const Vec weight = exp(load(row.scores + j) - top);
    store(row.scores + j, weight);
    weightSum += weight;
  }
  row.sum = row.sum * rescale + sum(weightSum);
  row.top = top;
  int64_t d = 0;
  for (; d + 4 * kLanes <= headDim; d += 4 * kLanes)
    addValues<4>(row.scores, keys, valueRows + d, stride, rescale, row.sums + d);
  for (; d < headDim; d += kLanes)
    addValues<1>(row.scores, keys, valueRows + d, stride, rescale, row.sums + d);
}

template <typename E>
void fewRowsBlock(const ForwardArgs<E>& a, const AttentionSegment& segment, const RowBlock& block,
                  int64_t kvHead, const ForwardScratch& scratch) {
  const int64_t headDim = a.shape.headDim;
  const TileRows rows = tileRows(a.shape, a.view, segment, block, kvHead);
  Softmax softmax = initialSoftmax(a.sinks, rows, a.shape.heads);
  for (int64_t r = 0; r < rows.count; r++)
    copyRow(a.q + rows.at[r] * headDim, headDim, a.scale, scratch.q + r * headDim);
  clearRows(scratch.sums, headDim, 0, rows.count);
  for (int64_t rank = 0; rank < block.keyBlocks.count(); rank++) {
    const int64_t first = block.keyBlocks.at(rank) * kTileKeys;
    const int64_t last = std::min(first + kTileKeys, segment.keys);
    for (int64_t r = 0; r < rows.count; r++) {
      const int64_t own = std::max<int64_t>(segment.prefix, rows.begin[r]);
      const FewRow row{scratch.q + r * headDim, scratch.scores, scratch.sums + r * headDim, softmax.top[r],
                       softmax.sum[r]};
      for (const KeyRange seen : {KeyRange{0, segment.prefix}, KeyRange{own, rows.end[r]}}) {
        const int64_t begin = std::max(first, seen.begin);
        const int64_t end = std::min(last, seen.end);
        if (begin < end)
          fewKeys(a, a.keyRow(a.k, segment, begin, kvHead), a.keyRow(a.v, segment, begin, kvHead),
                  end - begin, row);
      }
    }
  }
  writeRows(a, rows, softmax, scratch.sums, headDim);
}

}  // namespace
}  // namespace crossmap::cpu
