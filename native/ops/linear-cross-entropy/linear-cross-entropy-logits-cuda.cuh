#pragma once
// From the logits of a chunk of tokens to the loss and to the gradients of the logits.
#include <bit>
#include <cstdint>
#include <limits>

#include "ops/linear-cross-entropy/linear-cross-entropy-tokens-cuda.cuh"
#include "runtime/cuda/gemm.cuh"

namespace crossmap::cuda {
namespace {

// What all tokens have in common.
struct LossOptions {
  int64_t vocab;
  double labelSmoothing;
  double zLoss;
  float softcap;         // 0: none
  float inverseSoftcap;  // 0 where there is none

  __device__ float capped(float logit) const {
    return softcap > 0 ? softcap * tanhf(logit * inverseSoftcap) : logit;
  }
};

// Of one row and the columns of one tile: the greatest logit, the sum of e^(logit - it), that of the logits.
// An infinite greatest logit is not subtracted: -inf - -inf is NaN.
struct PartialSoftmax {
  float most, sumExp, sumLogits;
};

__device__ inline float shiftOf(float most) { return fabsf(most) == kInfinity ? 0 : most; }

// Epilogue of hidden weight^T: softmax sums of each row over the tile's columns, and the logits themselves
// where they are stored.
//
// Shared memory: PartialSoftmax [Tile::kWarpsAcross][Tile::kTile], of the columns of each warp. Rows are 3
// banks apart, so that 32 of them meet no conflict.
struct SoftmaxOfTile {
  LossOptions options;
  const int32_t* targets;    // [rows]
  float* targetLogits;       // [rows]
  PartialSoftmax* partials;  // [tiles across, rowStride]
  int64_t rowStride;
  float* logits;  // [rows, logitStride], or null
  int64_t logitStride;

  template <typename Tile>
  __device__ void operator()(const GemmBlock& block, const Accumulators<Tile>& rSums, char* sScratch) const {
    auto* sPartials = reinterpret_cast<PartialSoftmax*>(sScratch);
    const int warpAcross = warpIndex() % Tile::kWarpsAcross;
#pragma unroll
    for (int i = 0; i < Tile::kRowFragments; i++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = rSums.rowOf(i, half);
        float rLogits[Tile::kColumnFragments][2];
        float sumLogits = 0;
#pragma unroll
        for (int j = 0; j < Tile::kColumnFragments; j++)
#pragma unroll
          for (int e = 0; e < 2; e++) {
            const bool isLogit = rSums.columnOf(j, e) < block.columns;
            rLogits[j][e] = isLogit ? options.capped(rSums.values[i][j][2 * half + e]) : -kInfinity;
            if (isLogit) sumLogits += rLogits[j][e];
          }
        const PartialSoftmax partial = partialSoftmax(rLogits, sumLogits);
        if (laneIndex() % 4 == 0) sPartials[warpAcross * Tile::kTile + row] = partial;
        if (row >= block.rows) continue;
        const int64_t atRow = block.row + row;
        const int64_t target = targets[atRow] - block.column;
#pragma unroll
        for (int j = 0; j < Tile::kColumnFragments; j++) {
          const int column = rSums.columnOf(j, 0);
          if (target == column) targetLogits[atRow] = rLogits[j][0];
          if (target == column + 1) targetLogits[atRow] = rLogits[j][1];
          // The stride is even, so the second of a pair is inside the row's memory.
          if (logits && column < block.columns)
            storePack(logits + atRow * logitStride + block.column + column,
                      Pack<float, 2>{{rLogits[j][0], rLogits[j][1]}});
        }
      }
    __syncthreads();  // the sums of all warps are written
    if (static_cast<int>(threadIdx.x) >= block.rows) return;
    storeMerged<Tile>(block, sPartials + threadIdx.x);
  }

 private:
  // Over the columns of a warp; all four lanes of a row get it.
  template <int fragments>
  __device__ static PartialSoftmax partialSoftmax(const float (&rLogits)[fragments][2], float sumLogits) {
    float most = -kInfinity;
#pragma unroll
    for (int j = 0; j < fragments; j++) most = fmaxf(most, fmaxf(rLogits[j][0], rLogits[j][1]));
    most = quadMax(most);
    const float shift = shiftOf(most);
    float sumExp = 0;
#pragma unroll
    for (int j = 0; j < fragments; j++)
#pragma unroll
      for (int e = 0; e < 2; e++) sumExp += exp2Fast((rLogits[j][e] - shift) * kLog2E);
    return {most, quadSum(sumExp), quadSum(sumLogits)};
  }

