// The backward pass on tensor cores. Dao 2023, arXiv:2307.08691, but for the order of dq: there, blocks of
// keys add to dq with atomics; here a second pass over tiles of rows computes scores and dOut . v again and
// owns its dq, so that sums have one order. It costs 7 products of the size of the scores instead of 5.
#include "ops/attention/attention-cuda-strip.cuh"
#include "ops/attention/attention-cuda.h"
#include "runtime/cuda/device/block.cuh"

namespace crossmap::cuda {

namespace {

constexpr int kDeltaThreads = 128;
constexpr int kSinkThreads = 256;

// What the weights of a row follow from: lse in base 2, and dOut . out.
struct alignas(8) RowStats {
  float lse, delta;
};

template <typename E>
struct BackwardArgs {
  AttentionArgs<E> common;
  const E *out, *dOut;  // [tokens, heads, headDim]
  const float* lse;     // [tokens, heads]
  RowStats* stats;      // [kvHeads, rows]
  E* dq;                // [tokens, heads, headDim]
  E *dk, *dv;           // [keyTokens, kvHeads, headDim]
  bool pairedGradients;
};

// One warp for each row. Bound by memory: out and dOut are read once.
template <typename E>
__global__ void __launch_bounds__(kDeltaThreads) attentionDeltaKernel(BackwardArgs<E> args) {
  const AttentionArgs<E>& a = args.common;
  const int64_t index = int64_t{blockIdx.x} * (kDeltaThreads / kWarpSize) + warpIndex();
  if (index >= a.rows * a.kvHeads) return;  // the whole warp
  const auto kvHead = static_cast<int>(index / a.rows);
  const int64_t row = index % a.rows;
  const E* out = a.queryRows(args.out, kvHead).at(row);
  const E* dOut = a.queryRows(args.dOut, kvHead).at(row);
  float delta = 0;
  if (a.wide) {
    constexpr int kWidth = kPackWidth<E>;
    for (int d = laneIndex() * kWidth; d < a.headDim; d += kWarpSize * kWidth) {
      const Pack<E, kWidth> x = loadPack<kWidth>(out + d);
      const Pack<E, kWidth> y = loadPack<kWidth>(dOut + d);
#pragma unroll
      for (int i = 0; i < kWidth; i++) delta = fmaf(widen(x.values[i]), widen(y.values[i]), delta);
    }
  } else {
    for (int d = laneIndex(); d < a.headDim; d += kWarpSize)
      delta = fmaf(widen(out[d]), widen(dOut[d]), delta);
  }
  delta = warpSum(delta);
  if (laneIndex() == 0)
    storePack(&args.stats[index].lse, Pack<float, 2>{{args.lse[a.lseAt(row, kvHead)] * kLog2E, delta}});
}

// dSinks[h] = -sum exp(sink[h] - lse) delta over the queries: one block for each head, each thread every
// 256th query, so that the order of sums is one.
__global__ void __launch_bounds__(kSinkThreads)
    attentionSinkKernel(const RowStats* stats, const float* sinks, float* dSinks, int64_t tokens, int group) {
  float* sScratch = sharedMemory<float>();
  const auto head = static_cast<int>(blockIdx.x);
  const int64_t first = int64_t{head / group} * tokens * group + head % group;
  const float sink = sinks[head] * kLog2E;
  float sum = 0;
  for (int64_t token = threadIdx.x; token < tokens; token += kSinkThreads) {
    const Pack<float, 2> row = loadPack<2>(&stats[first + token * group].lse);
    sum -= exp2Fast(sink - row.values[0]) * row.values[1];
  }
  sum = blockSum(sum, sScratch);
  if (threadIdx.x == 0) dSinks[head] = sum;
}

// Where the operands and masks of a pass lie in shared memory: rows have R = padded headDim x element bytes,
// swizzled as chunkOffset says. What depends on the size of the tile comes last, so that all other addresses
// are constants.
//   for each of 2 stages: streamed R bytes each of k and v, or of q and dOut
//   for each of 2 stages, where rows are streamed: streamed KeyViews, streamed RowStats
//   owned R bytes each of q and dOut, or of k and v
template <int kRowBytes, int kStreamed, bool rowsAreStreamed>
struct BackwardTiles {
  static constexpr int kInfo = kStages * 2 * kStreamed * kRowBytes;
  static constexpr int kOwn = kInfo + (rowsAreStreamed ? kStages * kStreamed * kRowInfoBytes : 0);
  int owned;

