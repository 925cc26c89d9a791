// The forward pass. An item owns rows of out and lse: it walks over the blocks of keys that its rows see and
// keeps a running maximum and sum for each row. Scores are held transposed, [keys, rows], so that these are
// lanes of vectors.
#include "ops/attention/attention-forward-pairs.h"
#include "ops/attention/attention-forward.h"
#include "ops/attention/few-rows.h"
#include "ops/attention/tile-product.h"
#include "ops/attention/tile.h"

namespace crossmap::cpu {

namespace {

constexpr int64_t kPackGrain = 4;  // blocks of keys

struct ScoreTile {
  float* scores;
  int64_t firstKey;  // of the segment
  int64_t keys;
  int64_t prefix;
};

// Turns the scores of a band of rows into exp(logit - top), with the new top.
template <bool masked, bool capped>
void softmaxBand(const ScoreTile& tile, const Band& band, const TileRows& rows, float softcap,
                 Softmax& softmax) {
  for (int64_t lane = band.begin; lane < band.end; lane += kLanes) {
    const IntVec begin = loadInts(rows.begin + lane);
    const IntVec end = loadInts(rows.end + lane);
    const Vec oldTop = load(softmax.top + lane);
    Vec top = oldTop;
    for (int64_t j = band.from; j < band.to; j++) {
      float* at = tile.scores + j * kTileRows + lane;
      Vec logit = load(at);
      if constexpr (capped) logit = tanh(logit * (1 / softcap)) * softcap;
      const auto key = static_cast<int32_t>(tile.firstKey + j);
      if (masked && key >= tile.prefix) logit = (begin <= key) & (key < end) ? logit : broadcast(-kInfinity);
      if constexpr (masked || capped) store(at, logit);
      top = max(top, logit);
    }
    // -inf - -inf is NaN: a row that has seen no key yet keeps sum 0.
    const Vec base = top == -kInfinity ? Vec{} : top;
    const Vec rescale = exp(oldTop - base);
    Vec sum = load(softmax.sum + lane) * rescale;
    for (int64_t j = band.from; j < band.to; j++) {
      float* at = tile.scores + j * kTileRows + lane;
      const Vec weight = exp(load(at) - base);
      store(at, weight);
      sum += weight;
    }
    store(softmax.top + lane, top);
    store(softmax.sum + lane, sum);
    store(softmax.rescale + lane, rescale);
  }
}

void onlineSoftmax(const ScoreTile& tile, const TileBands& bands, const TileRows& rows, float softcap,
                   Softmax& softmax) {
  const bool masked = !rows.seeAll(tile.firstKey, tile.firstKey + tile.keys, tile.prefix);
  const auto band = softcap > 0 ? (masked ? softmaxBand<true, true> : softmaxBand<false, true>)
                                : (masked ? softmaxBand<true, false> : softmaxBand<false, false>);
  for (const Band& each : bands.rows) band(tile, each, rows, softcap, softmax);
}

void rescaleSums(float* sums, int64_t padded, const TileRows& rows, const Softmax& softmax) {
  for (int64_t r = 0; r < rows.count; r++) {
    const float factor = softmax.rescale[r];
    if (factor == 1) continue;
    for (int64_t d = 0; d < padded; d += kLanes)
      store(sums + r * padded + d, load(sums + r * padded + d) * factor);
  }
}

// Of each thread.
template <typename E>
int64_t scratchFloats(int64_t headDim) {
  const int64_t floats = ForwardScratch::floats(paddedTo(headDim));
  return pairKernelFor<E>() ? std::max(floats, PairForwardScratch::floats(headDim)) : floats;
}

template <typename E>
int64_t packFloats(const AttentionShape& shape) {
  return pairKernelFor<E>() ? KeyPacks::floats(shape)
                            : 2 * shape.kvHeads * shape.keyTokens * paddedTo(shape.headDim);
}

template <typename E>
void loadQueries(const ForwardArgs<E>& a, const TileRows& rows, const ForwardScratch& scratch,
                 int64_t padded) {
  for (int64_t r = 0; r < rows.count; r++)
    copyRow(a.q + rows.at[r] * a.shape.headDim, a.shape.headDim, a.scale, scratch.sums + r * padded);
  clearRows(scratch.sums, padded, rows.count, paddedTo(rows.count));
  transpose(scratch.sums, padded, paddedTo(rows.count), padded, scratch.q, kTileRows);
}

template <typename E>
void packKeys(const ForwardArgs<E>& a, const E* base, const AttentionSegment& segment, int64_t first,
              int64_t keys, int64_t kvHead, float* to) {
  const int64_t padded = paddedTo(a.shape.headDim);
  for (int64_t j = 0; j < keys; j++)
    copyRow(a.keyRow(base, segment, first + j, kvHead), a.shape.headDim, 1, to + j * padded);
}

template <typename E>
void packAll(const ForwardArgs<E>& a, const AttentionPlan& plan, ThreadPool& pool) {
  const auto blocks = static_cast<int64_t>(plan.keyBlocks.size());
  pool.parallelFor(blocks, kPackGrain, [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; index++) {
      const KeyBlock& block = plan.keyBlocks[static_cast<size_t>(index)];
      const AttentionSegment& segment = plan.segments[static_cast<size_t>(block.segment)];
      if (!a.isPacked(segment)) continue;
      const int64_t first = block.block * kTileKeys;
      const int64_t keys = std::min(kTileKeys, segment.keys - first);
      for (int64_t kvHead = 0; kvHead < a.shape.kvHeads; kvHead++) {
        packKeys(a, a.k, segment, first, keys, kvHead, a.packed(a.keyPack, segment, first, kvHead));
        packKeys(a, a.v, segment, first, keys, kvHead, a.packed(a.valuePack, segment, first, kvHead));
      }
    }
  });
}

template <typename E>
void forwardBlock(const ForwardArgs<E>& a, const AttentionSegment& segment, const RowBlock& block,
                  int64_t kvHead, const ForwardScratch& scratch) {
  const int64_t headDim = a.shape.headDim;
  const int64_t padded = paddedTo(headDim);
  const TileRows rows = tileRows(a.shape, a.view, segment, block, kvHead);
  Softmax softmax = initialSoftmax(a.sinks, rows, a.shape.heads);
  loadQueries(a, rows, scratch, padded);
  clearRows(scratch.sums, padded, 0, rows.count);
  for (int64_t rank = 0; rank < block.keyBlocks.count(); rank++) {
    const int64_t first = block.keyBlocks.at(rank) * kTileKeys;
    const ScoreTile tile{scratch.scores, first, std::min(kTileKeys, segment.keys - first), segment.prefix};
    const TileBands bands = tileBands(rows, first, tile.keys, segment.prefix);
    const auto operand = [&](const E* base, float* pack) {
      if (a.isPacked(segment)) return a.packed(pack, segment, first, kvHead);
      packKeys(a, base, segment, first, tile.keys, kvHead, scratch.keys);
      return scratch.keys;
    };
    const float* keys = operand(a.k, a.keyPack);
    for (const Band& band : bands.keys)
      tileProduct<Into::replace>(band.end - band.begin, paddedTo(band.to) - band.from, headDim,
                                 {keys + band.begin * padded, padded, 1}, scratch.q + band.from, kTileRows,
                                 scratch.scores + band.begin * kTileRows + band.from, kTileRows);
    onlineSoftmax(tile, bands, rows, a.softcap, softmax);
    rescaleSums(scratch.sums, padded, rows, softmax);
    const float* values = operand(a.v, a.valuePack);
    for (const Band& band : bands.rows)
      tileProduct<Into::add>(band.end - band.begin, padded, band.to - band.from,
                             {scratch.scores + band.from * kTileRows + band.begin, 1, kTileRows},
                             values + band.from * padded, padded, scratch.sums + band.begin * padded, padded);
  }
  writeRows(a, rows, softmax, scratch.sums, padded);
}

// Calls pass(segment, block, kvHead, scratch) for every block of rows and head of keys.
template <typename Pass>
void forEachRowBlock(const AttentionPlan& plan, int64_t kvHeads, float* scratch, int64_t floats,
                     ThreadPool& pool, const Pass& pass) {
  const auto runs = static_cast<int64_t>(plan.rowItems.size()) - 1;
  forEachItem(pool, runs * kvHeads, scratch, floats, [&](int64_t item, float* own) {
    // The last first: with a causal mask it is the longest.
    const auto run = static_cast<size_t>(runs - 1 - item % runs);
    for (int64_t index = plan.rowItems[run]; index < plan.rowItems[run + 1]; index++) {
      const RowBlock& block = plan.rowBlocks[static_cast<size_t>(index)];
      pass(plan.segments[static_cast<size_t>(block.segment)], block, item / runs, own);
    }
  });
}

template <typename E>
void forwardPass(const ForwardArgs<E>& a, float* scratch, ThreadPool& pool) {
  const AttentionPlan plan = attentionPlan(a.segments(), a.view, a.shape.group(), {kTileRows, kTileKeys});
  const int64_t padded = paddedTo(a.shape.headDim);
  const int64_t floats = scratchFloats<E>(a.shape.headDim);
  const auto few = [&](const AttentionSegment& segment, const RowBlock& block, int64_t kvHead, float* own) {
    fewRowsBlock(a, segment, block, kvHead, ForwardScratch(own, padded));
  };
  if constexpr (std::is_same_v<E, BFloat16>)
    if (const PairKernel* kernel = pairKernelFor<E>()) {
      const KeyPacks packs(a, plan, a.keyPack);
      packAll(a, plan, packs, scratch, floats, pool);
      return forEachRowBlock(
          plan, a.shape.kvHeads, scratch, floats, pool,
          [&](const AttentionSegment& segment, const RowBlock& block, int64_t kvHead, float* own) {
            if (areFew(a, block)) return few(segment, block, kvHead, own);
            forwardBlock(a, segment, block, kvHead, packs, PairForwardScratch(own, a.shape.headDim),
                         PairProducts(*kernel));
          });
    }
  packAll(a, plan, pool);
  forEachRowBlock(plan, a.shape.kvHeads, scratch, floats, pool,
                  [&](const AttentionSegment& segment, const RowBlock& block, int64_t kvHead, float* own) {
                    if (areFew(a, block)) return few(segment, block, kvHead, own);
                    forwardBlock(a, segment, block, kvHead, ForwardScratch(own, padded));
                  });
}

}  // namespace

