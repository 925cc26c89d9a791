#pragma once
// The backward pass of bfloat16 where the processor multiplies pairs. Scores are held transposed, [keys,
// rows]: so weights become pairs along the rows, which their product with dOut needs, and gradients of scores
// become pairs along the keys too, which that with the keys needs, without leaving their lanes. Kernels only.
#include "ops/attention/attention-backward.h"
#include "ops/attention/pair-operands.h"

namespace crossmap::cpu {
namespace {

// Rows of q and dOut as operands.
struct PairRowOperands {
  float *qT, *dOutT;  // [pairWords(headDim), kTileRows]
  float *q, *dOut;    // [kRowWords, padded headDim]: pairs along the rows
  float* dqT;         // [padded headDim, kTileRows]: sums

  static int64_t floats(int64_t headDim) {
    return 2 * pairWords(headDim) * kTileRows + pairPadded(headDim) * (2 * kRowWords + kTileRows);
  }
  PairRowOperands(float* at, int64_t headDim) {
    for (float** operand : {&qT, &dOutT}) at = (*operand = at) + pairWords(headDim) * kTileRows;
    for (float** operand : {&q, &dOut}) at = (*operand = at) + kRowWords * pairPadded(headDim);
    dqT = at;
  }
};

struct PairBackwardScratch {
  float *keys, *values;      // [kTileKeys, pairWords(headDim)]
  float* keysT;              // [padded headDim, kKeyWords]
  float *dKeys, *dValues;    // [kTileKeys, padded headDim]
  float *scores, *dWeights;  // [kTileKeys, kTileRows]
  float *weights, *dScores;  // [kTileKeys, kRowWords]: pairs along the rows
  float* dScoresT;           // [kKeyWords, kTileRows]: pairs along the keys
  float* rows;               // [kTileRows, padded headDim], or pairs that are transposed on their way
  PairRowOperands own;       // of rows that see keys of one block alone

  static int64_t floats(int64_t headDim) {
    const int64_t padded = pairPadded(headDim);
    return kTileKeys * (2 * pairWords(headDim) + 2 * padded + 2 * kTileRows + 2 * kRowWords) +
           kKeyWords * (padded + kTileRows) + kTileRows * padded + PairRowOperands::floats(headDim);
  }
  PairBackwardScratch(float* at, int64_t headDim) : own(at, headDim) {
    const int64_t padded = pairPadded(headDim);
    at += PairRowOperands::floats(headDim);
    for (float** tile : {&keys, &values}) at = (*tile = at) + kTileKeys * pairWords(headDim);
    at = (keysT = at) + padded * kKeyWords;
    for (float** tile : {&dKeys, &dValues}) at = (*tile = at) + kTileKeys * padded;
    for (float** tile : {&scores, &dWeights}) at = (*tile = at) + kTileKeys * kTileRows;
    for (float** tile : {&weights, &dScores}) at = (*tile = at) + kTileKeys * kRowWords;
    at = (dScoresT = at) + kKeyWords * kTileRows;
    rows = at;
  }
};

// Operands of the rows that several blocks of keys visit, each made once.
struct RowPacks {
  float* at;
  int64_t blocks;
  std::vector<int64_t> indexOf;  // of each block of rows

  RowPacks(const AttentionPlan& plan, float* at) : at(at), blocks(0) {
    for (const RowBlock& block : plan.rowBlocks) {
      indexOf.push_back(blocks);
      if (block.keyBlocks.count() > 1) blocks++;
    }
  }
  // No plan has more blocks: they belong to segments of more than kTileKeys keys.
  static int64_t floats(const AttentionShape& shape) {
    const int64_t segments = std::min(shape.segments, shape.keyTokens / kTileKeys);
    return (shape.tokens * shape.group() / kTileRows + segments) * shape.kvHeads *
           PairRowOperands::floats(shape.headDim);
  }
  PairRowOperands operands(int64_t rowBlock, int64_t kvHead, int64_t headDim) const {
    const int64_t index = kvHead * blocks + indexOf[static_cast<size_t>(rowBlock)];
    return {at + index * PairRowOperands::floats(headDim), headDim};
  }
};

// `staging` is [kTileRows, pairWords(headDim)].
inline void loadRows(const BackwardArgs<BFloat16>& a, const TileRows& rows, float* staging,
                     const PairRowOperands& to) {
  const int64_t headDim = a.shape.headDim;
  const int64_t words = pairWords(headDim);
  const int64_t lanes = pairPadded(rows.count);
  const auto loadFrom = [&](const BFloat16* base, float* transposed, float* pairs) {
    const auto rowOf = [&](int64_t r) { return base + rows.at[r] * headDim; };
    copyPairs(rowOf, rows.count, lanes, headDim, staging);
    transpose(staging, words, lanes, words, transposed, kTileRows);
    pairRows(rowOf, rows.count, 2 * pairWords(rows.count), headDim, pairs, pairPadded(headDim));
  };
  loadFrom(a.q, to.qT, to.q);
  loadFrom(a.dOut, to.dOutT, to.dOut);
}

inline void loadKeys(const BackwardArgs<BFloat16>& a, const AttentionSegment& segment, const KeyTile& tile,
                     int64_t kvHead, const PairBackwardScratch& scratch) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = pairPadded(headDim);
  const auto rowOf = [&](const BFloat16* base) {
    return [&a, &segment, &tile, base, kvHead](int64_t j) {
      return a.keyRow(base, segment, tile.first + j, kvHead);
    };
  };
  copyPairs(rowOf(a.k), tile.keys, pairPadded(tile.keys), headDim, scratch.keys);
  copyPairs(rowOf(a.v), tile.keys, pairPadded(tile.keys), headDim, scratch.values);
  pairRows(rowOf(a.k), tile.keys, 2 * pairWords(tile.keys), headDim, scratch.rows, padded);
  transpose(scratch.rows, padded, pairWords(tile.keys), padded, scratch.keysT, kKeyWords);
  clearRows(scratch.dKeys, padded, 0, pairPadded(tile.keys));
  clearRows(scratch.dValues, padded, 0, pairPadded(tile.keys));
}

// What rows need besides their operands. Rows that only fill the last vector have weights of 0.
struct RowStates {
  float lse[kTileRows];
  float deltas[kTileRows];

