// The backward pass on tensor cores, in one pass over the scores. Dao 2023, arXiv:2307.08691; where blocks of
// keys add to dq in whatever order there, here they take turns, so that sums have one order. The sums take
// four bytes for each element of q.
#include "ops/attention/attention-cuda-row-gradients.cuh"
#include "ops/attention/attention-cuda-strip.cuh"
#include "ops/attention/attention-cuda.h"

namespace crossmap::cuda {

namespace {

constexpr const char* kName = "attentionBackward";

// Shared memory: rows have R = padded headDim x element bytes, swizzled as chunkOffset says. What depends on
// the size of the tile comes last, so that all other addresses are constants.
//   for each of 2 stages: streamed R bytes each of q and dOut; then, in their place, dScores
//   for each of 2 stages: streamed KeyViews, streamed RowStats, the SpanList of the visitors
//   for each strip of keys the pieces of dScores that there are; the Place
//   owned R bytes each of k and v
template <typename E, int kDim>
struct BackwardTiles {
  static constexpr int kRowBytes = kDim * static_cast<int>(sizeof(E));
  static constexpr int kStreamed = streamedRows(AttentionPass::backward, kRowBytes);
  static constexpr int kStageBytes = stageBytes(AttentionPass::backward, sizeof(E), kDim);
  static constexpr int kInfo = kStages * kStageBytes;
  static constexpr int kStageInfoBytes = kStreamed * kRowInfoBytes + kVisitorBytes;
  static constexpr int kMasks = kInfo + kStages * kStageInfoBytes;
  static constexpr int kPlace = kMasks + kMaskBytes;
  static constexpr int kOwn = kPlace + kPlaceBytes;
  int owned;