  template <typename Tile>
  __device__ void storeMerged(const GemmBlock& block, const PartialSoftmax* sRow) const {
    float most = -kInfinity;
#pragma unroll
    for (int warp = 0; warp < Tile::kWarpsAcross; warp++) most = fmaxf(most, sRow[warp * Tile::kTile].most);
    const float shift = shiftOf(most);
    float sumExp = 0, sumLogits = 0;
#pragma unroll
    for (int warp = 0; warp < Tile::kWarpsAcross; warp++) {
      const PartialSoftmax each = sRow[warp * Tile::kTile];
      if (each.sumExp != 0) sumExp += each.sumExp * exp2Fast((shiftOf(each.most) - shift) * kLog2E);
      sumLogits += each.sumLogits;
    }
    partials[block.column / Tile::kTile * rowStride + block.row + threadIdx.x] = {most, sumExp, sumLogits};
  }
};

// What a row needs to make gradients of its logits.
struct RowGradient {
  float lse;
  float share;   // of e^(logit - lse)
  float factor;  // weight / normalizer
  int32_t target;
};

// Gradients of logits are rounded to E between the products. bfloat16 has the range of float32; float16 has
// not, and those of a mean over many tokens would vanish: so they are multiplied by a power of two that
// brings the chunk's bound to at most 2^15. What is 2^29 times smaller then still has all bits of fraction.
template <typename E>
struct GradientScale {
  float up = 1, down = 1;

  __device__ explicit GradientScale(const float* bound) {
    if constexpr (std::is_same_v<E, Float16>) {
      const int exponent = static_cast<int>(std::bit_cast<uint32_t>(*bound) >> 23) - 127;
      const int shift = *bound > 0 ? max(min(14 - exponent, 100), -100) : 0;
      up = std::bit_cast<float>(static_cast<uint32_t>(127 + shift) << 23);
      down = std::bit_cast<float>(static_cast<uint32_t>(127 - shift) << 23);
    }
  }
};

// The gradient of the loss with respect to products hidden . weight, from the logits that they became.
struct LogitGradient {
  float lse, share, onTarget, spread, inverseSoftcap;

  __device__ LogitGradient(const RowGradient& row, const LossOptions& options, float scale)
      : lse(row.lse),
        share(row.share * scale),
        onTarget(row.factor * scale * static_cast<float>(1 - options.labelSmoothing)),
        spread(row.factor * scale *
               static_cast<float>(options.labelSmoothing / static_cast<double>(options.vocab))),
        inverseSoftcap(options.inverseSoftcap) {}

  __device__ float operator()(float logit, bool isTarget) const {
    const float capped = logit * inverseSoftcap;
    const float dLogit = share * exp2Fast((logit - lse) * kLog2E) - spread - (isTarget ? onTarget : 0);
    return dLogit * (1 - capped * capped);
  }
};

// Epilogue of hidden weight^T over a group of columns of the vocabulary, once the statistics of the rows are
// known.
template <typename E>
struct GradientOfTile {
  LossOptions options;
  const RowGradient* rows;  // [rows]
  const float* bound;       // []
  int64_t firstColumn;      // of the group
  E* gradients;             // [rows, stride]
  int64_t stride;           // even

  template <typename Tile>
  __device__ void operator()(const GemmBlock& block, const Accumulators<Tile>& rSums, char*) const {
    const GradientScale<E> scale(bound);
#pragma unroll
    for (int i = 0; i < Tile::kRowFragments; i++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const int row = rSums.rowOf(i, half);
        if (row >= block.rows) continue;
        const RowGradient rRow = loadPack<1>(rows + block.row + row).values[0];
        const LogitGradient gradient(rRow, options, scale.up);
        const int64_t target = rRow.target - firstColumn - block.column;
        E* gRow = gradients + (block.row + row) * stride + block.column;
#pragma unroll
        for (int j = 0; j < Tile::kColumnFragments; j++) {
          const int column = rSums.columnOf(j, 0);
          if (column >= block.columns) continue;
          Pack<E, 2> rPair;
#pragma unroll
          for (int e = 0; e < 2; e++)
            rPair.values[e] =
                round<E>(gradient(options.capped(rSums.values[i][j][2 * half + e]), column + e == target));
          storePack(gRow + column, rPair);
        }
      }
  }
};

struct RowLossArgs {
  LossOptions options;
  const PartialSoftmax* partials;  // [tiles, rowStride]
  int64_t tiles, rowStride;
  const float* targetLogits;  // [rows]
  const int32_t* targets;     // [rows]
  const int32_t* order;       // [rows]
  const float* weights;       // [tokens], or null: all 1
  const double* scale;        // []
  const int64_t* rowsUsed;    // []
  double* losses;             // [rows]
  float* logProbabilities;    // [tokens], or null
  RowGradient* gradients;     // [rows], or null
  float* bound;               // []
};

// A softmax sum to which others are added: sum e^logit = sumExp e^shift.
struct SoftmaxSum {
  float shift = 0;
  double sumExp = 0, sumLogits = 0;

