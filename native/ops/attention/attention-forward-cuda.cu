// The forward pass on tensor cores. Dao 2023, arXiv:2307.08691.
#include "ops/attention/attention-cuda-strip.cuh"
#include "ops/attention/attention-cuda.h"

namespace crossmap::cuda {

namespace {

// Of a row and a split of its keys, in base 2: the greatest logit and the sum of 2^(logit - top).
struct alignas(8) SoftmaxState {
  float top, sum;
};

template <typename E>
struct ForwardArgs {
  AttentionArgs<E> common;
  E* out;              // [tokens, heads, headDim]
  float* lse;          // [tokens, heads]
  const float* sinks;  // [heads], may be null
  // Where there are several splits: [splits, kvHeads, rows, padded headDim] and [splits, kvHeads, rows].
  float* partialSums;
  SoftmaxState* partialStates;
  int splits;
  bool pairedOut;
};

// Of one strip, a lane's share: rows lane / 4 and lane / 4 + 8.
struct RowState {
  float top[2];
  float sum[2];  // of the lane's own columns
};

// Scores of strip s become 2^(logit - top), with the new top; tops and sums follow.
template <bool masked, int kStrips, int kDim, int kKeys>
__device__ void onlineSoftmax(StripTile<kStrips, kKeys>& rScores, StripTile<kStrips, kDim>& rSums, int s,
                              RowState& state, const StripView& view, int firstKey,
                              const PiecesNeeded<kStrips>& needed, const LogitScale& scale) {
  float(&scores)[kKeys / 8][4] = rScores.values[s];
  if (scale.isCapped()) {
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++)
#pragma unroll
      for (int i = 0; i < 4; i++) scores[n][i] = tanhFast(scores[n][i] * scale.inner);
  }
  if constexpr (masked) {
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
      if (!needed.has(s, n / 2)) continue;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int key = firstKey + 8 * n + 2 * (laneIndex() & 3) + (i & 1);
        if (!view.rows[i >> 1].sees(key)) scores[n][i] = -kInfinity;
      }
    }
  }
  float rescale[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    float most = -kInfinity;
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++)
      if (needed.has(s, n / 2)) most = fmaxf(most, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
    const float top = fmaxf(state.top[half], quadMax(most) * scale.outer);
    // -inf - -inf is NaN: a row that has seen no key yet keeps sum 0.
    const float base = top == -kInfinity ? 0 : top;
    rescale[half] = exp2Fast(state.top[half] - base);
    float sum = state.sum[half] * rescale[half];
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
      if (!needed.has(s, n / 2)) continue;
#pragma unroll
      for (int i = 2 * half; i < 2 * half + 2; i++) {
        scores[n][i] = exp2Fast(fmaf(scores[n][i], scale.outer, -base));
        sum += scores[n][i];
      }
    }
    state.top[half] = top;
    state.sum[half] = sum;
  }
  // Tops settle after a few blocks; then there is nothing to multiply.
  if (__any_sync(kAllLanes, rescale[0] != 1 || rescale[1] != 1)) {
#pragma unroll
    for (int n = 0; n < kDim / 8; n++)
#pragma unroll
      for (int i = 0; i < 4; i++) rSums.values[s][n][i] *= rescale[i >> 1];
  }
}

