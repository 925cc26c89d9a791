// The backward pass. An item owns keys of dk and dv: it walks over the rows that see them and computes their
// weights again. Rows that see several blocks of keys sum dq in float32 in the order of these blocks: an item
// waits for the one before it, so that sums have the same bits on any number of threads.
#include <cmath>

#include "ops/attention/attention-backward-pairs.h"
#include "ops/attention/attention-backward.h"
#include "ops/attention/tile-product.h"

namespace crossmap::cpu {

namespace {

// Tiles of keys are [kTileKeys, padded headDim], those of rows [kTileRows, padded headDim].
struct BackwardScratch {
  int64_t padded;
  float *keys, *keysT, *valuesT, *dKeys, *dValues;  // keysT, valuesT: [padded headDim, kTileKeys]
  float *queries, *dOut;
  float *weights, *dScores;  // [kTileRows, kTileKeys]

  static int64_t floats(int64_t padded) {
    return padded * (5 * kTileKeys + 2 * kTileRows) + 2 * kTileRows * kTileKeys;
  }
  BackwardScratch(float* at, int64_t padded) : padded(padded) {
    for (float** tile : {&keys, &keysT, &valuesT, &dKeys, &dValues}) at = (*tile = at) + padded * kTileKeys;
    for (float** tile : {&queries, &dOut}) at = (*tile = at) + padded * kTileRows;
    for (float** tile : {&weights, &dScores}) at = (*tile = at) + kTileRows * kTileKeys;
  }
};

inline IntVec laneNumbers() {
  IntVec numbers;
  for (int lane = 0; lane < kLanes; lane++) numbers[lane] = lane;
  return numbers;
}

// Scores in `weights` and dOut . v in `dScores` become weights and gradients of scores.
template <bool masked, bool capped, typename E>
void weightBand(const BackwardArgs<E>& a, const KeyTile& tile, const Band& band, const TileRows& rows,
                const BackwardScratch& scratch) {
  const IntVec lanes = laneNumbers();
  const auto prefix = static_cast<int32_t>(tile.prefix);
  for (int64_t r = band.begin; r < band.end; r++) {
    const float lse = a.lse[rows.at[r]];
    const float delta = a.deltas[rows.at[r]];
    for (int64_t j = band.from; j < band.to; j += kLanes) {
      float* weightAt = scratch.weights + r * kTileKeys + j;
      float* dScoreAt = scratch.dScores + r * kTileKeys + j;
      Vec logit = load(weightAt) * a.scale;
      Vec slope = broadcast(a.scale);
      if constexpr (capped) {
        const Vec bent = tanh(logit * (1 / a.softcap));
        logit = bent * a.softcap;
        slope = slope * (1.f - bent * bent);
      }
      Vec weight = exp(logit - lse);
      if constexpr (masked) {
        // A row that sees nothing has lse -inf and weights of infinity: they are chosen, not multiplied,
        // away.
        const IntVec key = lanes + static_cast<int32_t>(tile.first + j);
        weight = (key < prefix) | ((key >= rows.begin[r]) & (key < rows.end[r])) ? weight : Vec{};
      }
      store(weightAt, weight);
      store(dScoreAt, weight * (load(dScoreAt) - delta) * slope);
    }
  }
}

template <typename E>
void weights(const BackwardArgs<E>& a, const KeyTile& tile, const TileBands& bands, const TileRows& rows,
             const BackwardScratch& scratch) {
  const bool masked = !rows.seeAll(tile.first, tile.first + tile.keys, tile.prefix);
  const auto band = a.softcap > 0 ? (masked ? weightBand<true, true, E> : weightBand<false, true, E>)
                                  : (masked ? weightBand<true, false, E> : weightBand<false, false, E>);
  for (const Band& each : bands.rows) band(a, tile, each, rows, scratch);
}

template <typename E>
void loadKeys(const BackwardArgs<E>& a, const AttentionSegment& segment, const KeyTile& tile, int64_t kvHead,
              const BackwardScratch& scratch) {
  const int64_t padded = scratch.padded;
  const auto loadTransposed = [&](const E* base, float* rows, float* transposed) {
    for (int64_t j = 0; j < tile.keys; j++)
      copyRow(a.keyRow(base, segment, tile.first + j, kvHead), a.shape.headDim, 1, rows + j * padded);
    clearRows(rows, padded, tile.keys, paddedTo(tile.keys));
    transpose(rows, padded, paddedTo(tile.keys), padded, transposed, kTileKeys);
  };
  loadTransposed(a.v, scratch.keys, scratch.valuesT);
  loadTransposed(a.k, scratch.keys, scratch.keysT);
  clearRows(scratch.dKeys, padded, 0, tile.keys);
  clearRows(scratch.dValues, padded, 0, tile.keys);
}

template <typename E>
void loadRows(const BackwardArgs<E>& a, const TileRows& rows, float* queries, float* dOut) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = paddedTo(headDim);
  for (int64_t r = 0; r < rows.count; r++) {
    copyRow(a.q + rows.at[r] * headDim, headDim, 1, queries + r * padded);
    copyRow(a.dOut + rows.at[r] * headDim, headDim, 1, dOut + r * padded);
  }
}

// [rows, padded headDim]
struct RowOperands {
  const float *queries, *dOut;
};

// All that one block of rows and one of keys have to do with each other, but for dq.
template <typename E>
void tilePair(const BackwardArgs<E>& a, const KeyTile& tile, const TileBands& bands, const TileRows& rows,
              RowOperands operands, const BackwardScratch& scratch) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = scratch.padded;
  const auto scores = [&](const float* of, const float* transposed, float* to) {
    for (const Band& band : bands.rows)
      tileProduct<Into::replace>(band.end - band.begin, paddedTo(band.to) - band.from, headDim,
                                 {of + band.begin * padded, padded, 1}, transposed + band.from, kTileKeys,
                                 to + band.begin * kTileKeys + band.from, kTileKeys);
  };
  const auto sumOverRows = [&](const float* factors, const float* of, float* to) {
    for (const Band& band : bands.keys)
      tileProduct<Into::add>(band.end - band.begin, padded, band.to - band.from,
                             {factors + band.from * kTileKeys + band.begin, 1, kTileKeys},
                             of + band.from * padded, padded, to + band.begin * padded, padded);
  };
  scores(operands.queries, scratch.keysT, scratch.weights);
  scores(operands.dOut, scratch.valuesT, scratch.dScores);
  weights(a, tile, bands, rows, scratch);
  sumOverRows(scratch.weights, operands.dOut, scratch.dValues);
  sumOverRows(scratch.dScores, operands.queries, scratch.dKeys);
}