  __device__ void add(float otherShift, double otherExp, double otherLogits) {
    sumLogits += otherLogits;
    if (otherExp == 0) return;
    if (sumExp == 0) {
      shift = otherShift;
      sumExp = otherExp;
    } else if (otherShift > shift) {
      sumExp = sumExp * static_cast<double>(expf(shift - otherShift)) + otherExp;
      shift = otherShift;
    } else {
      sumExp += otherExp * static_cast<double>(expf(otherShift - shift));
    }
  }
};

constexpr int kLossRows = kWarpSize;  // of a block: a lane for each
constexpr int kLossParts = 8;         // of the tiles: a warp for each
constexpr int kLossThreads = kLossRows * kLossParts;
constexpr int64_t kLossSharedBytes = kLossThreads * int64_t{sizeof(SoftmaxSum)};

// A block owns kLossRows rows: it adds up their tiles' sums, each warp every so many of them, in order. Bound
// by reading the sums, 12 bytes for each row and tile.
//
// Shared memory: SoftmaxSum [kLossParts][kLossRows].
__global__ void __launch_bounds__(kLossThreads) rowLossKernel(RowLossArgs args) {
  const int64_t first = int64_t{blockIdx.x} * kLossRows;
  const int64_t rowsUsed = *args.rowsUsed;
  if (first >= rowsUsed) return;  // the whole block
  auto* sSums = sharedMemory<SoftmaxSum>();
  const int64_t row = first + laneIndex();
  SoftmaxSum sum;
  if (row < rowsUsed)
    for (int64_t tile = warpIndex(); tile < args.tiles; tile += kLossParts) {
      const PartialSoftmax part = args.partials[tile * args.rowStride + row];
      sum.add(shiftOf(part.most), static_cast<double>(part.sumExp), static_cast<double>(part.sumLogits));
    }
  sSums[threadIdx.x] = sum;
  __syncthreads();  // all parts are written
  if (warpIndex() != 0 || row >= rowsUsed) return;
#pragma unroll
  for (int part = 1; part < kLossParts; part++) {
    const SoftmaxSum& other = sSums[part * kLossRows + laneIndex()];
    sum.add(other.shift, other.sumExp, other.sumLogits);
  }

  const LossOptions& options = args.options;
  const int64_t t = args.order[row];
  const double lse = static_cast<double>(sum.shift) + log(sum.sumExp);
  const auto targetLogit = static_cast<double>(args.targetLogits[row]);
  const double smoothing = options.labelSmoothing;
  // Without smoothing a logit of -inf must not make NaN of 0 * -inf.
  const double mean = smoothing == 0 ? 0 : sum.sumLogits / static_cast<double>(options.vocab);
  const double factor = (args.weights ? static_cast<double>(args.weights[t]) : 1) * *args.scale;
  args.losses[row] =
      factor * (lse - (1 - smoothing) * targetLogit - smoothing * mean + options.zLoss * lse * lse);
  if (args.logProbabilities) args.logProbabilities[t] = static_cast<float>(targetLogit - lse);
  if (!args.gradients) return;
  args.gradients[row] = {static_cast<float>(lse), static_cast<float>(factor * (1 + 2 * options.zLoss * lse)),
                         static_cast<float>(factor), args.targets[row]};
  // A maximum is the same in any order; so is that of the bits of floats that are not negative.
  const auto bound = static_cast<float>(fabs(factor) * (2 + 2 * options.zLoss * fabs(lse)));
  if (bound < kInfinity) atomicMax(reinterpret_cast<int32_t*>(args.bound), std::bit_cast<int32_t>(bound));
}

template <typename E>
struct StoredGradientArgs {
  LossOptions options;
  const float* logits;      // [rows, stride]
  E* gradients;             // [rows, stride]; of float32 the logits themselves
  int64_t stride;           // a multiple of 16 bytes of E
  const RowGradient* rows;  // [rows]
  const int64_t* rowsUsed;  // []
  const float* bound;       // []
  int64_t partsOfRow;       // blocks for each row
};

constexpr int kGradientThreads = 256;
constexpr int kGradientWidth = 4;
constexpr int64_t kGradientsOfBlock = int64_t{kGradientThreads} * kGradientWidth * 4;

// A block owns kGradientsOfBlock neighbouring logits of a row. Bound by memory, which is a cache where the
// chunk fits.
template <typename E>
__global__ void __launch_bounds__(kGradientThreads) storedGradientKernel(StoredGradientArgs<E> args) {
  const int64_t row = blockIdx.x / args.partsOfRow;
  if (row >= *args.rowsUsed) return;
  const int64_t begin = blockIdx.x % args.partsOfRow * kGradientsOfBlock;
  const int64_t end = min(begin + kGradientsOfBlock, args.options.vocab);
  const RowGradient rRow = loadPack<1>(args.rows + row).values[0];
  const LogitGradient gradient(rRow, args.options, GradientScale<E>(args.bound).up);
  const float* gLogits = args.logits + row * args.stride;
  E* gGradients = args.gradients + row * args.stride;
  for (int64_t v = begin + int64_t{threadIdx.x} * kGradientWidth; v < end;
       v += kGradientThreads * kGradientWidth) {
    if (v + kGradientWidth <= end) {
      const auto rLogits = loadPack<kGradientWidth>(gLogits + v);
      Pack<E, kGradientWidth> rGradients;
#pragma unroll
      for (int i = 0; i < kGradientWidth; i++)
        rGradients.values[i] = round<E>(gradient(rLogits.values[i], v + i == rRow.target));
      storePack(gGradients + v, rGradients);
      continue;
    }
    for (int64_t at = v; at < end; at++) gGradients[at] = round<E>(gradient(gLogits[at], at == rRow.target));
  }
}

// Epilogue of the products of gradients: float32 rows, written or added to, without the scale of E.
template <typename E>
struct StoreGradient {
  float* to;  // [.., stride]
  int64_t stride;
  const int32_t* rows;      // [rows] where each goes, or null: as they are
  const float* bound;       // []
  const int64_t* rowsUsed;  // [] of the chunk: without any there is nothing to add
  bool isPaired;            // `to` and the stride are multiples of two elements
  bool accumulate;

