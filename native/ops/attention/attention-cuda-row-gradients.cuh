#pragma once
// What a tile of keys gives to the gradients of the rows that pass by: dScores . keys, where dScores [keys,
// rows] are spread over the registers of all warps. They go through shared memory, the warps share the
// product among them, and add it to sums in global memory in their block's turn.
#include "ops/attention/attention-cuda-backward-rows.cuh"
#include "runtime/cuda/device/ordered.cuh"

namespace crossmap::cuda {
namespace {

// dScores in shared memory: pieces of 16 keys and 16 rows one after the other, by strip of keys, then by
// piece of rows; in a piece the rows of a key lie side by side.
//
// Eight rows of a key are one chunk of 16 bytes, or two of float32. Accumulators are written, and the first
// factor of the product is read, 8 chunks of 8 keys at a time, or 2 chunks of 4 keys: of keys 0 to 3, 4 to 7
// when written, of every other key when read (see addWeighted). All of these lie in different groups of
// banks.
template <typename E, int kStreamed>
struct DScoreTile {
  static constexpr int kRowPieces = kStreamed / 16;
  static constexpr int kPieceBytes = 16 * 16 * static_cast<int>(sizeof(E));
  char* sTile;

  // Of rows 8 * half to 8 * half + 7 of the piece.
  __device__ char* at(int strip, int piece, int key, int half) const {
    const int inPiece = sizeof(E) == 2 ? (2 * key + (half ^ (key >> 2 & 1))) * 16
                                       : (key >> 1) * 128 + ((2 * (key & 1) + half) ^ (key >> 1 & 3)) * 32;
    return sTile + (strip * kRowPieces + piece) * kPieceBytes + inPiece;
  }

  // Piece c of a strip's accumulators.
  __device__ void store(int strip, int c, const float (&rDScores)[kStreamed / 8][4]) const {
#pragma unroll
    for (int n = 0; n < 2; n++)
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const float(&values)[4] = rDScores[2 * c + n];
        char* to = at(strip, c, laneIndex() / 4 + 8 * half, n) + 2 * (laneIndex() & 3) * sizeof(E);
        storePack(reinterpret_cast<E*>(to),
                  Pack<E, 2>{{round<E>(values[2 * half]), round<E>(values[2 * half + 1])}});
      }
  }
};

// sums [16 rows of piece c, 16 columns of each pair] += dScores . keys, over one strip of keys.
template <typename E, int kDim, int kRanges, int kStreamed, int kPairs>
__device__ void addKeys(float (&rSums)[2 * kPairs][4], const DScoreTile<E, kStreamed>& dScores, int c,
                        const char* sKeys, int strip, int firstPair, int range) {
  constexpr int kChunks = kDim / kPackWidth<E>;
  const int lane = laneIndex();
  if constexpr (std::is_same_v<E, float>) {
#pragma unroll 1  // on sm_120, both halves at once would spill
    for (int half = 0; half < 2; half++) {
      const int key = 8 * half + 2 * (lane & 3);
      const auto left = [&](int k, int rows) {
        return *reinterpret_cast<const uint32_t*>(dScores.at(strip, c, k, rows) + lane / 4 * 4);
      };
      const LeftOperand<E> operand =
          leftOperand<E>({left(key, 0), left(key, 1), left(key + 1, 0), left(key + 1, 1)});
#pragma unroll
      for (int n = 0; n < 2 * kPairs; n++) {
        const int column = columnOf<E, kRanges>(2 * firstPair + n, range) + lane / 4;
        const auto right = [&](int k) {
          return *reinterpret_cast<const uint32_t*>(
              sKeys + chunkOffset<kChunks>(strip * kStripRows + k, column / 4) + column % 4 * 4);
        };
        multiplyStep<E>(rSums[n], operand, right(key), right(key + 1));
      }
    }
  } else {
    uint32_t bits[4];
    loadMatricesTransposed(bits,
                           sharedAddress(dScores.at(strip, c, (lane & 7) + (lane >> 4 << 3), lane >> 3 & 1)));
    const LeftOperand<E> left = leftOperand<E>(bits);
    const int key = strip * kStripRows + (lane & 15);
#pragma unroll
    for (int pair = 0; pair < kPairs; pair++) {
      const int chunk = 2 * ((firstPair + pair) * kRanges + range) + (lane >> 4);
      uint32_t right[4];
      loadMatricesTransposed(right, sharedAddress(sKeys + chunkOffset<kChunks>(key, chunk)));
      multiplyStep<E>(rSums[2 * pair], left, right[0], right[1]);
      multiplyStep<E>(rSums[2 * pair + 1], left, right[2], right[3]);
    }
  }
}

// Adds a warp's sums of 16 rows to `to` [rows, headDim], or puts them there.
template <typename E, int kRanges, int kPairs>
__device__ void addSums(float* to, int rows, int headDim, const float (&rSums)[2 * kPairs][4], int firstPair,
                        int range, bool isFirst) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int row = laneIndex() / 4 + 8 * half;
    if (row >= rows) continue;
#pragma unroll
    for (int n = 0; n < 2 * kPairs; n++) {
      const int column = columnOf<E, kRanges>(2 * firstPair + n, range) + 2 * (laneIndex() & 3);
      if (column >= headDim) continue;
      float* at = to + row * headDim + column;
      Pack<float, 2> sum{{rSums[n][2 * half], rSums[n][2 * half + 1]}};
      if (!isFirst) {
        const Pack<float, 2> before = loadPack<2>(at);
        sum.values[0] += before.values[0];
        sum.values[1] += before.values[1];
      }
      storePack(at, sum);
    }
  }
}

