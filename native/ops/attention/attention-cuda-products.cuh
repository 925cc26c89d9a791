#pragma once
// Tiles in shared memory, and the two products that attention is made of, on tensor cores: scores of a strip
// of 16 owned rows with streamed rows, and sums of streamed rows weighted by what became of the scores.
//
// bfloat16 and float16 use m16n8k16. float32 uses m16n8k8 three times: with a = high + low in TF32 each, a b
// is high high + high low + low high to about 2^-22 of |a b|.
#include <bit>
#include <cstdint>
#include <type_traits>

#include "ops/attention/attention-cuda-plan.h"
#include "runtime/cuda/device/async-copy.cuh"
#include "runtime/cuda/device/matrix.cuh"
#include "runtime/cuda/device/numeric.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/device/warp.cuh"

namespace crossmap::cuda {
namespace {

// Rows of q, k, v or one of their gradients that belong to one head of keys: row r is that of token r /
// group, and of the head r % group from the first on.
template <typename E>
struct HeadRows {
  E* first;
  int64_t count;
  int64_t tokenStride;
  int group;
  int headDim;

  __device__ E* at(int64_t row) const {
    if (group == 1) return first + row * tokenStride;
    return first + row / group * tokenStride + row % group * headDim;
  }
};

// A tile of rows of `kChunks` pieces of 16 bytes. Eight rows of one column of pieces, which ldmatrix reads at
// a time, lie in eight different groups of four banks: rows of 128 bytes would all start in the same bank, so
// the column is turned by the row; of rows of 64 and 192 bytes two neighbours start half the banks apart, so
// it is turned every other row.
template <int kChunks>
__device__ inline int chunkOffset(int row, int chunk) {
  const int turn = kChunks % 8 == 0 ? row & 7 : row >> 1 & 3;
  return (row * kChunks + (chunk ^ turn)) * 16;
}

// The same of chunk `even | bits`, where `even` is a constant with zeros in the place of `bits`.
template <int kChunks>
__device__ inline int pairOffset(int row, int even, int bits) {
  const int turn = kChunks % 8 == 0 ? row & 7 : row >> 1 & 3;
  return row * kChunks * 16 + even / 8 * 128 + ((even % 8) ^ (bits ^ turn)) * 16;
}

// Starts to copy rows [firstRow, firstRow + tileRows) to a tile; what lies outside of the rows or of headDim
// is zero. `wide`: rows begin at multiples of 16 bytes and are as long, so that cp.async takes them;
// otherwise the copy is over when this returns. All threads of the block take part.
template <typename E, int kDim>
__device__ void loadTile(char* sTile, const HeadRows<const E>& rows, int64_t firstRow, int tileRows,
                         bool wide) {
  constexpr int kWidth = kPackWidth<E>;
  constexpr int kChunks = kDim / kWidth;
  const uint32_t address = sharedAddress(sTile);
  // Rows count from the token of the first one, so that a division by the group is one of 32 bits.
  const int64_t firstToken = rows.group == 1 ? firstRow : firstRow / rows.group;
  const auto firstMember = static_cast<int>(firstRow - firstToken * rows.group);
  const E* origin = rows.first + firstToken * rows.tokenStride;
  for (int index = static_cast<int>(threadIdx.x); index < tileRows * kChunks;
       index += static_cast<int>(blockDim.x)) {
    const int row = index / kChunks;
    const int chunk = index % kChunks;
    const int member = firstMember + row;
    const int token = rows.group == 1 ? row : member / rows.group;
    const E* from = origin + token * rows.tokenStride + int64_t{member - token * rows.group} * rows.headDim +
                    chunk * kWidth;
    const bool valid = firstRow + row < rows.count && chunk * kWidth < rows.headDim;
    if (wide) {
      copyAsync16(address + chunkOffset<kChunks>(row, chunk), valid ? from : rows.first, valid);
      continue;
    }
    Pack<E, kWidth> pack{};
    for (int d = 0; d < kWidth && valid && chunk * kWidth + d < rows.headDim; d++) pack.values[d] = from[d];
    storePack(reinterpret_cast<E*>(sTile + chunkOffset<kChunks>(row, chunk)), pack);
  }
}

// The first factor of a product: 16 rows and one step of the inner dimension, 32 bytes.
template <typename E>
struct LeftOperand {
  uint32_t r[4];
};
template <>
struct LeftOperand<float> {
  uint32_t high[4], low[4];
};

__device__ inline uint32_t lowPart(uint32_t bits, uint32_t high) {
  return roundToTf32(std::bit_cast<float>(bits) - std::bit_cast<float>(high));
}

template <typename E>
__device__ LeftOperand<E> leftOperand(const uint32_t (&bits)[4]) {
  LeftOperand<E> left;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if constexpr (std::is_same_v<E, float>) {
      left.high[i] = roundToTf32(std::bit_cast<float>(bits[i]));
      left.low[i] = lowPart(bits[i], left.high[i]);
    } else {
      left.r[i] = bits[i];
    }
  }
  return left;
}

// d[16, 8] += left b, in one step of the inner dimension.
template <typename E>
__device__ void multiplyStep(float (&d)[4], const LeftOperand<E>& left, uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<E, float>) {
    const uint32_t high0 = roundToTf32(std::bit_cast<float>(b0));
    const uint32_t high1 = roundToTf32(std::bit_cast<float>(b1));
    multiplyAddTf32(d, left.low, high0, high1);
    multiplyAddTf32(d, left.high, lowPart(b0, high0), lowPart(b1, high1));
    multiplyAddTf32(d, left.high, high0, high1);
  } else {
    multiplyAdd<E>(d, left.r, b0, b1);
  }
}