  template <typename Tile>
  __device__ void operator()(const GemmBlock& block, const Accumulators<Tile>& rSums, char*) const {
    if (accumulate && *rowsUsed == 0) return;
    const float scale = GradientScale<E>(bound).down;
    rSums.forEachPair([&](int row, int column, Pack<float, 2> pair) {
      if (row >= block.rows || column >= block.columns) return;
      const int64_t atRow = block.row + row;
      float* gPair = to + (rows ? rows[atRow] : atRow) * stride + block.column + column;
      if (isPaired && column + 1 < block.columns) {
        const auto before = accumulate ? loadPack<2>(gPair) : Pack<float, 2>{};
#pragma unroll
        for (int e = 0; e < 2; e++) pair.values[e] = before.values[e] + pair.values[e] * scale;
        storePack(gPair, pair);
        return;
      }
#pragma unroll
      for (int e = 0; e < 2; e++) {
        if (column + e >= block.columns) break;
        gPair[e] = (accumulate ? gPair[e] : 0) + pair.values[e] * scale;
      }
    });
  }
};

struct SumLossesArgs {
  const double* losses;  // [tokens], of which the first `count` are written
  const int64_t* count;  // []
  float* loss;           // []
};

constexpr int kSumThreads = 1024;

// One block. Shared memory: [32] double, of blockSum.
__global__ void __launch_bounds__(kSumThreads) sumLossesKernel(SumLossesArgs args) {
  double sum = 0;
  for (int64_t row = threadIdx.x; row < *args.count; row += kSumThreads) sum += args.losses[row];
  sum = blockSum(sum, sharedMemory<double>());
  if (threadIdx.x == 0) *args.loss = static_cast<float>(sum);
}

}  // namespace
}  // namespace crossmap::cuda