// A block owns a tile of rows of one head of keys, 16 or 32 for each warp, and one split of the blocks of
// keys that the tile sees; warps share nothing but the tiles in shared memory. The last tiles come first:
// with a causal mask they are the longest. Bound by tensor cores where segments are long, by memory when few
// rows meet many keys.
//
// Shared memory, with rows of R = padded headDim x element bytes, swizzled as chunkOffset says:
//   for each of two stages: streamed R bytes of k, as many of v; then owned R bytes of q
//
// What differs from the paper: tiles hold rows of several segments and of all heads that share keys; the 16 x
// 16 pieces of a block of keys that no row of a strip sees are not multiplied.
template <typename E, int kDim>
__global__ void __launch_bounds__(mostThreads(AttentionPass::forward, sizeof(E), kDim), 1)
    attentionForwardKernel(ForwardArgs<E> args) {
  constexpr AttentionPass kPass = AttentionPass::forward;
  constexpr int kRowBytes = kDim * static_cast<int>(sizeof(E));
  constexpr int kKeys = streamedRows(kPass, kRowBytes);
  constexpr int kStrips = stripsOf(kPass, sizeof(E), kDim);
  const AttentionArgs<E>& a = args.common;
  const int owned = static_cast<int>(blockDim.x) / kWarpSize * kStrips * kStripRows;
  const int64_t rest = blockIdx.x / a.kvHeads;
  const auto kvHead = static_cast<int>(blockIdx.x % a.kvHeads);
  const auto split = static_cast<int>(rest % args.splits);
  const int64_t tile = a.tiles - 1 - rest / args.splits;
  const int64_t firstRow = tile * owned;
  const int warpRow = warpIndex() * kStrips * kStripRows;
  const auto rowOf = [&](int strip, int half) {
    return firstRow + warpRow + strip * kStripRows + laneIndex() / 4 + 8 * half;
  };

  const auto sKeys = [&](int stage) { return sharedMemory<char>(stage * 2 * kKeys * kRowBytes); };
  char* sQ = sharedMemory<char>(kStages * 2 * kKeys * kRowBytes);
  const HeadRows<const E> gK = a.keyRows(a.k, kvHead);
  const HeadRows<const E> gV = a.keyRows(a.v, kvHead);
  const auto loadKeys = [&](int stage, int block) {
    loadTile<E, kDim>(sKeys(stage), gK, int64_t{block} * kKeys, kKeys, a.wide);
    loadTile<E, kDim>(sKeys(stage) + kKeys * kRowBytes, gV, int64_t{block} * kKeys, kKeys, a.wide);
  };

  const SpanList list = loadWhole(a.lists + tile);
  const int perSplit = (list.blocks + args.splits - 1) / args.splits;
  const int begin = min(split * perSplit, list.blocks);
  int left = min(perSplit, list.blocks - begin);
  SpanWalk walk(a.spans, list, begin);

  loadTile<E, kDim>(sQ, a.queryRows(a.q, kvHead), firstRow, owned, a.wide);
  if (left > 0) loadKeys(0, walk.block());
  commitCopies();

  StripView views[kStrips];
  RowState states[kStrips];
  StripTile<kStrips, kDim> rSums{};
#pragma unroll
  for (int s = 0; s < kStrips; s++) {
    views[s] = stripView(a, firstRow + warpRow + s * kStripRows);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      // A sink is a key with this logit and value 0, which one lane of the row's four counts.
      const bool sinks = args.sinks && split == 0;
      states[s].top[half] = sinks ? args.sinks[a.headOf(rowOf(s, half), kvHead)] * kLog2E : -kInfinity;
      states[s].sum[half] = sinks && (laneIndex() & 3) == 0 ? 1 : 0;
    }
  }

  int stage = 0;
  const auto step = [&]<bool masked>() {
    const int firstKey = walk.block() * kKeys;
    if (left > 1) {
      walk.advance();
      loadKeys(stage ^ 1, walk.block());
      commitCopies();
      waitCopies<1>();
    } else {
      waitCopies<0>();
    }
    __syncthreads();  // the stage has landed for all threads
    const char* sK = sKeys(stage);
    const char* sV = sK + kKeys * kRowBytes;
    auto needed = allPieces<kStrips>();
    if constexpr (masked) {
#pragma unroll
      for (int s = 0; s < kStrips; s++) needed.bits[s] = views[s].template piecesSeen<kKeys>(firstKey);
    }
    StripTile<kStrips, kKeys> rScores;
    multiplyRows<E, kDim, kKeys, kStrips>(rScores, sQ, warpRow, sK, a.headDim, needed);
#pragma unroll
    for (int s = 0; s < kStrips; s++)
      onlineSoftmax<masked, kStrips, kDim, kKeys>(rScores, rSums, s, states[s], views[s], firstKey, needed,
                                                  a.logits);
#pragma unroll
    for (int c = 0; c < kKeys / 16; c++)
      if (needed.someHas(c))  // the whole warp
        addWeighted<E, kDim, 1, kKeys, kStrips>(rSums, rScores, c, sV, 0, needed);
    __syncthreads();  // the stage is free: all warps have read it
    stage ^= 1;
    left--;
  };
  while (left > 0) {
    while (left > 0 && !walk.isFull()) step.template operator()<true>();
    while (left > 0 && walk.isFull()) step.template operator()<false>();
  }
  waitCopies<0>();

#pragma unroll
  for (int s = 0; s < kStrips; s++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int64_t row = rowOf(s, half);
      const float top = states[s].top[half];
      const float sum = quadSum(states[s].sum[half]);
      if (row >= a.rows) continue;
      const bool leads = (laneIndex() & 3) == 0;
      if (args.splits == 1) {
        storeSums<E, E, 1>(a.queryRows(args.out, kvHead).at(row), rSums.values[s], half,
                           sum == 0 ? 0 : 1 / sum, 0, a.headDim, args.pairedOut);
        if (leads) args.lse[a.lseAt(row, kvHead)] = sum == 0 ? -kInfinity : fmaf(top, kLn2, logf(sum));
        continue;
      }
      const int64_t at = (int64_t{split} * a.kvHeads + kvHead) * a.rows + row;
      if (leads) storePack(&args.partialStates[at].top, Pack<float, 2>{{top, sum}});
      // Of a row that has seen nothing the merge reads nothing more.
      if (sum != 0)
        storeSums<float, E, 1>(args.partialSums + at * kDim, rSums.values[s], half, 1, 0, a.headDim, true);
    }
}