// Of the blocks that are streamed, each strip needs pieces of 16 rows: bit c stands for rows 16 c to 16 c
// + 15.
template <int kStrips>
struct PiecesNeeded {
  uint32_t bits[kStrips];

  __device__ bool has(int strip, int piece) const { return bits[strip] >> piece & 1; }
  __device__ bool someHas(int piece) const {
    bool some = false;
#pragma unroll
    for (int s = 0; s < kStrips; s++) some = some || has(s, piece);
    return some;
  }
};

template <int kStrips>
__device__ inline PiecesNeeded<kStrips> allPieces() {
  PiecesNeeded<kStrips> all;
#pragma unroll
  for (int s = 0; s < kStrips; s++) all.bits[s] = ~0u;
  return all;
}

// Accumulators of some strips of 16 rows and so many columns.
template <int kStrips, int kColumns>
struct StripTile {
  float values[kStrips][kColumns / 8][4];
};

// scores[strips, streamed] = owned rows . streamed rows; those of pieces that are not needed are zero. A
// strip's warp reads a streamed row once for all of its strips.
template <typename E, int kDim, int kStreamed, int kStrips>
__device__ void multiplyRows(StripTile<kStrips, kStreamed>& rScores, const char* sOwned, int ownedRow,
                             const char* sStreamed, int headDim, const PiecesNeeded<kStrips>& needed) {
  constexpr int kChunks = kDim / kPackWidth<E>;
  const int lane = laneIndex();
  const uint32_t owned = sharedAddress(sOwned);
  const uint32_t streamed = sharedAddress(sStreamed);
  const int leftRow = ownedRow + (lane & 15);
  const int rightRow = (lane & 7) + ((lane >> 4) << 3);
#pragma unroll
  for (int s = 0; s < kStrips; s++)
#pragma unroll
    for (int n = 0; n < kStreamed / 8; n++)
#pragma unroll
      for (int i = 0; i < 4; i++) rScores.values[s][n][i] = 0;
  const int steps = (headDim + 2 * kPackWidth<E> - 1) / (2 * kPackWidth<E>);
#pragma unroll(sizeof(E) == 2 ? 2 : 1)
  for (int step = 0; step < steps; step++) {
    LeftOperand<E> left[kStrips];
#pragma unroll
    for (int s = 0; s < kStrips; s++) {
      uint32_t bits[4];
      loadMatrices(bits, owned + chunkOffset<kChunks>(leftRow + kStripRows * s, 2 * step + (lane >> 4)));
      left[s] = leftOperand<E>(bits);
    }
#pragma unroll
    for (int c = 0; c < kStreamed / 16; c++) {
      if (!needed.someHas(c)) continue;  // the whole warp
      uint32_t right[4];
      loadMatrices(right, streamed + chunkOffset<kChunks>(16 * c + rightRow, 2 * step + (lane >> 3 & 1)));
#pragma unroll
      for (int s = 0; s < kStrips; s++) {
        if (!needed.has(s, c)) continue;  // the whole warp
        multiplyStep<E>(rScores.values[s][2 * c], left[s], right[0], right[1]);
        multiplyStep<E>(rScores.values[s][2 * c + 1], left[s], right[2], right[3]);
      }
    }
  }
}

// Where columns are cut into ranges, a range has every kRanges-th pair of pieces of 16 bytes: the swizzle of
// such a pair is an exclusive or of a constant and of what the lane knows, so that few addresses are held in
// registers. This is the first column of accumulator n of a range.
template <typename E, int kRanges>
__device__ constexpr int columnOf(int n, int range) {
  return sizeof(E) == 2 ? 16 * (n / 2 * kRanges + range) + 8 * (n & 1) : 8 * (n * kRanges + range);
}

