#pragma once
// What the forward pass over tiles and that over few rows have in common. Kernels only.
#include <cmath>
#include <limits>

#include "ops/attention/attention-args.h"
#include "ops/attention/tile.h"

namespace crossmap::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Softmax {
  float top[kTileRows];      // greatest logit so far
  float sum[kTileRows];      // of exp(logit - top)
  float rescale[kTileRows];  // what the sums before this block are to be multiplied by
};

struct ForwardScratch {
  float* q;       // [headDim, kTileRows], times scale
  float* keys;    // [kTileKeys, padded headDim]: keys, then values
  float* scores;  // [kTileKeys, kTileRows]
  float* sums;    // [kTileRows, padded headDim]: of exp(logit - top) v

  static int64_t floats(int64_t padded) {
    return padded * (2 * kTileRows + kTileKeys) + kTileKeys * kTileRows;
  }
  ForwardScratch(float* at, int64_t padded)
      : q(at),
        keys(q + padded * kTileRows),
        scores(keys + kTileKeys * padded),
        sums(scores + kTileKeys * kTileRows) {}
};

template <typename E>
struct ForwardArgs : AttentionArgs<E> {
  E* out;
  float* lse;
  // [kvHeads, keyTokens, padded headDim]: of the segments that isPacked. Where pairs are multiplied, KeyPacks
  // is at the first.
  float *keyPack, *valuePack;

  float* packed(float* pack, const AttentionSegment& segment, int64_t key, int64_t kvHead) const {
    const int64_t padded = paddedTo(this->shape.headDim);
    return pack + (kvHead * this->shape.keyTokens + segment.firstKey + key) * padded;
  }
  // Keys that several blocks of rows read are converted and laid side by side once: rows of a head lie far
  // apart in k and v, and to gather them for each tile costs a fifth of its products.
  bool isPacked(const AttentionSegment& segment) const {
    return segment.queries * this->shape.group() > kTileRows;
  }
};

// A sink is a key with this logit and value 0.
Softmax initialSoftmax(const float* sinks, const TileRows& rows, int64_t heads) {
  Softmax softmax;
  for (int64_t r = 0; r < paddedTo(rows.count); r++) {
    const bool sunk = sinks && r < rows.count;
    softmax.top[r] = sunk ? sinks[rows.at[r] % heads] : -kInfinity;
    softmax.sum[r] = sunk ? 1 : 0;
  }
  return softmax;
}

template <typename E>
void writeRows(const ForwardArgs<E>& a, const TileRows& rows, const Softmax& softmax, const float* sums,
               int64_t padded) {
  for (int64_t r = 0; r < rows.count; r++) {
    const float sum = softmax.sum[r];
    writeRow(sums + r * padded, a.shape.headDim, sum == 0 ? 0 : 1 / sum,
             a.out + rows.at[r] * a.shape.headDim);
    a.lse[rows.at[r]] = sum == 0 ? -kInfinity : softmax.top[r] + std::log(sum);
  }
}

}  // namespace
}  // namespace crossmap::cpu