template <Into into>
void queryGradients(const TileBands& bands, const BackwardScratch& scratch, float* to) {
  const int64_t padded = scratch.padded;
  for (const Band& band : bands.rows)
    tileProduct<into>(band.end - band.begin, padded, band.to - band.from,
                      {scratch.dScores + band.begin * kTileKeys + band.from, kTileKeys, 1},
                      scratch.keys + band.from * padded, padded, to + band.begin * padded, padded);
}

// The rows see keys of this block alone.
template <typename E>
void onlyPair(const BackwardArgs<E>& a, const KeyTile& tile, const TileBands& bands, const TileRows& rows,
              const BackwardScratch& scratch) {
  loadRows(a, rows, scratch.queries, scratch.dOut);
  rowDeltas(a, rows);
  tilePair(a, tile, bands, rows, {scratch.queries, scratch.dOut}, scratch);
  queryGradients<Into::replace>(bands, scratch, scratch.queries);
  writeQueryGradients(a, rows, scratch.queries);
}

template <typename E>
void backwardBlock(const BackwardArgs<E>& a, const AttentionPlan& plan, const KeyBlock& block, int64_t kvHead,
                   Turns& turns, const BackwardScratch& scratch) {
  const AttentionSegment& segment = plan.segments[static_cast<size_t>(block.segment)];
  const KeyTile tile = keyTileOf(segment, block);
  loadKeys(a, segment, tile, kvHead, scratch);
  forEachSeeingBlock(a, plan, block, kvHead,
                     [&](int64_t index, const RowBlock& rowBlock, const TileRows& rows) {
                       const TileBands bands = tileBands(rows, tile.first, tile.keys, segment.prefix);
                       if (rowBlock.keyBlocks.count() == 1) return onlyPair(a, tile, bands, rows, scratch);
                       const int64_t at = a.packedAt(segment, rowBlock.row, kvHead);
                       tilePair(a, tile, bands, rows, {a.queryPack + at, a.dOutPack + at}, scratch);
                       const int64_t rank = rowBlock.keyBlocks.rankOf(block.block);
                       turns.wait(index, kvHead, rank);
                       rank == 0 ? queryGradients<Into::replace>(bands, scratch, a.dqPack + at)
                                 : queryGradients<Into::add>(bands, scratch, a.dqPack + at);
                       turns.pass(index, kvHead);
                       if (rank + 1 == rowBlock.keyBlocks.count())
                         writeQueryGradients(a, rows, a.dqPack + at);
                     });
  writeKeyGradients(a, segment, tile, kvHead, scratch.dKeys, scratch.dValues, scratch.padded);
}