// sums[strips, columns] += weights[strips, 16] . streamed rows [16, columns], for piece c of the weights,
// which are the accumulators of another product: what one product yields is what the first factor of the next
// one needs.
template <typename E, int kDim, int kRanges, int kStreamed, int kStrips>
__device__ void addWeighted(StripTile<kStrips, kDim / kRanges>& rSums,
                            const StripTile<kStrips, kStreamed>& rWeights, int c, const char* sStreamed,
                            int range, const PiecesNeeded<kStrips>& needed) {
  constexpr int kChunks = kDim / kPackWidth<E>;
  constexpr int kColumns = kDim / kRanges;
  const int lane = laneIndex();
  if constexpr (std::is_same_v<E, float>) {
    // The inner dimension may be taken in any order: its element t is streamed row 2 t, element t + 4 row
    // 2 t + 1, since these are the columns of the accumulators that the lane holds. Rows 0, 2, 4, 6 are
    // turned into eight different groups of banks, and so are rows 1, 3, 5, 7.
    const int column = lane >> 2;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      LeftOperand<E> left[kStrips];
#pragma unroll
      for (int s = 0; s < kStrips; s++) {
        const float(&w)[4] = rWeights.values[s][2 * c + half];
        left[s] = leftOperand<E>({std::bit_cast<uint32_t>(w[0]), std::bit_cast<uint32_t>(w[2]),
                                  std::bit_cast<uint32_t>(w[1]), std::bit_cast<uint32_t>(w[3])});
      }
      const int row = 16 * c + 8 * half + 2 * (lane & 3);
#pragma unroll
      for (int n = 0; n < kColumns / 8; n++) {
        const auto at = [&](int r) {
          const int offset =
              pairOffset<kChunks>(r, 2 * n * kRanges, 2 * range | column >> 2) + (column & 3) * 4;
          return std::bit_cast<uint32_t>(*reinterpret_cast<const float*>(sStreamed + offset));
        };
        const uint32_t right[2] = {at(row), at(row + 1)};
#pragma unroll
        for (int s = 0; s < kStrips; s++)
          if (needed.has(s, c)) multiplyStep<E>(rSums.values[s][n], left[s], right[0], right[1]);
      }
    }
  } else {
    LeftOperand<E> left[kStrips];
#pragma unroll
    for (int s = 0; s < kStrips; s++) {
      const float(&low)[4] = rWeights.values[s][2 * c];
      const float(&high)[4] = rWeights.values[s][2 * c + 1];
      left[s] = leftOperand<E>({packPair<E>(low[0], low[1]), packPair<E>(low[2], low[3]),
                                packPair<E>(high[0], high[1]), packPair<E>(high[2], high[3])});
    }
    const uint32_t streamed = sharedAddress(sStreamed);
    const int row = 16 * c + (lane & 15);
#pragma unroll
    for (int n = 0; n < kColumns / 8; n += 2) {
      uint32_t right[4];
      loadMatricesTransposed(right, streamed + pairOffset<kChunks>(row, n * kRanges, 2 * range | lane >> 4));
#pragma unroll
      for (int s = 0; s < kStrips; s++) {
        if (!needed.has(s, c)) continue;  // the whole warp
        multiplyStep<E>(rSums.values[s][n], left[s], right[0], right[1]);
        multiplyStep<E>(rSums.values[s][n + 1], left[s], right[2], right[3]);
      }
    }
  }
}

// Writes row lane / 4 + 8 * half of a strip's sums, times factor. `paired`: rows begin at multiples of two
// elements.
template <typename E, typename Input, int kRanges, int kAccumulators>
__device__ void storeSums(E* to, const float (&rSums)[kAccumulators][4], int half, float factor, int range,
                          int headDim, bool paired) {
#pragma unroll
  for (int n = 0; n < kAccumulators; n++) {
    const int column = columnOf<Input, kRanges>(n, range) + 2 * (laneIndex() & 3);
    if (column >= headDim) continue;
    const E low = round<E>(rSums[n][2 * half] * factor);
    const E high = round<E>(rSums[n][2 * half + 1] * factor);
    if (paired) {
      storePack(to + column, Pack<E, 2>{{low, high}});
    } else {
      to[column] = low;
      to[column + 1] = high;
    }
  }
}

// tanh(x) to about 2^-22 of 1, by the exponential function.
__device__ inline float tanhFast(float x) { return 1 - 2 / (1 + exp2Fast(2 * kLog2E * x)); }

}  // namespace
}  // namespace crossmap::cuda