template <Isa isa>
void attention(const AttentionInputs& inputs, const AttentionForward& results) {
  const Tensor& q = inputs.q;
  onFloatDType(q.dtype(), [&]<typename E>(E) {
    const AttentionArgs<E> shared = attentionArgs<E>(inputs);
    const Tensor scratch = scratchOf(q.device(), scratchFloats<E>(shared.shape.headDim));
    const Tensor pack = empty({packFloats<E>(shared.shape)}, DType::float32, q.device());
    float* const packs = pack.data<float>();
    const ForwardArgs<E> args{shared, results.out.data<E>(), results.lse.data<float>(), packs,
                              pairKernelFor<E>() ? nullptr
                                                 : packs + shared.shape.kvHeads * shared.shape.keyTokens *
                                                               paddedTo(shared.shape.headDim)};
    enqueue(q.device(), "attention", [args, own = scratch.data<float>()](Context& context) {
      try {
        forwardPass(args, own, context.pool);
      } catch (const Error&) {  // before anything was written
        const int64_t rows = args.shape.tokens * args.shape.heads;
        std::fill_n(args.out, rows * args.shape.headDim, E{});
        std::fill_n(args.lse, rows, 0.f);
        throw;
      }
    });
  });
}

template void attention<kIsa>(const AttentionInputs&, const AttentionForward&);

}  // namespace crossmap::cpu