// What has to be there before any block of keys comes to rows that do not see exactly one: `load(index, rows,
// kvHead, scratch)` makes the operands of those that see several.
template <typename E, typename Load>
void prepare(const BackwardArgs<E>& a, const AttentionPlan& plan, float* scratch, int64_t floats,
             ThreadPool& pool, const Load& load) {
  const int64_t headDim = a.shape.headDim;
  forEachItem(pool, static_cast<int64_t>(plan.rowBlocks.size()), scratch, floats,
              [&](int64_t index, float* own) {
                const RowBlock& block = plan.rowBlocks[static_cast<size_t>(index)];
                if (block.keyBlocks.count() == 1) return;
                const AttentionSegment& segment = plan.segments[static_cast<size_t>(block.segment)];
                for (int64_t kvHead = 0; kvHead < a.shape.kvHeads; kvHead++) {
                  const TileRows rows = tileRows(a.shape, a.view, segment, block, kvHead);
                  rowDeltas(a, rows);
                  if (block.keyBlocks.count() > 1)
                    load(index, rows, kvHead, own);
                  else
                    for (int64_t r = 0; r < rows.count; r++)
                      std::fill_n(a.dq + rows.at[r] * headDim, headDim, E{});
                }
              });
}

template <typename E>
void sinkGradients(const BackwardArgs<E>& a, ThreadPool& pool) {
  pool.parallelFor(a.shape.heads, 1, [&](int64_t head, int64_t) {
    double total = 0;
    for (int64_t row = head; row < a.shape.tokens * a.shape.heads; row += a.shape.heads)
      total -= std::exp(a.sinks[head] - a.lse[row]) * a.deltas[row];
    a.dSinks[head] = static_cast<float>(total);
  });
}

// Calls pass(block, kvHead, scratch) for every block and head of keys.
template <typename Pass>
void forEachKeyBlock(const AttentionPlan& plan, int64_t kvHeads, float* scratch, int64_t floats,
                     ThreadPool& pool, const Pass& pass) {
  const auto runs = static_cast<int64_t>(plan.keyItems.size()) - 1;
  forEachItem(pool, runs * kvHeads, scratch, floats, [&](int64_t item, float* own) {
    const auto run = static_cast<size_t>(item / kvHeads);
    for (int64_t index = plan.keyItems[run]; index < plan.keyItems[run + 1]; index++)
      pass(plan.keyBlocks[static_cast<size_t>(index)], item % kvHeads, own);
  });
}

template <typename E>
void floatPass(const BackwardArgs<E>& a, const AttentionPlan& plan, float* scratch, ThreadPool& pool) {
  const int64_t padded = paddedTo(a.shape.headDim);
  const int64_t floats = BackwardScratch::floats(padded);
  prepare(a, plan, scratch, floats, pool, [&](int64_t index, const TileRows& rows, int64_t kvHead, float*) {
    const RowBlock& block = plan.rowBlocks[static_cast<size_t>(index)];
    const int64_t at = a.packedAt(plan.segments[static_cast<size_t>(block.segment)], block.row, kvHead);
    loadRows(a, rows, a.queryPack + at, a.dOutPack + at);
  });
  Turns turns(plan.rowBlocks.size(), a.shape.kvHeads);
  forEachKeyBlock(plan, a.shape.kvHeads, scratch, floats, pool,
                  [&](const KeyBlock& block, int64_t kvHead, float* own) {
                    backwardBlock(a, plan, block, kvHead, turns, BackwardScratch(own, padded));
                  });
}