  __device__ char* streamed(int stage, int operand) const {
    return sharedMemory<char>((2 * stage + operand) * kStreamed * kRowBytes);
  }
  __device__ KeyView* views(int stage) const {
    return sharedMemory<KeyView>(kInfo + stage * kStreamed * kRowInfoBytes);
  }
  __device__ RowStats* stats(int stage) const {
    return sharedMemory<RowStats>(kInfo + stage * kStreamed * kRowInfoBytes +
                                  kStreamed * int{sizeof(KeyView)});
  }
  __device__ char* own(int operand) const { return sharedMemory<char>(kOwn + operand * owned * kRowBytes); }
};

// Starts to copy what the columns of a block need to know when they are rows of q.
template <int kStreamed, typename E>
__device__ void loadRowInfo(KeyView* sViews, RowStats* sStats, const BackwardArgs<E>& args, int kvHead,
                            int64_t firstRow) {
  const AttentionArgs<E>& a = args.common;
  for (int r = static_cast<int>(threadIdx.x); r < kStreamed; r += static_cast<int>(blockDim.x)) {
    const int64_t row = firstRow + r;
    const bool valid = row < a.rows;  // the others see nothing: their views become zero
    copyAsync16(sharedAddress(sViews + r), a.views + (valid ? row / a.group : 0), valid);
    copyAsync<8>(sharedAddress(sStats + r), args.stats + (valid ? kvHead * a.rows + row : 0), valid);
  }
}

// One element of the scores: `score` becomes its weight, `dWeight` = dOut . v the gradient of the score, but
// for the factor scale. A row that sees nothing has lse -inf and weights of infinity: what is not seen is
// chosen, not multiplied, away.
__device__ inline void weigh(float& score, float& dWeight, const RowStats& row, bool seen,
                             const LogitScale& scale) {
  const float bent = scale.isCapped() ? tanhFast(score * scale.inner) : score;
  const float weight = exp2Fast(fmaf(bent, scale.outer, -row.lse));
  const float slope = scale.isCapped() ? 1 - bent * bent : 1;
  score = seen ? weight : 0;
  dWeight = seen ? weight * (dWeight - row.delta) * slope : 0;
}

// A block owns a tile of rows (queryGradients: dq) or of keys (keyGradients: dk and dv, or one of the ranges
// of their columns) of one head of keys, 16 or 32 for each warp, and streams the blocks of keys that the tile
// sees, or of rows that see it. Rows and keys swap roles between the passes, all else is the same:
//   scores = own 0 . streamed 0          dWeights = own 1 . streamed 1
//   gradients of own 0 += dScores . streamed 0      gradients of own 1 += weights . streamed 1, of keys only
// The sums of a gradient are in registers from the first block to the last. Bound by tensor cores.
template <typename E, int kDim, AttentionPass pass>
__global__ void __launch_bounds__(mostThreads(pass, sizeof(E), kDim), 1)
    attentionBackwardKernel(BackwardArgs<E> args) {
  constexpr bool ownsKeys = pass == AttentionPass::keyGradients;
  constexpr int kRowBytes = kDim * static_cast<int>(sizeof(E));
  constexpr int kStreamed = streamedRows(pass, kRowBytes);
  constexpr int kStrips = stripsOf(pass, sizeof(E), kDim);
  constexpr int kRanges = columnRanges(pass, kDim);
  constexpr int kColumns = kDim / kRanges;
  const AttentionArgs<E>& a = args.common;
  const BackwardTiles<kRowBytes, kStreamed, ownsKeys> tiles{static_cast<int>(blockDim.x) / kWarpSize *
                                                            kStrips * kStripRows};
  const int64_t rest = blockIdx.x / kRanges;
  const int range = static_cast<int>(blockIdx.x % kRanges);
  const auto kvHead = static_cast<int>(rest % a.kvHeads);
  // The longest first, with a causal mask: the last rows, the first keys.
  const int64_t tile = ownsKeys ? rest / a.kvHeads : a.tiles - 1 - rest / a.kvHeads;
  const int64_t first = tile * tiles.owned;
  const int warpRow = warpIndex() * kStrips * kStripRows;
  const auto ownOf = [&](int strip, int half) {
    return first + warpRow + strip * kStripRows + laneIndex() / 4 + 8 * half;
  };

  // Made anew at each use: kept, they would take registers that the sums need.
  const auto gStreamed = [&](int operand) {
    return ownsKeys ? a.queryRows(operand == 0 ? a.q : args.dOut, kvHead)
                    : a.keyRows(operand == 0 ? a.k : a.v, kvHead);
  };
  const auto gOwn = [&](int operand) {
    return ownsKeys ? a.keyRows(operand == 0 ? a.k : a.v, kvHead)
                    : a.queryRows(operand == 0 ? a.q : args.dOut, kvHead);
  };
  const auto loadStreamed = [&](int stage, int block) {
    const int64_t from = int64_t{block} * kStreamed;
    loadTile<E, kDim>(tiles.streamed(stage, 0), gStreamed(0), from, kStreamed, a.wide);
    loadTile<E, kDim>(tiles.streamed(stage, 1), gStreamed(1), from, kStreamed, a.wide);
    if constexpr (ownsKeys)
      loadRowInfo<kStreamed>(tiles.views(stage), tiles.stats(stage), args, kvHead, from);
  };

  const SpanList list = loadWhole(a.lists + tile);
  int left = list.blocks;
  SpanWalk walk(a.spans, list, 0);
  loadTile<E, kDim>(tiles.own(0), gOwn(0), first, tiles.owned, a.wide);
  loadTile<E, kDim>(tiles.own(1), gOwn(1), first, tiles.owned, a.wide);
  if (left > 0) loadStreamed(0, walk.block());
  commitCopies();

  // Where rows are owned: what they see, and their statistics.
  StripView views[kStrips] = {};
  RowStats ownStats[kStrips][2] = {};
  if constexpr (!ownsKeys) {
#pragma unroll
    for (int s = 0; s < kStrips; s++) {
      views[s] = stripView(a, first + warpRow + s * kStripRows);
#pragma unroll
      for (int half = 0; half < 2; half++)
        if (const int64_t row = ownOf(s, half); row < a.rows)
          ownStats[s][half] = std::bit_cast<RowStats>(loadPack<2>(&args.stats[kvHead * a.rows + row].lse));
    }
  }

  StripTile<kStrips, kColumns> rOwn0{};                 // gradients of own 0
  StripTile<ownsKeys ? kStrips : 1, kColumns> rOwn1{};  // gradients of own 1, where keys are owned
  int stage = 0;
  const auto step = [&]<bool masked>() {
    const int firstStreamed = walk.block() * kStreamed;
    if (left > 1) {
      walk.advance();
      loadStreamed(stage ^ 1, walk.block());
      commitCopies();
      waitCopies<1>();
    } else {
      waitCopies<0>();
    }
    __syncthreads();  // the stage has landed for all threads
    const char* sStreamed0 = tiles.streamed(stage, 0);
    const char* sStreamed1 = tiles.streamed(stage, 1);
    auto needed = allPieces<kStrips>();
    if constexpr (masked) {
#pragma unroll
      for (int s = 0; s < kStrips; s++)
        needed.bits[s] = ownsKeys ? piecesThatSee<kStreamed>(tiles.views(stage), static_cast<int>(first) +
                                                                                     warpRow + s * kStripRows)
                                  : views[s].template piecesSeen<kStreamed>(firstStreamed);
    }
    StripTile<kStrips, kStreamed> rScores;
    StripTile<kStrips, kStreamed> rDWeights;
    multiplyRows<E, kDim, kStreamed, kStrips>(rScores, tiles.own(0), warpRow, sStreamed0, a.headDim, needed);
    multiplyRows<E, kDim, kStreamed, kStrips>(rDWeights, tiles.own(1), warpRow, sStreamed1, a.headDim,
                                              needed);
#pragma unroll
    for (int n = 0; n < kStreamed / 8; n++) {
      if (!needed.someHas(n / 2)) continue;  // the whole warp
#pragma unroll
      for (int column = 0; column < 2; column++) {
        const int streamed = 8 * n + 2 * (laneIndex() & 3) + column;
        RowStats columnStats{};
        KeyView columnView{};
        if constexpr (ownsKeys) {
          columnStats = std::bit_cast<RowStats>(loadPack<2>(&tiles.stats(stage)[streamed].lse));
          if constexpr (masked) columnView = loadWhole(tiles.views(stage) + streamed);
        }
#pragma unroll
        for (int s = 0; s < kStrips; s++)
#pragma unroll
          for (int half = 0; half < 2; half++) {
            bool seen = true;
            if constexpr (masked)
              seen = ownsKeys ? columnView.sees(static_cast<int>(ownOf(s, half)))
                              : views[s].rows[half].sees(firstStreamed + streamed);
            weigh(rScores.values[s][n][2 * half + column], rDWeights.values[s][n][2 * half + column],
                  ownsKeys ? columnStats : ownStats[s][half], seen, a.logits);
          }
      }
    }
#pragma unroll
    for (int c = 0; c < kStreamed / 16; c++) {
      if (!needed.someHas(c)) continue;  // the whole warp
      addWeighted<E, kDim, kRanges, kStreamed, kStrips>(rOwn0, rDWeights, c, sStreamed0, range, needed);
      if constexpr (ownsKeys)
        addWeighted<E, kDim, kRanges, kStreamed, kStrips>(rOwn1, rScores, c, sStreamed1, range, needed);
    }
    __syncthreads();  // the stage is free: all warps have read it
    stage ^= 1;
    left--;
  };
  // One loop with two bodies rather than two loops in turn: there, the addresses of both stay in registers.
  while (left > 0) {
    if (walk.isFull())
      step.template operator()<false>();
    else
      step.template operator()<true>();
  }
  waitCopies<0>();

  const HeadRows<E> gradients0 = ownsKeys ? a.keyRows(args.dk, kvHead) : a.queryRows(args.dq, kvHead);
#pragma unroll
  for (int s = 0; s < kStrips; s++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int64_t row = ownOf(s, half);
      if (row >= gradients0.count) continue;
      storeSums<E, E, kRanges>(gradients0.at(row), rOwn0.values[s], half, a.logits.scale, range, a.headDim,
                               args.pairedGradients);
      if constexpr (ownsKeys)
        storeSums<E, E, kRanges>(a.keyRows(args.dv, kvHead).at(row), rOwn1.values[s], half, 1, range,
                                 a.headDim, args.pairedGradients);
    }
}

template <AttentionPass pass, typename E>
void gradientPass(Stream& stream, const AttentionInputs& inputs, const AttentionPlanMemory& plan,
                  BackwardArgs<E> args) {
  const AttentionShape shape = attentionShape(inputs);
  const AttentionTiling tiling = attentionTiling(stream.architecture(), inputs.q.dtype(), shape, pass);
  const SpanMemory spans = plan.spans(stream, tiling, pass);
  args.common = withTiles(args.common, spans, tiling);
  onHeadDim(shape.headDim, [&]<int kDim>() {
    launch(stream,
           {"attentionBackward",
            {tiling.tiles * shape.kvHeads * columnRanges(pass, kDim)},
            tiling.threads,
            tiling.sharedBytes},
           attentionBackwardKernel<E, kDim, pass>, args);
  });
}

template <typename E>
void backwardPass(Stream& stream, const AttentionInputs& inputs, const Tensor& dOut,
                  const AttentionForward& forward, const AttentionBackward& results) {
  const AttentionShape shape = attentionShape(inputs);
  const AttentionPlanMemory plan(stream, "attentionBackward", inputs);
  const int64_t rows = shape.tokens * shape.group();
  const Tensor stats = empty({shape.kvHeads * rows, 2}, DType::float32, inputs.q.device());
  BackwardArgs<E> args{};
  args.common = attentionArgs<E>(inputs, plan);
  args.common.wide = args.common.wide && isWide(dOut) && isWide(forward.out);
  args.out = forward.out.template data<E>();
  args.dOut = dOut.template data<E>();
  args.lse = forward.lse.template data<float>();
  args.stats = reinterpret_cast<RowStats*>(stats.data<float>());
  args.dq = results.dq.template data<E>();
  args.dk = results.dk.template data<E>();
  args.dv = results.dv.template data<E>();
  args.pairedGradients = isPaired<E>(results.dq) && isPaired<E>(results.dk) && isPaired<E>(results.dv);
  launch(stream,
         {"attentionBackward",
          {ceilDiv(rows * shape.kvHeads, int64_t{kDeltaThreads / kWarpSize})},
          kDeltaThreads},
         attentionDeltaKernel<E>, args);
  gradientPass<AttentionPass::keyGradients>(stream, inputs, plan, args);
  gradientPass<AttentionPass::queryGradients>(stream, inputs, plan, args);
  if (results.dSinks)
    launch(stream, {"attentionBackward", {shape.heads}, kSinkThreads, kWarpSize * sizeof(float)},
           attentionSinkKernel, args.stats, inputs.options.sinks->template data<float>(),
           results.dSinks->template data<float>(), shape.tokens, static_cast<int>(shape.group()));
}

}  // namespace

void attentionBackward(Stream& stream, const AttentionInputs& inputs, const Tensor& dOut,
                       const AttentionForward& forward, const AttentionBackward& results) {
  onFloatDType(inputs.q.dtype(),
               [&]<typename E>(E) { backwardPass<E>(stream, inputs, dOut, forward, results); });
}

}  // namespace crossmap::cuda