  RowStates(const BackwardArgs<BFloat16>& a, const TileRows& rows) {
    for (int64_t r = 0; r < rows.count; r++) {
      lse[r] = a.lse[rows.at[r]];
      deltas[r] = a.deltas[rows.at[r]];
    }
    for (int64_t r = rows.count; r < kTileRows; r++) {
      lse[r] = std::numeric_limits<float>::infinity();
      deltas[r] = 0;
    }
  }
};

// Weights and gradients of scores of the keys `j` and `j` + 1 for the rows from `lane` on.
struct PairAt {
  const PairBackwardScratch& scratch;
  int64_t lane;

  void store(int64_t j, Vec (&weights)[2], Vec (&dScores)[2]) const {
    for (int64_t key = 0; key < 2; key++) {
      const int64_t at = (j + key) * kTileRows + lane;
      cpu::store(reinterpret_cast<BFloat16*>(scratch.weights) + at, weights[key]);
      cpu::store(reinterpret_cast<BFloat16*>(scratch.dScores) + at, dScores[key]);
    }
    cpu::store(scratch.dScoresT + j / 2 * kTileRows + lane, pairOf(dScores[0], dScores[1]));
  }
  // Of the keys [from, to), both even.
  void clear(int64_t from, int64_t to) const {
    Vec zeros[2] = {};
    for (int64_t j = from; j < to; j += 2) store(j, zeros, zeros);
  }
};

// Scores and dOut . v become weights and gradients of scores.
template <bool masked, bool capped>
void weightPairs(const BackwardArgs<BFloat16>& a, const KeyTile& tile, const Band& band, const TileRows& rows,
                 const RowStates& states, const PairBackwardScratch& scratch) {
  const int64_t keys = 2 * pairWords(tile.keys);
  for (int64_t lane = band.begin; lane < band.end; lane += kLanes) {
    const PairAt at{scratch, lane};
    const IntVec begin = loadInts(rows.begin + lane);
    const IntVec end = loadInts(rows.end + lane);
    const Vec lse = load(states.lse + lane);
    const Vec delta = load(states.deltas + lane);
    at.clear(0, band.from);
    for (int64_t j = band.from; j < band.to; j += 2) {
      Vec weights[2] = {};
      Vec dScores[2] = {};
      for (int64_t pair = 0; pair < std::min<int64_t>(2, band.to - j); pair++) {
        const int64_t from = (j + pair) * kTileRows + lane;
        Vec logit = load(scratch.scores + from) * a.scale;
        Vec slope = broadcast(a.scale);
        if constexpr (capped) {
          const Vec bent = tanh(logit * (1 / a.softcap));
          logit = bent * a.softcap;
          slope = slope * (1.f - bent * bent);
        }
        Vec weight = exp(logit - lse);
        // A row that sees nothing has lse -inf and weights of infinity: they are chosen, not multiplied,
        // away.
        const auto key = static_cast<int32_t>(tile.first + j + pair);
        if (masked && key >= tile.prefix) weight = (begin <= key) & (key < end) ? weight : Vec{};
        weights[pair] = weight;
        dScores[pair] = weight * (load(scratch.dWeights + from) - delta) * slope;
      }
      at.store(j, weights, dScores);
    }
    at.clear(roundUp(band.to, 2), keys);
  }
}

inline void tilePair(const BackwardArgs<BFloat16>& a, const KeyTile& tile, const TileRows& rows,
                     const PairRowOperands& operands, const PairBackwardScratch& scratch,
                     const PairProducts& multiply) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = pairPadded(headDim);
  const int64_t keys = pairPadded(tile.keys);
  const int64_t lanes = pairPadded(rows.count);
  const auto scores = [&](const float* of, const float* transposed, float* to) {
    multiply({.m = keys,
              .n = lanes,
              .words = pairWords(headDim),
              .a = of,
              .strideA = pairWords(headDim),
              .b = transposed,
              .strideB = kTileRows,
              .c = to,
              .strideC = kTileRows,
              .add = false});
  };
  const auto sumOverRows = [&](const float* factors, const float* of, float* to) {
    multiply({.m = keys,
              .n = padded,
              .words = pairWords(rows.count),
              .a = factors,
              .strideA = kRowWords,
              .b = of,
              .strideB = padded,
              .c = to,
              .strideC = padded,
              .add = true});
  };
  scores(scratch.keys, operands.qT, scratch.scores);
  scores(scratch.values, operands.dOutT, scratch.dWeights);
  const bool masked = !rows.seeAll(tile.first, tile.first + tile.keys, tile.prefix);
  const auto band = a.softcap > 0 ? (masked ? weightPairs<true, true> : weightPairs<false, true>)
                                  : (masked ? weightPairs<true, false> : weightPairs<false, false>);
  const RowStates states(a, rows);
  for (const Band& each : tileBands(rows, tile.first, tile.keys, tile.prefix).rows)
    band(a, tile, each, rows, states, scratch);
  for (int64_t lane = lanes; lane < 2 * pairWords(rows.count); lane += kLanes)
    PairAt{scratch, lane}.clear(0, 2 * pairWords(tile.keys));
  sumOverRows(scratch.weights, operands.dOut, scratch.dValues);
  sumOverRows(scratch.dScores, operands.q, scratch.dKeys);
}

