#pragma once
// The kernels that compute products: of scaled rows into scores, of the gradients of scores into those of
// rows.
#include <cstdint>

#include "ops/contrastive/contrastive-pulls-cuda.cuh"
#include "ops/contrastive/contrastive-sweep-cuda.cuh"
#include "runtime/cuda/gemm.cuh"

namespace crossmap::cuda {
namespace {

// Operands are laid out by the op itself, in whole pieces of 16 bytes. Products are by multiplyTile, not by
// launchGemm: tiles here may have nothing to do, share a launch with those of another product, and want two
// blocks on a multiprocessor.
template <typename E>
using ScoreTile = GemmTile<E, kTile>;

// A panel of a matrix of scores and the scaled rows that it comes from.
template <typename E>
struct ScoreOperands {
  const E *rows, *columns;  // [count, stride] of the whole matrix
  int64_t stride;
  int64_t tileRows, tileColumns;
};

template <typename E>
__device__ inline Accumulators<ScoreTile<E>> multiplyScores(const ScorePanel& panel,
                                                            const ScoreOperands<E>& operands,
                                                            const TilePlace& place, char* sMemory) {
  const TileOperand<E> a{
      {operands.rows, operands.stride, true}, panel.rowBegin + place.row * kTile, panel.rows.count};
  const TileOperand<E> b{{operands.columns, operands.stride, true},
                         panel.columnBegin + place.column * kTile,
                         panel.columns.count};
  return multiplyTile<ScoreTile<E>, Contiguous::depth, Contiguous::depth>(a, b, 0, operands.stride, sMemory);
}

// Two blocks of a multiprocessor hide each other's epilogue. The kernels whose epilogue is long need more
// registers than two blocks have, and so does float32.
template <typename E>
constexpr int kBlocksOf = sizeof(E) == 2 ? kBlocksTogether : 1;

template <typename E>
struct SweepArgs {
  ScorePanel panel;
  ScoreOperands<E> operands;
  SweepOutput output;
};

// A block owns a tile of scores and the partial results of its rows and columns. Tiles below the diagonal of
// a symmetric matrix have nothing to do: those above it serve both. Bound by tensor cores where there are
// more than about 256 features, else by powers of 2, of which each score takes one where logits lie close
// together. Shared memory: the stages of the product, then in their place marks, room for reductions and
// references.
template <typename E>
__global__ void __launch_bounds__(kScoreThreads) sweepKernel(SweepArgs<E> args) {
  const TilePlace place = tilePlaceOf(blockIdx.x, args.operands.tileRows, args.operands.tileColumns);
  if (args.panel.kind == ScoreKind::own && place.column < place.row + args.panel.rowBegin / kTile) return;
  char* sMemory = sharedMemory<char>();
  const auto rScores = multiplyScores(args.panel, args.operands, place, sMemory);
  static_assert(kSweepBytes<ScoreTile<E>> <= ScoreTile<E>::kSharedBytes);
  finishSweep(args.panel, args.output, place.row, place.column, rScores, sMemory);
}

// Of pulls in 16 bits the compiler may choose, and finds room for two without spills on sm_80 to sm_90a; of
// float32 it would spill on sm_120 for the sake of two.
template <typename E>
constexpr int kPullBlocksOf = sizeof(E) == 2 ? 0 : 1;

template <typename E>
struct PullArgs {
  ScorePanel panel;
  ScoreOperands<E> operands;
  PullOutput<E> output;
};

// A block owns a tile of the panel of gradients. Bounds and shared memory as above.
template <typename E>
__global__ void __launch_bounds__(kScoreThreads, kPullBlocksOf<E>) pullKernel(PullArgs<E> args) {
  const auto& operands = args.operands;
  const TilePlace place = tilePlaceOf(blockIdx.x, operands.tileRows, operands.tileColumns);
  char* sMemory = sharedMemory<char>();
  const auto rScores = multiplyScores(args.panel, operands, place, sMemory);
  static_assert(kPullBytes <= ScoreTile<E>::kSharedBytes);
  finishPulls(args.panel, args.output, place.row, place.column, operands.tileColumns, rScores, sMemory);
}

// sums [count, features] = or += pulls [count, depth] others [depth, features], all three at a stride; or
// with the transpose of pulls [depth, count].
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

template <Contiguous contiguous, typename E>
__device__ inline Accumulators<ScoreTile<E>> multiplyPulls(const Product<E>& product, const TilePlace& place,
                                                           char* sMemory) {
  // Rows and columns of pulls are zeros up to the end of their tiles.
  const TileOperand<E> a{
      {product.pulls, product.pullStride, true}, place.row * kTile, (place.row + 1) * kTile};
  const TileOperand<E> b{{product.others, product.stride, true}, place.column * kTile, product.stride};
  return multiplyTile<ScoreTile<E>, contiguous, Contiguous::line>(a, b, 0, product.depth, sMemory);
}

// A block owns a tile of the sums of one of two products, which share a launch since neither alone fills the
// device. Bound by tensor cores. Shared memory: the stages of the product.
template <typename E>
__global__ void __launch_bounds__(kScoreThreads, kBlocksOf<E>) productKernel(ProductArgs<E> args) {
  const bool isSecond = blockIdx.x >= args.products[0].tiles;
  const Product<E>& product = args.products[isSecond ? 1 : 0];
  const int64_t tileColumns = ceilDiv(product.stride, int64_t{kTile});
  const TilePlace place = tilePlaceOf(int64_t{blockIdx.x} - (isSecond ? args.products[0].tiles : 0),
                                      product.tiles / tileColumns, tileColumns);
  char* sMemory = sharedMemory<char>();
  const auto rSums = product.isTransposed ? multiplyPulls<Contiguous::line>(product, place, sMemory)
                                          : multiplyPulls<Contiguous::depth>(product, place, sMemory);
  rSums.forEachPair([&](int rowOfTile, int columnOfTile, Pack<float, 2> pair) {
    const int64_t row = place.row * kTile + rowOfTile, column = place.column * kTile + columnOfTile;
    if (row >= product.count || column >= product.stride) return;
    float* to = product.sums + row * product.stride + column;
    if (product.accumulates) {
      const auto rBefore = loadPack<2>(to);
      pair.values[0] += rBefore.values[0];
      pair.values[1] += rBefore.values[1];
    }
    storePack(to, pair);
  });
}

}  // namespace
}  // namespace crossmap::cuda