  __device__ char* streamed(int stage, int operand) const {
    return sharedMemory<char>(stage * kStageBytes + operand * kStreamed * kRowBytes);
  }
  __device__ DScoreTile<E, kStreamed> dScores(int stage) const { return {streamed(stage, 0)}; }
  __device__ KeyView* views(int stage) const {
    return sharedMemory<KeyView>(kInfo + stage * kStageInfoBytes);
  }
  __device__ RowStats* stats(int stage) const {
    return sharedMemory<RowStats>(kInfo + stage * kStageInfoBytes + kStreamed * int{sizeof(KeyView)});
  }
  __device__ SpanList* visitors(int stage) const {
    return sharedMemory<SpanList>(kInfo + stage * kStageInfoBytes + kStreamed * kRowInfoBytes);
  }
  __device__ uint32_t* masks() const { return sharedMemory<uint32_t>(kMasks); }
  __device__ Place* place() const { return sharedMemory<Place>(kPlace); }
  __device__ char* own(int operand) const { return sharedMemory<char>(kOwn + operand * owned * kRowBytes); }
};

// Starts to copy a block of rows, and what is to be known of them.
template <typename E, int kDim>
__device__ void loadRows(const BackwardTiles<E, kDim>& tiles, int stage, const BackwardArgs<E>& args,
                         int block) {
  constexpr int kStreamed = BackwardTiles<E, kDim>::kStreamed;
  const AttentionArgs<E>& a = args.common;
  const int kvHead = tiles.place()->kvHead;
  const int64_t first = int64_t{block} * kStreamed;
  loadTile<E, kDim>(tiles.streamed(stage, 0), a.queryRows(a.q, kvHead), first, kStreamed, a.wide);
  loadTile<E, kDim>(tiles.streamed(stage, 1), a.queryRows(args.dOut, kvHead), first, kStreamed, a.wide);
  for (int r = static_cast<int>(threadIdx.x); r < kStreamed; r += static_cast<int>(blockDim.x)) {
    const int64_t row = first + r;
    const bool valid = row < a.rows;  // the others see nothing: their views become zero
    copyAsync16(sharedAddress(tiles.views(stage) + r), a.views + (valid ? row / a.group : 0), valid);
    copyAsync<8>(sharedAddress(tiles.stats(stage) + r), args.stats + (valid ? kvHead * a.rows + row : 0),
                 valid);
  }
  if (threadIdx.x == 0) copyAsync16(sharedAddress(tiles.visitors(stage)), args.visitors + block);
}

// The last tiles first.
template <int kRanges, typename E>
__device__ void takePlace(const BackwardArgs<E>& args, Place* sPlace, uint32_t* sTicket) {
  const auto ticket = static_cast<int>(takeTicket(args.tickets, sTicket));
  const int head = ticket / kRanges;
  const int tile = static_cast<int>(args.common.tiles) - 1 - head / args.common.kvHeads;
  if (threadIdx.x == 0) storeWhole(sPlace, Place{tile, head % args.common.kvHeads, ticket % kRanges, 0});
  __syncthreads();  // the place is there, and the ticket has been read
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

// A block owns a tile of keys of one head of keys, 16 or 32 for each warp, and one of the ranges of the
// columns of gradients; it streams the blocks of rows that see some of its keys:
//   scores = k . q      dWeights = v . dOut      dv += weights . dOut      dk += dScores . q
// dk and dv are in registers from the first block to the last. Then dq += dScores . k, in the block's turn
// among those that visit the same rows (addRowGradients). Bound by tensor cores.
//
// The last keys come first, and among the tiles that visit a block of rows the last tile. With a causal mask
// a tile begins with the rows on its diagonal, so that it comes to each block of rows just after the tile
// behind it has left, and hardly waits. Tiles go by tickets: a block waits only for those that have begun.
template <typename E, int kDim>
__global__ void __launch_bounds__(mostThreads(AttentionPass::backward, sizeof(E), kDim), 1)
    attentionBackwardKernel(BackwardArgs<E> args) {
  using Tiles = BackwardTiles<E, kDim>;
  constexpr int kStreamed = Tiles::kStreamed;
  constexpr int kStrips = stripsOf(AttentionPass::backward, sizeof(E), kDim);
  constexpr int kRanges = columnRanges(kDim);
  constexpr int kColumns = kDim / kRanges;
  const AttentionArgs<E>& a = args.common;
  const Tiles tiles{static_cast<int>(blockDim.x) / kWarpSize * kStrips * kStripRows};
  takePlace<kRanges>(args, tiles.place(), tiles.masks());
  const int tile = tiles.place()->tile;
  const int first = tile * tiles.owned;
  const int warpKey = warpIndex() * kStrips * kStripRows;
  const auto keyOf = [&](int strip, int half) {
    return int64_t{first} + (warpKey + strip * kStripRows + laneIndex() / 4 + 8 * half);
  };

  const SpanList list = loadWhole(a.lists + tile);
  int left = list.blocks;
  SpanWalk walk(a.spans, list, 0);
  loadTile<E, kDim>(tiles.own(0), a.keyRows(a.k, tiles.place()->kvHead), first, tiles.owned, a.wide);
  loadTile<E, kDim>(tiles.own(1), a.keyRows(a.v, tiles.place()->kvHead), first, tiles.owned, a.wide);
  if (left > 0) loadRows(tiles, 0, args, walk.block());
  commitCopies();

  StripTile<kStrips, kColumns> rDk{};
  StripTile<kStrips, kColumns> rDv{};
  int stage = 0;
  const auto step = [&]<bool masked>() {
    const int block = walk.block();
    if (left > 1) {
      walk.advance();
      loadRows(tiles, stage ^ 1, args, walk.block());
      commitCopies();
      waitCopies<1>();
    } else {
      waitCopies<0>();
    }
    __syncthreads();  // the stage has landed for all threads
    const char* sQ = tiles.streamed(stage, 0);
    const char* sDOut = tiles.streamed(stage, 1);
    auto needed = allPieces<kStrips>();
    if constexpr (masked) {
#pragma unroll
      for (int s = 0; s < kStrips; s++) {
        needed.bits[s] = piecesThatSee<kStreamed>(tiles.views(stage), first + warpKey + s * kStripRows);
        if (laneIndex() == 0) tiles.masks()[warpIndex() * kStrips + s] = needed.bits[s];
      }
    }
    StripTile<kStrips, kStreamed> rScores;
    StripTile<kStrips, kStreamed> rDScores;
    multiplyRows<E, kDim, kStreamed, kStrips>(rScores, tiles.own(0), warpKey, sQ, a.headDim, needed);
    multiplyRows<E, kDim, kStreamed, kStrips>(rDScores, tiles.own(1), warpKey, sDOut, a.headDim, needed);
#pragma unroll
    for (int n = 0; n < kStreamed / 8; n++) {
      if (!needed.someHas(n / 2)) continue;  // the whole warp
#pragma unroll
      for (int column = 0; column < 2; column++) {
        const int row = 8 * n + 2 * (laneIndex() & 3) + column;
        const auto stats = std::bit_cast<RowStats>(loadPack<2>(&tiles.stats(stage)[row].lse));
        KeyView view{};
        if constexpr (masked) view = loadWhole(tiles.views(stage) + row);
#pragma unroll
        for (int s = 0; s < kStrips; s++)
#pragma unroll
          for (int half = 0; half < 2; half++)
            weigh(rScores.values[s][n][2 * half + column], rDScores.values[s][n][2 * half + column], stats,
                  !masked || view.sees(static_cast<int>(keyOf(s, half))), a.logits);
      }
    }
    const int range = tiles.place()->template rangeOf<kRanges>();
#pragma unroll
    for (int c = 0; c < kStreamed / 16; c++) {
      if (!needed.someHas(c)) continue;  // the whole warp
      addWeighted<E, kDim, kRanges, kStreamed, kStrips>(rDk, rDScores, c, sQ, range, needed);
      addWeighted<E, kDim, kRanges, kStreamed, kStrips>(rDv, rScores, c, sDOut, range, needed);
    }
    __syncthreads();  // q and dOut of the stage have been read by all warps: dScores take their place
#pragma unroll
    for (int s = 0; s < kStrips; s++)
#pragma unroll
      for (int c = 0; c < kStreamed / 16; c++)
        if (needed.has(s, c)) tiles.dScores(stage).store(warpIndex() * kStrips + s, c, rDScores.values[s]);
    __syncthreads();  // dScores and their masks are there
    addRowGradients<E, kDim, masked>(args, {tiles.dScores(stage), tiles.masks(), tiles.own(0), tiles.owned,
                                            tiles.visitors(stage), loadWhole(tiles.place()), block});
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

  const Place place = loadWhole(tiles.place());
  const int range = place.rangeOf<kRanges>();
#pragma unroll
  for (int s = 0; s < kStrips; s++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int64_t key = keyOf(s, half);
      if (key >= a.keyTokens) continue;
      storeSums<E, E, kRanges>(a.keyRows(args.dk, place.kvHead).at(key), rDk.values[s], half, a.logits.scale,
                               range, a.headDim, args.pairedGradients);
      storeSums<E, E, kRanges>(a.keyRows(args.dv, place.kvHead).at(key), rDv.values[s], half, 1, range,
                               a.headDim, args.pairedGradients);
    }
}

template <typename E>
void backwardPass(Stream& stream, const AttentionInputs& inputs, const Tensor& dOut,
                  const AttentionForward& forward, const AttentionBackward& results) {
  const Device& device = inputs.q.device();
  const AttentionShape shape = attentionShape(inputs);
  const AttentionTiling tiling =
      attentionTiling(stream.architecture(), inputs.q.dtype(), shape, AttentionPass::backward);
  const AttentionPlanMemory plan(stream, kName, inputs);
  const SpanMemory spans = plan.keySpans(stream, tiling.owned, tiling.streamed);
  const SpanMemory visitors = plan.rowSpans(stream, tiling.streamed, tiling.owned);
  const int64_t rows = shape.tokens * shape.group();
  const int64_t rowBlocks = ceilDiv(rows, int64_t{tiling.streamed});
  const int64_t turnCount = columnRanges(paddedHeadDim(shape.headDim)) * shape.kvHeads * rowBlocks;
  const Tensor stats = empty({shape.kvHeads * rows, 2}, DType::float32, device);
  const Tensor dqSums = empty({shape.kvHeads, rows, shape.headDim}, DType::float32, device);
  const Tensor turns = empty({1 + turnCount}, DType::int32, device);
  clear(stream, kName, turns.raw(), turns.bytes());

  BackwardArgs<E> args{};
  args.common = withTiles(attentionArgs<E>(inputs, plan), spans, tiling);
  args.common.wide = args.common.wide && isWide(dOut) && isWide(forward.out);
  args.out = forward.out.template data<E>();
  args.dOut = dOut.template data<E>();
  args.lse = forward.lse.template data<float>();
  args.stats = reinterpret_cast<RowStats*>(stats.data<float>());
  args.dqSums = dqSums.data<float>();
  args.dq = results.dq.template data<E>();
  args.dk = results.dk.template data<E>();
  args.dv = results.dv.template data<E>();
  args.pairedGradients = isPaired<E>(results.dq) && isPaired<E>(results.dk) && isPaired<E>(results.dv);
  args.rowBlocks = static_cast<int>(rowBlocks);
  args.streamed = tiling.streamed;
  args.visitors = visitors.gLists();
  args.visitorSpans = visitors.gSpans();
  args.tickets = reinterpret_cast<uint32_t*>(turns.data<int32_t>());
  args.turns = args.tickets + 1;

  const Launch perRow{kName, {ceilDiv(rows * shape.kvHeads, int64_t{kRowThreads / kWarpSize})}, kRowThreads};
  launch(stream, perRow, attentionDeltaKernel<E>, args);
  onHeadDim(shape.headDim, [&]<int kDim>() {
    launch(stream,
           {kName, {tiling.tiles * shape.kvHeads * columnRanges(kDim)}, tiling.threads, tiling.sharedBytes},
           attentionBackwardKernel<E, kDim>, args);
  });
  launch(stream, perRow, attentionQueryGradientKernel<E>, args);
  if (results.dSinks)
    launch(stream, {kName, {shape.heads}, kSinkThreads, kWarpSize * sizeof(float)}, attentionSinkKernel,
           args.stats, inputs.options.sinks->template data<float>(), results.dSinks->template data<float>(),
           shape.tokens, static_cast<int>(shape.group()));
}

}  // namespace

void attentionBackward(Stream& stream, const AttentionInputs& inputs, const Tensor& dOut,
                       const AttentionForward& forward, const AttentionBackward& results) {
  onFloatDType(inputs.q.dtype(),
               [&]<typename E>(E) { backwardPass<E>(stream, inputs, dOut, forward, results); });
}

}  // namespace crossmap::cuda