// What a block owns. It stays in shared memory: what follows from it, computed once, would be held in
// registers that the sums need.
struct alignas(16) Place {
  int32_t tile, kvHead, range;
  int32_t unused;

  // A constant where there is one range.
  template <int kRanges>
  __device__ int rangeOf() const {
    return kRanges == 1 ? 0 : range;
  }
};

// One block of rows that passes by a tile of keys.
template <typename E, int kDim>
struct RowGradientStep {
  static constexpr int kStreamed = streamedRows(AttentionPass::backward, kDim* static_cast<int>(sizeof(E)));
  DScoreTile<E, kStreamed> dScores;
  const uint32_t* masks;  // in shared memory: bit c of strip s, whether there is that piece of dScores
  const char* sKeys;
  int keys;                  // of the tile
  const SpanList* visitors;  // of the rows, in shared memory
  Place place;
  int block;
};

// Adds dScores . keys to the sums of the rows, when all tiles behind this one that visit them have done so.
// Ends with a barrier: all warps have read dScores. The warps share the pieces of 16 rows and some pairs of
// 16 columns; where there are more than warps, the rest is computed in the turn.
template <typename E, int kDim, bool masked>
__device__ void addRowGradients(const BackwardArgs<E>& args, const RowGradientStep<E, kDim>& step) {
  constexpr int kStreamed = RowGradientStep<E, kDim>::kStreamed;
  constexpr int kRanges = columnRanges(kDim);
  constexpr int kMostWarps = mostThreads(AttentionPass::backward, sizeof(E), kDim) / kWarpSize;
  constexpr int kRowPieces = kStreamed / 16;
  constexpr int kColumnPairs = kDim / kRanges / 16;
  constexpr int kPairs = (kRowPieces * kColumnPairs + kMostWarps - 1) / kMostWarps;
  static_assert(kColumnPairs % kPairs == 0);
  constexpr int kItems = kRowPieces * kColumnPairs / kPairs;
  const AttentionArgs<E>& a = args.common;
  const int range = step.place.template rangeOf<kRanges>();
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  uint32_t* turn = args.turns + ((range * a.kvHeads + step.place.kvHead) * args.rowBlocks + step.block);
#pragma unroll 1
  for (int base = 0; base < kItems; base += warps) {
    const int item = base + warpIndex();
    const int c = item % kRowPieces;
    const int firstPair = item / kRowPieces * kPairs;
    float rSums[2 * kPairs][4] = {};
    bool some = false;
    for (int strip = 0; strip < step.keys / kStripRows && item < kItems; strip++) {
      if (masked && !(step.masks[strip] >> c & 1)) continue;  // the whole warp
      some = true;
      addKeys<E, kDim, kRanges, kStreamed, kPairs>(rSums, step.dScores, c, step.sKeys, strip, firstPair,
                                                   range);
    }
    const int rank = blocksAfter(loadWhole(step.visitors), args.visitorSpans, step.place.tile);
    if (base == 0) waitForTurn(turn, static_cast<uint32_t>(rank));
    if (item >= kItems || !(some || rank == 0)) continue;  // the whole warp
    const int64_t row = int64_t{step.block} * kStreamed + 16 * c;
    const auto rows = static_cast<int>(min(a.rows - row, int64_t{16}));
    addSums<E, kRanges, kPairs>(args.dqSums + (step.place.kvHead * a.rows + row) * a.headDim, rows, a.headDim,
                                rSums, firstPair, range, rank == 0);
  }
  passTurn(turn);
}

}  // namespace
}  // namespace crossmap::cuda