inline void queryGradients(const KeyTile& tile, const TileRows& rows, int64_t headDim, bool add,
                           const PairRowOperands& operands, const PairBackwardScratch& scratch,
                           const PairProducts& multiply) {
  multiply({.m = pairPadded(headDim),
            .n = pairPadded(rows.count),
            .words = pairWords(tile.keys),
            .a = scratch.keysT,
            .strideA = kKeyWords,
            .b = scratch.dScoresT,
            .strideB = kTileRows,
            .c = operands.dqT,
            .strideC = kTileRows,
            .add = add});
}

inline void writeQueryGradients(const BackwardArgs<BFloat16>& a, const TileRows& rows,
                                const PairRowOperands& operands, const PairBackwardScratch& scratch) {
  const int64_t padded = pairPadded(a.shape.headDim);
  transpose(operands.dqT, kTileRows, padded, pairPadded(rows.count), scratch.rows, padded);
  writeQueryGradients(a, rows, scratch.rows);
}

inline void backwardBlock(const BackwardArgs<BFloat16>& a, const AttentionPlan& plan, const KeyBlock& block,
                          int64_t kvHead, const RowPacks& packs, Turns& turns,
                          const PairBackwardScratch& scratch, const PairProducts& multiply) {
  const AttentionSegment& segment = plan.segments[static_cast<size_t>(block.segment)];
  const int64_t headDim = a.shape.headDim;
  const KeyTile tile = keyTileOf(segment, block);
  loadKeys(a, segment, tile, kvHead, scratch);
  forEachSeeingBlock(a, plan, block, kvHead,
                     [&](int64_t index, const RowBlock& rowBlock, const TileRows& rows) {
                       if (rowBlock.keyBlocks.count() == 1) {
                         loadRows(a, rows, scratch.rows, scratch.own);
                         rowDeltas(a, rows);
                         tilePair(a, tile, rows, scratch.own, scratch, multiply);
                         queryGradients(tile, rows, headDim, false, scratch.own, scratch, multiply);
                         return writeQueryGradients(a, rows, scratch.own, scratch);
                       }
                       const PairRowOperands operands = packs.operands(index, kvHead, headDim);
                       tilePair(a, tile, rows, operands, scratch, multiply);
                       const int64_t rank = rowBlock.keyBlocks.rankOf(block.block);
                       turns.wait(index, kvHead, rank);
                       queryGradients(tile, rows, headDim, rank > 0, operands, scratch, multiply);
                       turns.pass(index, kvHead);
                       if (rank + 1 == rowBlock.keyBlocks.count())
                         writeQueryGradients(a, rows, operands, scratch);
                     });
  writeKeyGradients(a, segment, tile, kvHead, scratch.dKeys, scratch.dValues, pairPadded(headDim));
}

}  // namespace
}  // namespace crossmap::cpu