// Merges the splits of a row, one warp for each, in their order. Bound by memory: reads each partial sum
// once.
template <typename E>
__global__ void __launch_bounds__(kMergeThreads, 4) attentionMergeKernel(ForwardArgs<E> args, int padded) {
  const AttentionArgs<E>& a = args.common;
  const int64_t index = int64_t{blockIdx.x} * (kMergeThreads / kWarpSize) + warpIndex();
  if (index >= a.rows * a.kvHeads) return;  // the whole warp
  const auto kvHead = static_cast<int>(index / a.rows);
  const int64_t row = index % a.rows;
  const auto stateOf = [&](int split) {
    return loadPack<2>(&args.partialStates[split * a.rows * a.kvHeads + index].top);
  };
  float top = -kInfinity;
  for (int split = 0; split < args.splits; split++) top = fmaxf(top, stateOf(split).values[0]);
  const float base = top == -kInfinity ? 0 : top;
  float sum = 0;
  for (int split = 0; split < args.splits; split++) {
    const Pack<float, 2> state = stateOf(split);
    if (state.values[1] != 0) sum += state.values[1] * exp2Fast(state.values[0] - base);
  }
  E* out = a.queryRows(args.out, kvHead).at(row);
  for (int d = laneIndex(); d < a.headDim; d += kWarpSize) {
    float total = 0;
    for (int split = 0; split < args.splits; split++) {
      const Pack<float, 2> state = stateOf(split);
      if (state.values[1] == 0) continue;
      const float* sums = args.partialSums + (split * a.rows * a.kvHeads + index) * padded;
      total = fmaf(sums[d], exp2Fast(state.values[0] - base), total);
    }
    out[d] = round<E>(sum == 0 ? 0 : total / sum);
  }
  if (laneIndex() == 0) args.lse[a.lseAt(row, kvHead)] = sum == 0 ? -kInfinity : fmaf(top, kLn2, logf(sum));
}

template <typename E>
void forwardPass(Stream& stream, const AttentionInputs& inputs, const AttentionForward& results) {
  const AttentionShape shape = attentionShape(inputs);
  const AttentionTiling tiling =
      attentionTiling(stream.architecture(), inputs.q.dtype(), shape, AttentionPass::forward);
  const AttentionPlanMemory plan(stream, "attention", inputs);
  const SpanMemory spans = plan.rowSpans(stream, tiling.owned, tiling.streamed);
  const int64_t rows = shape.tokens * shape.group();
  const int padded = paddedHeadDim(shape.headDim);
  const bool isSplit = tiling.splits > 1;
  const int64_t parts = isSplit ? tiling.splits * shape.kvHeads * rows : 0;
  const Tensor partialSums = empty({parts, padded}, DType::float32, inputs.q.device());
  const Tensor partialStates = empty({parts, 2}, DType::float32, inputs.q.device());
  const ForwardArgs<E> args{withTiles(attentionArgs<E>(inputs, plan), spans, tiling),
                            results.out.template data<E>(),
                            results.lse.template data<float>(),
                            inputs.options.sinks ? inputs.options.sinks->template data<float>() : nullptr,
                            partialSums.data<float>(),
                            reinterpret_cast<SoftmaxState*>(partialStates.data<float>()),
                            tiling.splits,
                            isPaired<E>(results.out)};
  onHeadDim(shape.headDim, [&]<int kDim>() {
    launch(stream,
           {"attention", {tiling.tiles * tiling.splits * shape.kvHeads}, tiling.threads, tiling.sharedBytes},
           attentionForwardKernel<E, kDim>, args);
  });
  if (isSplit)
    launch(stream,
           {"attention", {ceilDiv(rows * shape.kvHeads, int64_t{kMergeThreads / kWarpSize})}, kMergeThreads},
           attentionMergeKernel<E>, args, padded);
}

}  // namespace

void attention(Stream& stream, const AttentionInputs& inputs, const AttentionForward& results) {
  onFloatDType(inputs.q.dtype(), [&]<typename E>(E) { forwardPass<E>(stream, inputs, results); });
}

}  // namespace crossmap::cuda
