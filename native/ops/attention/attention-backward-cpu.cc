// The backward pass. An item owns keys of dk and dv: it walks over the rows that see them and computes their
// weights again. dq is summed over blocks of keys in float32, in the order of the blocks: an item waits for
// the one before it, so that sums have the same bits on any number of threads.
#include <cmath>
#include <memory>
#include <thread>

#include "ops/attention/attention-args.h"
#include "ops/attention/tile-product.h"
#include "ops/attention/tile.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kDeltaGrain = 256;

template <typename E>
struct BackwardArgs : AttentionArgs<E> {
  const E *out, *dOut;
  const float* lse;
  E *dq, *dk, *dv;
  float* dqSum;   // [tokens, heads, headDim]; dq itself where that is float32
  float* deltas;  // [tokens, heads]: dOut . out
  float* dSinks;  // may be null
};

// Tiles of keys are [kTileKeys, padded headDim], those of rows [kTileRows, padded headDim].
struct BackwardScratch {
  int64_t padded;
  float *keys, *keysT, *valuesT, *dKeys, *dValues;  // keysT, valuesT: [padded headDim, kTileKeys]
  float *queries, *dOut, *dQueries;
  float *weights, *dScores;  // [kTileRows, kTileKeys]

  static int64_t floats(int64_t padded) {
    return padded * (5 * kTileKeys + 3 * kTileRows) + 2 * kTileRows * kTileKeys;
  }
  BackwardScratch(float* at, int64_t padded) : padded(padded) {
    for (float** tile : {&keys, &keysT, &valuesT, &dKeys, &dValues}) at = (*tile = at) + padded * kTileKeys;
    for (float** tile : {&queries, &dOut, &dQueries}) at = (*tile = at) + padded * kTileRows;
    for (float** tile : {&weights, &dScores}) at = (*tile = at) + kTileRows * kTileKeys;
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

inline IntVec laneNumbers() {
  IntVec numbers;
  for (int lane = 0; lane < kLanes; lane++) numbers[lane] = lane;
  return numbers;
}

// Scores in `weights` and dOut . v in `dScores` become weights and gradients of scores.
template <bool masked, bool capped, typename E>
void weightTile(const BackwardArgs<E>& a, const KeyTile& tile, const TileRows& rows,
                const BackwardScratch& scratch) {
  const IntVec lanes = laneNumbers();
  const auto prefix = static_cast<int32_t>(tile.prefix);
  for (int64_t r = 0; r < rows.count; r++) {
    const float lse = a.lse[rows.at[r]];
    const float delta = a.deltas[rows.at[r]];
    for (int64_t j = 0; j < tile.keys; j += kLanes) {
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
void weights(const BackwardArgs<E>& a, const KeyTile& tile, const TileRows& rows,
             const BackwardScratch& scratch) {
  const bool masked = !rows.seeAll(tile.first, tile.first + tile.keys, tile.prefix);
  if (masked)
    a.softcap > 0 ? weightTile<true, true>(a, tile, rows, scratch)
                  : weightTile<true, false>(a, tile, rows, scratch);
  else
    a.softcap > 0 ? weightTile<false, true>(a, tile, rows, scratch)
                  : weightTile<false, false>(a, tile, rows, scratch);
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

// All that one block of rows and one of keys have to do with each other, but for adding dq.
template <typename E>
void tilePair(const BackwardArgs<E>& a, const KeyTile& tile, const TileRows& rows,
              const BackwardScratch& scratch) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = scratch.padded;
  for (int64_t r = 0; r < rows.count; r++) {
    copyRow(a.q + rows.at[r] * headDim, headDim, 1, scratch.queries + r * padded);
    copyRow(a.dOut + rows.at[r] * headDim, headDim, 1, scratch.dOut + r * padded);
  }
  const int64_t lanes = paddedTo(tile.keys);
  tileProduct<Into::replace>(rows.count, lanes, headDim, {scratch.queries, padded, 1}, scratch.keysT,
                             kTileKeys, scratch.weights, kTileKeys);
  tileProduct<Into::replace>(rows.count, lanes, headDim, {scratch.dOut, padded, 1}, scratch.valuesT,
                             kTileKeys, scratch.dScores, kTileKeys);
  weights(a, tile, rows, scratch);
  tileProduct<Into::add>(tile.keys, padded, rows.count, {scratch.weights, 1, kTileKeys}, scratch.dOut, padded,
                         scratch.dValues, padded);
  tileProduct<Into::add>(tile.keys, padded, rows.count, {scratch.dScores, 1, kTileKeys}, scratch.queries,
                         padded, scratch.dKeys, padded);
  tileProduct<Into::replace>(rows.count, padded, tile.keys, {scratch.dScores, kTileKeys, 1}, scratch.keys,
                             padded, scratch.dQueries, padded);
}

inline void addRow(const float* from, int64_t size, float* to) {
  int64_t d = 0;
  for (; d + kLanes <= size; d += kLanes) store(to + d, load(to + d) + load(from + d));
  for (; d < size; d++) to[d] += from[d];
}

template <typename E>
void backwardBlock(const BackwardArgs<E>& a, const AttentionPlan& plan, const KeyBlock& block, int64_t kvHead,
                   Turns& turns, const BackwardScratch& scratch) {
  const AttentionSegment& segment = plan.segments[static_cast<size_t>(block.segment)];
  const int64_t first = block.block * kTileKeys;
  const KeyTile tile{first, std::min(kTileKeys, segment.keys - first), segment.prefix};
  const int64_t headDim = a.shape.headDim;
  loadKeys(a, segment, tile, kvHead, scratch);
  for (int64_t index = block.firstRowBlock; index < block.firstRowBlock + block.rowBlocks; index++) {
    const RowBlock& rowBlock = plan.rowBlocks[static_cast<size_t>(index)];
    if (!rowBlock.keyBlocks.contains(block.block)) continue;
    const TileRows rows = tileRows(a.shape, a.view, segment, rowBlock, kvHead);
    tilePair(a, tile, rows, scratch);
    turns.wait(index, kvHead, rowBlock.keyBlocks.rankOf(block.block));
    for (int64_t r = 0; r < rows.count; r++)
      addRow(scratch.dQueries + r * scratch.padded, headDim, a.dqSum + rows.at[r] * headDim);
    turns.pass(index, kvHead);
  }
  for (int64_t j = 0; j < tile.keys; j++) {
    const int64_t at = ((segment.firstKey + first + j) * a.shape.kvHeads + kvHead) * headDim;
    writeRow(scratch.dKeys + j * scratch.padded, headDim, 1, a.dk + at);
    writeRow(scratch.dValues + j * scratch.padded, headDim, 1, a.dv + at);
  }
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
void prepare(const BackwardArgs<E>& a, ThreadPool& pool) {
  const int64_t headDim = a.shape.headDim;
  pool.parallelFor(a.shape.tokens * a.shape.heads, kDeltaGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++)
      a.deltas[row] = dotRow(a.dOut + row * headDim, a.out + row * headDim, headDim);
    std::fill(a.dqSum + begin * headDim, a.dqSum + end * headDim, 0.f);
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

template <typename E>
void backwardPass(const BackwardArgs<E>& a, float* scratch, ThreadPool& pool) {
  const AttentionPlan plan = attentionPlan(a.segments(), a.view, a.shape.group(), {kTileRows, kTileKeys});
  prepare(a, pool);
  if (a.dSinks) sinkGradients(a, pool);
  const int64_t padded = paddedTo(a.shape.headDim);
  const auto runs = static_cast<int64_t>(plan.keyItems.size()) - 1;
  Turns turns(plan.rowBlocks.size(), a.shape.kvHeads);
  forEachItem(pool, runs * a.shape.kvHeads, scratch, BackwardScratch::floats(padded),
              [&](int64_t item, float* own) {
                const auto run = static_cast<size_t>(item / a.shape.kvHeads);
                for (int64_t index = plan.keyItems[run]; index < plan.keyItems[run + 1]; index++)
                  backwardBlock(a, plan, plan.keyBlocks[static_cast<size_t>(index)], item % a.shape.kvHeads,
                                turns, BackwardScratch(own, padded));
              });
  if constexpr (!std::is_same_v<E, float>)
    pool.parallelFor(a.shape.tokens * a.shape.heads, kDeltaGrain, [&](int64_t begin, int64_t end) {
      const int64_t size = a.shape.headDim;
      writeRow(a.dqSum + begin * size, (end - begin) * size, 1, a.dq + begin * size);
    });
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
  const Tensor scratch = scratchOf(q.device(), BackwardScratch::floats(paddedTo(q.size(2))));
  const Tensor deltas = empty({q.size(0), q.size(1)}, DType::float32, q.device());
  const Tensor dqSum =
      q.dtype() == DType::float32 ? results.dq : empty(q.shape(), DType::float32, q.device());
  onFloatDType(q.dtype(), [&]<typename E>(E) {
    const BackwardArgs<E> args{
        attentionArgs<E>(inputs), forward.out.data<E>(),
        dOut.data<E>(),           forward.lse.data<float>(),
        results.dq.data<E>(),     results.dk.data<E>(),
        results.dv.data<E>(),     dqSum.data<float>(),
        deltas.data<float>(),     results.dSinks ? results.dSinks->data<float>() : nullptr};
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