void pairPass(const BackwardArgs<BFloat16>& a, const PairKernel& kernel, const AttentionPlan& plan,
              float* scratch, ThreadPool& pool) {
  const int64_t headDim = a.shape.headDim;
  const int64_t floats = PairBackwardScratch::floats(headDim);
  const RowPacks packs(plan, a.queryPack);
  prepare(a, plan, scratch, floats, pool,
          [&](int64_t index, const TileRows& rows, int64_t kvHead, float* own) {
            loadRows(a, rows, PairBackwardScratch(own, headDim).rows, packs.operands(index, kvHead, headDim));
          });
  Turns turns(plan.rowBlocks.size(), a.shape.kvHeads);
  forEachKeyBlock(plan, a.shape.kvHeads, scratch, floats, pool,
                  [&](const KeyBlock& block, int64_t kvHead, float* own) {
                    backwardBlock(a, plan, block, kvHead, packs, turns, PairBackwardScratch(own, headDim),
                                  PairProducts(kernel));
                  });
}

template <typename E>
void backwardPass(const BackwardArgs<E>& a, float* scratch, ThreadPool& pool) {
  const AttentionPlan plan = attentionPlan(a.segments(), a.view, a.shape.group(), {kTileRows, kTileKeys});
  const PairKernel* kernel = pairKernelFor<E>();
  if constexpr (std::is_same_v<E, BFloat16>)
    if (kernel) pairPass(a, *kernel, plan, scratch, pool);
  if (!kernel) floatPass(a, plan, scratch, pool);
  if (a.dSinks) sinkGradients(a, pool);
}

template <typename E>
void clearGradients(const BackwardArgs<E>& a) {
  std::fill_n(a.dq, a.shape.tokens * a.shape.heads * a.shape.headDim, E{});
  for (E* gradient : {a.dk, a.dv})
    std::fill_n(gradient, a.shape.keyTokens * a.shape.kvHeads * a.shape.headDim, E{});
  if (a.dSinks) std::fill_n(a.dSinks, a.shape.heads, 0.f);
}

}  // namespace

template <Isa isa>
void attentionBackward(const AttentionInputs& inputs, const Tensor& dOut, const AttentionForward& forward,
                       const AttentionBackward& results) {
  const Tensor& q = inputs.q;
  const Tensor deltas = empty({q.size(0), q.size(1)}, DType::float32, q.device());
  onFloatDType(q.dtype(), [&]<typename E>(E) {
    const AttentionArgs<E> shared = attentionArgs<E>(inputs);
    const int64_t padded = paddedTo(shared.shape.headDim);
    const bool pairs = pairKernelFor<E>();
    const Tensor scratch = scratchOf(q.device(), pairs ? PairBackwardScratch::floats(shared.shape.headDim)
                                                       : BackwardScratch::floats(padded));
    const int64_t rowFloats = shared.shape.tokens * shared.shape.heads * padded;
    const Tensor pack =
        empty({pairs ? RowPacks::floats(shared.shape) : 3 * rowFloats}, DType::float32, q.device());
    float* const packs = pack.data<float>();
    const BackwardArgs<E> args{shared,
                               forward.out.data<E>(),
                               dOut.data<E>(),
                               forward.lse.data<float>(),
                               results.dq.data<E>(),
                               results.dk.data<E>(),
                               results.dv.data<E>(),
                               packs,
                               pairs ? nullptr : packs + rowFloats,
                               pairs ? nullptr : packs + 2 * rowFloats,
                               deltas.data<float>(),
                               results.dSinks ? results.dSinks->data<float>() : nullptr};
    enqueue(q.device(), "attentionBackward", [args, own = scratch.data<float>()](Context& context) {
      try {
        backwardPass(args, own, context.pool);
      } catch (const Error&) {  // before anything was written
        clearGradients(args);
        throw;
      }
    });
  });
}

template void attentionBackward<kIsa>(const AttentionInputs&, const Tensor&, const AttentionForward&,
                                      const AttentionBackward&);

}  // namespace crossmap::cpu
