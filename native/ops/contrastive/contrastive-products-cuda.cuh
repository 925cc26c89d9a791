#pragma once
// Products of tiles on tensor cores, for operands whose rows lie at multiples of 16 bytes: the scaled rows and
// the panels of gradients, which the op lays out itself.
#include <cstdint>

#include "ops/contrastive/contrastive-scores-cuda.cuh"
#include "runtime/cuda/device/async-copy.cuh"
#include "runtime/cuda/device/matrix.cuh"

namespace crossmap::cuda {
namespace {

// How an operand lies in memory: the index that the product sums over runs within its rows or across them.
enum class Depth { inner, outer };

// An operand of one tile of a product.
template <typename E>
struct Operand {
  const E* gData;  // of the tile: [count, depth], or [depth, count]
  int64_t stride;
  int64_t count;   // what is beyond it, up to the tile, is 0
};

// A stage of shared memory has kStepBytes of each row of the tile: 32 steps of depth in 16 bits, 16 in float32.
constexpr int kStepBytes = 64;
constexpr int kOperandBytes = kTile * kStepBytes;
constexpr int kStageBytes = 2 * kOperandBytes;
constexpr int kStages = 4;
constexpr int64_t kProductBytes = int64_t{kStages} * kStageBytes;

template <typename E>
constexpr int kStep = kStepBytes / static_cast<int>(sizeof(E));

// 8 warps, 2 down and 4 across, of 64 x 32 elements each.
constexpr int kFragmentsDown = 4, kFragmentsAcross = 4;
using Accumulators = float[kFragmentsDown][kFragmentsAcross][4];
using Scores = ScoreFragment<kFragmentsDown, kFragmentsAcross>;

// Where 16 bytes of an operand lie in its part of a stage. The place within the row depends on the row, so that
// the eight rows of an 8 x 8 matrix, and the 32 elements of a float32 fragment, lie in different banks.
template <typename E, Depth depth>
__device__ inline int chunkOffset(int row, int chunk) {
  if constexpr (depth == Depth::inner) return row * kStepBytes + ((chunk ^ (row / 2 % 4)) * 16);
  constexpr int kRowBytes = kTile * static_cast<int>(sizeof(E));
  return row * kRowBytes + ((chunk ^ (sizeof(E) == 2 ? row % 8 : row % 4 * 2)) * 16);
}

// Begins to copy a step of one operand: 512 chunks of 16 bytes, two for each thread.
template <Depth layout, typename E>
__device__ inline void copyStep(const Operand<E>& operand, int64_t begin, int64_t depth, uint32_t sAddress) {
  constexpr int width = kPackWidth<E>;
  constexpr int kRowChunks = layout == Depth::inner ? kStepBytes / 16 : kTile / width;
#pragma unroll
  for (int each = 0; each < kOperandBytes / 16 / kScoreThreads; each++) {
    const int at = each * kScoreThreads + static_cast<int>(threadIdx.x);
    const int row = at / kRowChunks, chunk = at % kRowChunks;
    const bool isInner = layout == Depth::inner;
    const bool isIn = isInner ? row < operand.count && begin + chunk * width < depth
                              : begin + row < depth && chunk * width < operand.count;
    const int64_t from = isInner ? row * operand.stride + begin + chunk * width
                                 : (begin + row) * operand.stride + chunk * width;
    copyAsync16(sAddress + chunkOffset<E, layout>(row, chunk), operand.gData + (isIn ? from : 0), isIn);
  }
}

// 16 x 16 elements of A, 16 of the tile's rows.
template <Depth layout, typename E>
__device__ inline void loadA(uint32_t (&r)[4], uint32_t sAddress, int row, int k) {
  const int lane = laneIndex();
  if constexpr (layout == Depth::inner)
    loadMatrices(r, sAddress + chunkOffset<E, layout>(row + lane % 16, k / 8 + lane / 16));
  else
    loadMatricesTransposed(
        r, sAddress + chunkOffset<E, layout>(k + lane % 8 + lane / 16 * 8, row / 8 + lane / 8 % 2));
}

// 16 x 16 elements of B, 16 of the tile's columns: b0 and b1 of the first eight, then of the others.
template <Depth layout, typename E>
__device__ inline void loadB(uint32_t (&r)[4], uint32_t sAddress, int column, int k) {
  const int lane = laneIndex();
  if constexpr (layout == Depth::inner)
    loadMatrices(r, sAddress + chunkOffset<E, layout>(column + lane % 8 + lane / 16 * 8, k / 8 + lane / 8 % 2));
  else
    loadMatricesTransposed(r, sAddress + chunkOffset<E, layout>(k + lane % 16, column / 8 + lane / 16));
}

// A float32 as the sum of two tf32, to 22 bits.
struct SplitFloat {
  uint32_t high, low;
};

template <Depth layout>
__device__ inline SplitFloat loadSplit(const char* sOperand, int row, int k) {
  const int outer = layout == Depth::inner ? row : k, inner = layout == Depth::inner ? k : row;
  const float value =
      *reinterpret_cast<const float*>(sOperand + chunkOffset<float, layout>(outer, inner / 4) + inner % 4 * 4);
  const uint32_t high = roundToTf32(value);
  return {high, roundToTf32(value - __builtin_bit_cast(float, high))};
}

// One step: 16-bit elements.
template <Depth layoutA, Depth layoutB, typename E>
__device__ inline void multiplyStep(Accumulators& r, const char* sA, const char* sB, E) {
  const uint32_t aAddress = sharedAddress(sA), bAddress = sharedAddress(sB);
  const int row = Scores::warpDown() * Scores::kWarpRows, column = Scores::warpAcross() * Scores::kWarpColumns;
#pragma unroll
  for (int k = 0; k < kStep<E>; k += 16) {
    uint32_t rB[kFragmentsAcross / 2][4];
#pragma unroll
    for (int n = 0; n < kFragmentsAcross / 2; n++) loadB<layoutB, E>(rB[n], bAddress, column + 16 * n, k);
#pragma unroll
    for (int m = 0; m < kFragmentsDown; m++) {
      uint32_t rA[4];
      loadA<layoutA, E>(rA, aAddress, row + 16 * m, k);
#pragma unroll
      for (int n = 0; n < kFragmentsAcross; n++)
        multiplyAdd<E>(r[m][n], rA, rB[n / 2][n % 2 * 2], rB[n / 2][n % 2 * 2 + 1]);
    }
  }
}

// float32: three products of tf32, which leave out only that of the low parts, 2^-22 of the whole.
template <Depth layoutA, Depth layoutB>
__device__ inline void multiplyStep(Accumulators& r, const char* sA, const char* sB, float) {
  const int lane = laneIndex(), g = lane / 4, t = lane % 4;
  const int row = Scores::warpDown() * Scores::kWarpRows + g;
  const int column = Scores::warpAcross() * Scores::kWarpColumns + g;
#pragma unroll
  for (int k = 0; k < kStep<float>; k += 8) {
    SplitFloat rB[kFragmentsAcross][2];
#pragma unroll
    for (int n = 0; n < kFragmentsAcross; n++)
#pragma unroll
      for (int i = 0; i < 2; i++) rB[n][i] = loadSplit<layoutB>(sB, column + 8 * n, k + t + 4 * i);
#pragma unroll
    for (int m = 0; m < kFragmentsDown; m++) {
      uint32_t rHigh[4], rLow[4];
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const SplitFloat split = loadSplit<layoutA>(sA, row + 16 * m + i % 2 * 8, k + t + i / 2 * 4);
        rHigh[i] = split.high;
        rLow[i] = split.low;
      }
#pragma unroll
      for (int n = 0; n < kFragmentsAcross; n++) {
        multiplyAddTf32(r[m][n], rLow, rB[n][0].high, rB[n][1].high);
        multiplyAddTf32(r[m][n], rHigh, rB[n][0].low, rB[n][1].low);
        multiplyAddTf32(r[m][n], rHigh, rB[n][0].high, rB[n][1].high);
      }
    }
  }
}

// r = A B of one tile. `sMemory` [kProductBytes] is free again when the call returns.
template <Depth layoutA, Depth layoutB, typename E>
__device__ inline void multiplyTile(const Operand<E>& a, const Operand<E>& b, int64_t depth, char* sMemory,
                                    Accumulators& r) {
#pragma unroll
  for (int m = 0; m < kFragmentsDown; m++)
#pragma unroll
    for (int n = 0; n < kFragmentsAcross; n++)
#pragma unroll
      for (int i = 0; i < 4; i++) r[m][n][i] = 0;
  const int64_t steps = (depth + kStep<E> - 1) / kStep<E>;
  const auto copy = [&](int64_t step) {
    if (step < steps) {
      const uint32_t sAddress = sharedAddress(sMemory) + static_cast<uint32_t>(step % kStages) * kStageBytes;
      copyStep<layoutA>(a, step * kStep<E>, depth, sAddress);
      copyStep<layoutB>(b, step * kStep<E>, depth, sAddress + kOperandBytes);
    }
    commitCopies();  // an empty group keeps the count that waitCopies goes by
  };
#pragma unroll
  for (int step = 0; step < kStages - 1; step++) copy(step);
  for (int64_t step = 0; step < steps; step++) {
    waitCopies<kStages - 2>();
    __syncthreads();  // the step has landed for all, and all warps have read the stage of the step before
    copy(step + kStages - 1);
    const char* sStage = sMemory + step % kStages * kStageBytes;
    multiplyStep<layoutA, layoutB>(r, sStage, sStage + kOperandBytes, E{});
  }
  __syncthreads();  // all warps have read the last stage
}

// Tiles in groups of eight rows, column after column: what runs at the same time shares rows and columns.
struct TilePlace {
  int64_t row, column;
};

__device__ inline TilePlace tilePlaceOf(int64_t index, int64_t rows, int64_t columns) {
  constexpr int64_t kGroup = 8;
  const int64_t group = index / (kGroup * columns) * kGroup;
  const int64_t rowsOfGroup = min(kGroup, rows - group);
  const int64_t within = index % (kGroup * columns);
  return {group + within % rowsOfGroup, within / rowsOfGroup};
}

// A panel of a matrix of scores and the scaled rows that it comes from.
template <typename E>
struct ScoreOperands {
  const E *rows, *columns;  // [count, stride] of the whole matrix
  int64_t stride;
  int64_t tileRows, tileColumns;
};

template <typename E>
__device__ inline void multiplyScores(const ScorePanel& panel, const ScoreOperands<E>& operands,
                                      const TilePlace& place, char* sMemory, Accumulators& r) {
  const int64_t row = panel.rowBegin + place.row * kTile, column = panel.columnBegin + place.column * kTile;
  const Operand<E> a{operands.rows + row * operands.stride, operands.stride, panel.rows.count - row};
  const Operand<E> b{operands.columns + column * operands.stride, operands.stride,
                     panel.columns.count - column};
  multiplyTile<Depth::inner, Depth::inner>(a, b, operands.stride, sMemory, r);
}

// Two blocks of a multiprocessor hide each other's epilogue; float32 needs more registers than they have.
template <typename E>
constexpr int kBlocksTogether = sizeof(E) == 2 ? 2 : 1;

template <typename E>
struct SweepArgs {
  ScorePanel panel;
  ScoreOperands<E> operands;
  SweepOutput output;
};

// A block owns a tile of scores and the partial results of its rows and columns. Tiles below the diagonal of a
// symmetric matrix have nothing to do: those above it serve both. Bound by tensor cores where there are more
// than about 256 features, else by powers of 2, of which each score takes one where logits lie close together.
// Shared memory: the stages of the product, then in their place marks, room for reductions and references.
template <typename E>
__global__ void __launch_bounds__(kScoreThreads, kBlocksTogether<E>) sweepKernel(SweepArgs<E> args) {
  const TilePlace place = tilePlaceOf(blockIdx.x, args.operands.tileRows, args.operands.tileColumns);
  if (args.panel.kind == ScoreKind::own && place.column < place.row + args.panel.rowBegin / kTile) return;
  char* sMemory = sharedMemory<char>();
  Accumulators rScores;
  multiplyScores(args.panel, args.operands, place, sMemory, rScores);
  static_assert(kSweepBytes<Scores> <= kProductBytes);
  finishSweep(args.panel, args.output, place.row, place.column, Scores{rScores}, sMemory);
}

template <typename E>
struct PullArgs {
  ScorePanel panel;
  ScoreOperands<E> operands;
  PullOutput<E> output;
};

// A block owns a tile of the panel of gradients. Bounds and shared memory as above.
template <typename E>
__global__ void __launch_bounds__(kScoreThreads, kBlocksTogether<E>) pullKernel(PullArgs<E> args) {
  const auto& operands = args.operands;
  const TilePlace place = tilePlaceOf(blockIdx.x, operands.tileRows, operands.tileColumns);
  char* sMemory = sharedMemory<char>();
  Accumulators rScores;
  multiplyScores(args.panel, operands, place, sMemory, rScores);
  static_assert(kPullBytes <= kProductBytes);
  finishPulls(args.panel, args.output, place.row, place.column, operands.tileColumns, Scores{rScores}, sMemory);
}

// sums [count, features] = or += pulls [count, depth] others [depth, features], all three at a stride; or with
// the transpose of pulls [depth, count].
template <typename E>
struct Product {
  const E* pulls;
  const E* others;
  float* sums;
  int64_t pullStride, stride;
  int64_t count, depth;
  int64_t tiles;  // in all; 0 where there is no such product
  bool isTransposed, accumulates;
};

template <typename E>
struct ProductArgs {
  Product<E> products[2];
};

template <Depth layout, typename E>
__device__ inline void multiplyPulls(const Product<E>& product, const TilePlace& place, char* sMemory,
                                     Accumulators& r) {
  const int64_t row = place.row * kTile, column = place.column * kTile;
  const Operand<E> a{product.pulls + (layout == Depth::inner ? row * product.pullStride : row),
                     product.pullStride, product.count - row};
  const Operand<E> b{product.others + column, product.stride, product.stride - column};
  multiplyTile<layout, Depth::outer>(a, b, product.depth, sMemory, r);
}

// A block owns a tile of the sums of one of two products, which share a launch since neither alone fills the
// device. Bound by tensor cores. Shared memory: the stages of the product.
template <typename E>
__global__ void __launch_bounds__(kScoreThreads, kBlocksTogether<E>) productKernel(ProductArgs<E> args) {
  const bool isSecond = blockIdx.x >= args.products[0].tiles;
  const Product<E>& product = args.products[isSecond ? 1 : 0];
  const int64_t tileColumns = (product.stride + kTile - 1) / kTile;
  const TilePlace place = tilePlaceOf(int64_t{blockIdx.x} - (isSecond ? args.products[0].tiles : 0),
                                      product.tiles / tileColumns, tileColumns);
  char* sMemory = sharedMemory<char>();
  Accumulators r;
  if (product.isTransposed)
    multiplyPulls<Depth::outer>(product, place, sMemory, r);
  else
    multiplyPulls<Depth::inner>(product, place, sMemory, r);
#pragma unroll
  for (int m = 0; m < kFragmentsDown; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int64_t row = place.row * kTile + Scores::rowOf(m, half);
#pragma unroll
      for (int n = 0; n < kFragmentsAcross; n++) {
        const int64_t column = place.column * kTile + Scores::columnOf(n, 0);
        if (row >= product.count || column >= product.stride) continue;
        float* to = product.sums + row * product.stride + column;
        Pack<float, 2> rSums{{r[m][n][2 * half], r[m][n][2 * half + 1]}};
        if (product.accumulates) {
          const auto rBefore = loadPack<2>(to);
          rSums.values[0] += rBefore.values[0];
          rSums.values[1] += rBefore.values[1];
        }
        storePack(to, rSums);
      }
    }
}

}  // namespace
}  // namespace crossmap::cuda
