#pragma once
// Matrix products on the tensor cores of sm_80 and later, one tile of the product for each block of threads.
// What becomes of a tile is the caller's: fused ops pass an epilogue that gets the tile in registers.
//
//   c [m, n] = a [m, k] b [k, n], sums float32. bfloat16 and float16 are multiplied exactly (m16n8k16).
//   float32 is split in two numbers of 10 bits of fraction and multiplied three times (m16n8k8, "TF32x3"):
//   the errors are about those of float32 products.
//
// An operand lies in memory by lines (rows of a, columns of b) or by depth:
//   Contiguous::depth  [lines, depth]: a as [m, k], b as [n, k]
//   Contiguous::line   [depth, lines]: a as [k, m], b as [k, n]
// with any stride and any alignment; where 16-byte pieces are aligned, they are copied asynchronously.
//
// An epilogue is a struct that is copied to the kernel, with
//   template <typename Tile>
//   __device__ void operator()(const GemmBlock& block, const Accumulators<Tile>& rSums, char* sScratch)
//   const;
// called by all threads, once. sScratch is the block's shared memory, all of it free, at least
// Tile::kSharedBytes. Elements beyond block.rows and block.columns are products of zeros.
//
//   launchGemm<Contiguous::depth, Contiguous::depth, GemmTile<E, 128>>(stream, "linear", args, epilogue);
//
// Shared memory: kStages times a tile of a, then a tile of b; both 64 bytes deep. Pieces of 16 bytes lie
// where an exclusive or with the line or the depth puts them, so that loadMatrices finds its eight rows in
// eight different groups of banks: there are no bank conflicts.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "runtime/cuda/device/async-copy.cuh"
#include "runtime/cuda/device/matrix.cuh"
#include "runtime/cuda/device/numeric.cuh"
#include "runtime/cuda/device/pack.cuh"
#include "runtime/cuda/device/shared.cuh"
#include "runtime/cuda/device/warp.cuh"
#include "runtime/cuda/launch.h"
#include "runtime/numbers.h"

namespace crossmap::cuda {

enum class Contiguous { depth, line };

template <typename E>
struct GemmOperand {
  const E* data;
  int64_t stride;  // elements from one line, or one depth, to the next
  bool isWide;     // data and stride are multiples of 16 bytes
};

template <typename E>
GemmOperand<E> gemmOperand(const E* data, int64_t stride) {
  const auto address = reinterpret_cast<uintptr_t>(data);
  return {data, stride, address % 16 == 0 && stride * static_cast<int64_t>(sizeof(E)) % 16 == 0};
}

template <typename E>
struct GemmArgs {
  GemmOperand<E> a, b;
  int64_t m, n, k;
  // Counts that only the device knows, or null: of the rows and of the depth that are used, at most m and k.
  // Blocks without a used row leave before their epilogue.
  const int64_t* rowsUsed = nullptr;
  const int64_t* depthUsed = nullptr;
  int64_t splits = 1;  // parts of the depth; each has its own blocks
};

// The part of the product that a block has.
struct GemmBlock {
  int64_t row, column;  // of its first element
  int rows, columns;    // that exist; at most the tile's
  int64_t split;
};

// The shape of a block's work: kTile x kTile elements by 8 warps (128) or 4 (64), in stages of 64 bytes of
// depth.
template <typename Element, int tile>
struct GemmTile {
  static_assert(tile == 128 || tile == 64);
  using E = Element;
  static constexpr int kTile = tile;
  static constexpr int kWarpsDown = 2;
  static constexpr int kWarpsAcross = tile / 32;
  static constexpr int kThreads = kWarpsDown * kWarpsAcross * kWarpSize;
  static constexpr int kWarpRows = tile / kWarpsDown;
  static constexpr int kWarpColumns = tile / kWarpsAcross;
  static constexpr int kRowFragments = kWarpRows / 16;
  static constexpr int kColumnFragments = kWarpColumns / 8;
  // Of a multiprocessor: two hide each other's epilogue; float32 needs more registers than they have.
  static constexpr int kBlocks = sizeof(E) == 2 ? 2 : 1;
  static constexpr int kPiece = 16 / sizeof(E);  // elements of 16 bytes
  static constexpr int kDepth = 4 * kPiece;      // of a stage
  static constexpr int kSteps = 2;               // mma instructions over the depth of a stage
  static constexpr int kOperandBytes = tile * 64;
  static constexpr int kStageBytes = 2 * kOperandBytes;
  static constexpr int kStages = 4;
  static constexpr int kSharedBytes = kStages * kStageBytes;
};

// A thread's share of a tile: element e of fragment (i, j) stands at row rowOf(i, e / 2), column
// columnOf(j, e % 2) of the tile.
template <typename Tile>
struct Accumulators {
  float values[Tile::kRowFragments][Tile::kColumnFragments][4];

  __device__ static int rowOf(int i, int half) {
    return warpIndex() / Tile::kWarpsAcross * Tile::kWarpRows + 16 * i + 8 * half + laneIndex() / 4;
  }
  __device__ static int columnOf(int j, int odd) {
    return warpIndex() % Tile::kWarpsAcross * Tile::kWarpColumns + 8 * j + 2 * (laneIndex() % 4) + odd;
  }

  // Calls f(row, column, pair) for each two neighbouring elements of a row; column is even.
  template <typename F>
  __device__ void forEachPair(F&& f) const {
#pragma unroll
    for (int i = 0; i < Tile::kRowFragments; i++)
#pragma unroll
      for (int half = 0; half < 2; half++)
#pragma unroll
        for (int j = 0; j < Tile::kColumnFragments; j++)
          f(rowOf(i, half), columnOf(j, 0),
            Pack<float, 2>{{values[i][j][2 * half], values[i][j][2 * half + 1]}});
  }
};

// Where 16 bytes of an operand lie in its tile: `piece` counts along the contiguous axis.
template <typename Tile, Contiguous contiguous>
__device__ inline int pieceOffset(int outer, int piece) {
  if constexpr (contiguous == Contiguous::depth) {
    // Two lines fill the 128 bytes of all banks: lines 2, 4 and 6 further are moved to other pieces.
    return outer * 64 + ((piece ^ (outer >> 1 & 3)) << 4);
  } else {
    constexpr int kLineBytes = Tile::kTile * sizeof(typename Tile::E);
    // Eight depths are loaded at once as a matrix of 16-bit elements; of float32, four depths and two pieces.
    const int moved = sizeof(typename Tile::E) == 2 ? outer & 7 : 2 * (outer & 3);
    return outer * kLineBytes + ((piece ^ moved) << 4);
  }
}

// Starts the copy of a stage of one operand. `line` and `depth` are where it begins; what is not below
// `lines` and `depthEnd` becomes zeros.
template <typename Tile, Contiguous contiguous>
__device__ inline void loadOperand(const GemmOperand<typename Tile::E>& operand, int64_t line, int64_t lines,
                                   int64_t depth, int64_t depthEnd, char* sTile) {
  using E = typename Tile::E;
  constexpr bool isByLine = contiguous == Contiguous::line;
  constexpr int kPieces = isByLine ? Tile::kTile / Tile::kPiece : 4;  // of one outer index
  constexpr int kCount = Tile::kOperandBytes / 16;
  const int64_t outerBegin = isByLine ? depth : line, outerEnd = isByLine ? depthEnd : lines;
  const int64_t innerBegin = isByLine ? line : depth, innerEnd = isByLine ? lines : depthEnd;
#pragma unroll
  for (int i = 0; i < kCount / Tile::kThreads; i++) {
    const int at = static_cast<int>(threadIdx.x) + i * Tile::kThreads;
    const int outer = at / kPieces, piece = at % kPieces;
    const int64_t inner = innerBegin + piece * Tile::kPiece;
    const int64_t left = outerBegin + outer < outerEnd ? innerEnd - inner : 0;
    char* sPiece = sTile + pieceOffset<Tile, contiguous>(outer, piece);
    const E* gPiece = operand.data + (outerBegin + outer) * operand.stride + inner;
    if (left <= 0 || (operand.isWide && left >= Tile::kPiece)) {
      copyAsync16(sharedAddress(sPiece), left > 0 ? gPiece : operand.data, left > 0);
      continue;
    }
    Pack<E, Tile::kPiece> rPiece;
#pragma unroll
    for (int e = 0; e < Tile::kPiece; e++) rPiece.values[e] = e < left ? gPiece[e] : E{};
    storePack(reinterpret_cast<E*>(sPiece), rPiece);
  }
}

// A 16 x 16 (float32: 16 x 8) fragment of a, or two neighbouring fragments of b: registers 0 and 1, then 2
// and 3.
template <typename Tile, Contiguous contiguous, bool isA>
__device__ inline void loadFragment(const char* sTile, int line, int step, uint32_t (&r)[4]) {
  const int lane = laneIndex(), low = lane & 7, eight = lane >> 3 & 1, sixteen = lane >> 4;
  // Lanes 8 to 15 give the next 8 lines of a, but the next depth of b: as the registers follow each other.
  const int lineHalf = isA ? eight : sixteen, depthHalf = isA ? sixteen : eight;
  if constexpr (contiguous == Contiguous::depth) {
    loadMatrices(r, sharedAddress(sTile + pieceOffset<Tile, contiguous>(line + low + 8 * lineHalf,
                                                                        2 * step + depthHalf)));
  } else if constexpr (sizeof(typename Tile::E) == 2) {
    loadMatricesTransposed(
        r, sharedAddress(
               sTile + pieceOffset<Tile, contiguous>(16 * step + low + 8 * depthHalf, line / 8 + lineHalf)));
  } else {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int atLine = line + lane / 4 + 8 * (isA ? i & 1 : i >> 1);
      const int atDepth = 8 * step + lane % 4 + 4 * (isA ? i >> 1 : i & 1);
      r[i] = *reinterpret_cast<const uint32_t*>(sTile + pieceOffset<Tile, contiguous>(atDepth, atLine / 4) +
                                                4 * (atLine % 4));
    }
  }
}

// A float32 as the sum of two tf32. `finite` is `high`, and 0 where that is infinite or NaN: the products
// with `low` must not make NaN of infinity times 0.
template <int count>
struct Tf32Split {
  uint32_t high[count], low[count], finite[count];
};

template <int count>
__device__ inline void splitTf32(const uint32_t (&r)[count], Tf32Split<count>& to) {
#pragma unroll
  for (int i = 0; i < count; i++) {
    const float value = std::bit_cast<float>(r[i]);
    to.high[i] = roundToTf32(value);
    const bool isFinite = (to.high[i] & 0x7f800000u) != 0x7f800000u;
    to.low[i] = isFinite ? roundToTf32(value - std::bit_cast<float>(to.high[i])) : 0;
    to.finite[i] = isFinite ? to.high[i] : 0;
  }
}

// rSums += a b over one stage.
template <typename Tile, Contiguous a, Contiguous b>
__device__ inline void multiplyStage(const char* sA, const char* sB, Accumulators<Tile>& rSums) {
  using E = typename Tile::E;
  constexpr int kPairs = Tile::kColumnFragments / 2;
  const int row = warpIndex() / Tile::kWarpsAcross * Tile::kWarpRows;
  const int column = warpIndex() % Tile::kWarpsAcross * Tile::kWarpColumns;
#pragma unroll(sizeof(E) == 2 ? Tile::kSteps : 1)
  for (int step = 0; step < Tile::kSteps; step++) {
    uint32_t rB[kPairs][4];
#pragma unroll
    for (int pair = 0; pair < kPairs; pair++)
      loadFragment<Tile, b, false>(sB, column + 16 * pair, step, rB[pair]);
    if constexpr (sizeof(E) == 2) {
#pragma unroll
      for (int i = 0; i < Tile::kRowFragments; i++) {
        uint32_t rA[4];
        loadFragment<Tile, a, true>(sA, row + 16 * i, step, rA);
#pragma unroll
        for (int j = 0; j < Tile::kColumnFragments; j++)
          multiplyAdd<E>(rSums.values[i][j], rA, rB[j / 2][j % 2 * 2], rB[j / 2][j % 2 * 2 + 1]);
      }
    } else {
      Tf32Split<4> splitB[kPairs];
#pragma unroll
      for (int pair = 0; pair < kPairs; pair++) splitTf32(rB[pair], splitB[pair]);
#pragma unroll
      for (int i = 0; i < Tile::kRowFragments; i++) {
        uint32_t rA[4];
        Tf32Split<4> splitA;
        loadFragment<Tile, a, true>(sA, row + 16 * i, step, rA);
        splitTf32(rA, splitA);
#pragma unroll
        for (int j = 0; j < Tile::kColumnFragments; j++) {
          const Tf32Split<4>& each = splitB[j / 2];
          const int at = j % 2 * 2;
          float(&sums)[4] = rSums.values[i][j];
          multiplyAddTf32(sums, splitA.low, each.finite[at], each.finite[at + 1]);
          multiplyAddTf32(sums, splitA.finite, each.low[at], each.low[at + 1]);
          multiplyAddTf32(sums, splitA.high, each.high[at], each.high[at + 1]);
        }
      }
    }
  }
}

// Lines of an operand from `line` on, of which `lines` is the first that does not exist.
template <typename E>
struct TileOperand {
  GemmOperand<E> matrix;
  int64_t line, lines;
};

// The product of a tile over the depths from `begin`, a multiple of Tile::kDepth, to `end`. kStages - 1
// stages are on their way while one is multiplied. sMemory [Tile::kSharedBytes] is free again when the call
// returns.
template <typename Tile, Contiguous contiguousA, Contiguous contiguousB>
__device__ inline Accumulators<Tile> multiplyTile(const TileOperand<typename Tile::E>& a,
                                                  const TileOperand<typename Tile::E>& b, int64_t begin,
                                                  int64_t end, char* sMemory) {
  const int64_t stages = ceilDiv(end - begin, int64_t{Tile::kDepth});
  const auto loadStage = [&](int64_t stage) {
    if (stage < stages) {
      char* sStage = sMemory + stage % Tile::kStages * Tile::kStageBytes;
      const int64_t depth = begin + stage * Tile::kDepth;
      loadOperand<Tile, contiguousA>(a.matrix, a.line, a.lines, depth, end, sStage);
      loadOperand<Tile, contiguousB>(b.matrix, b.line, b.lines, depth, end, sStage + Tile::kOperandBytes);
    }
    commitCopies();  // an empty group too, so that waitCopies counts stages
  };
  Accumulators<Tile> rSums{};
#pragma unroll
  for (int stage = 0; stage < Tile::kStages - 1; stage++) loadStage(stage);
  for (int64_t stage = 0; stage < stages; stage++) {
    waitCopies<Tile::kStages - 2>();
    __syncthreads();  // this stage has landed for all threads, and all are done with the one before it
    loadStage(stage + Tile::kStages - 1);
    const char* sStage = sMemory + stage % Tile::kStages * Tile::kStageBytes;
    multiplyStage<Tile, contiguousA, contiguousB>(sStage, sStage + Tile::kOperandBytes, rSums);
  }
  __syncthreads();  // all warps have read the last stage
  return rSums;
}

// A tile of a matrix of tiles.
struct TilePlace {
  int64_t row, column;
};

// Blocks follow each other down groups of 8 rows of tiles: those that run together share operands in the
// cache.
__device__ inline TilePlace tilePlaceOf(int64_t index, int64_t rows, int64_t columns) {
  constexpr int64_t kGroup = 8;
  const int64_t group = index / (kGroup * columns) * kGroup;
  const int64_t rowsOfGroup = min(kGroup, rows - group);
  const int64_t within = index % (kGroup * columns);
  return {group + within % rowsOfGroup, within / rowsOfGroup};
}

template <typename Tile, typename E>
__device__ inline GemmBlock gemmBlock(const GemmArgs<E>& args, int64_t rowsUsed) {
  constexpr int64_t kTile = Tile::kTile;
  const TilePlace place = tilePlaceOf(blockIdx.x, ceilDiv(args.m, kTile), ceilDiv(args.n, kTile));
  const int64_t row = place.row * kTile, column = place.column * kTile;
  return {row, column, static_cast<int>(max(min(rowsUsed - row, kTile), int64_t{0})),
          static_cast<int>(min(args.n - column, kTile)), static_cast<int64_t>(blockIdx.y)};
}

// A block owns a tile of the product, or of one part of its depth. Bound by the tensor cores where m, n and k
// are some hundreds, else by reading the operands.
template <Contiguous a, Contiguous b, typename Tile, typename Epilogue>
__global__ void __launch_bounds__(Tile::kThreads, Tile::kBlocks)
    gemmKernel(GemmArgs<typename Tile::E> args, Epilogue epilogue) {
  auto* sMemory = sharedMemory<char>();
  const int64_t rowsUsed = args.rowsUsed ? *args.rowsUsed : args.m;
  const int64_t depthUsed = args.depthUsed ? *args.depthUsed : args.k;
  const GemmBlock block = gemmBlock<Tile>(args, rowsUsed);
  if (block.rows == 0) return;  // all threads of the block
  const int64_t depthOfSplit = ceilDiv(ceilDiv(depthUsed, int64_t{Tile::kDepth}), args.splits) * Tile::kDepth;
  const int64_t begin = min(block.split * depthOfSplit, depthUsed);
  const int64_t end = min(begin + depthOfSplit, depthUsed);
  const TileOperand<typename Tile::E> tileA{args.a, block.row, block.row + block.rows};
  const TileOperand<typename Tile::E> tileB{args.b, block.column, block.column + block.columns};
  const Accumulators<Tile> rSums = multiplyTile<Tile, a, b>(tileA, tileB, begin, end, sMemory);
  epilogue(block, rSums, sMemory);
}

// `sharedBytes`: what the epilogue needs, where that is more than the stages.
template <Contiguous a, Contiguous b, typename Tile, typename Epilogue>
void launchGemm(Stream& stream, const char* op, const GemmArgs<typename Tile::E>& args,
                const Epilogue& epilogue, int64_t sharedBytes = 0) {
  const int64_t tiles = ceilDiv(args.m, int64_t{Tile::kTile}) * ceilDiv(args.n, int64_t{Tile::kTile});
  launch(stream,
         {op, {tiles, args.splits}, Tile::kThreads, std::max<int64_t>(sharedBytes, Tile::kSharedBytes)},
         gemmKernel<a, b, Tile, Epilogue>, args, epilogue);
}

// Writes the product, or adds it to what is there (float32 only): c [m, n] with a stride; parts of the depth
// lie `splitStride` elements apart.
template <typename Out>
struct StoreProduct {
  Out* c;
  int64_t stride;
  int64_t splitStride = 0;
  bool isPaired = false;  // c and both strides are multiples of two elements
  bool accumulate = false;

  template <typename Tile>
  __device__ void operator()(const GemmBlock& block, const Accumulators<Tile>& rSums, char*) const {
    Out* gBlock = c + block.split * splitStride + block.row * stride + block.column;
    rSums.forEachPair([&](int row, int column, const Pack<float, 2>& pair) {
      if (row >= block.rows) return;
      Out* to = gBlock + row * stride + column;
      if (isPaired && column + 1 < block.columns) {
        Pack<Out, 2> out{{round<Out>(pair.values[0]), round<Out>(pair.values[1])}};
        if constexpr (sizeof(Out) == 4)
          if (accumulate) {
            const auto before = loadPack<2>(to);
            out.values[0] += before.values[0];
            out.values[1] += before.values[1];
          }
        storePack(to, out);
        return;
      }
#pragma unroll
      for (int e = 0; e < 2; e++) {
        if (column + e >= block.columns) break;
        if constexpr (sizeof(Out) == 4)
          to[e] = accumulate ? to[e] + pair.values[e] : pair.values[e];
        else
          to[e] = round<Out>(pair.values[e]);
      }
    });
  }
};

template <typename Out>
StoreProduct<Out> storeProduct(Out* c, int64_t stride) {
  const bool isPaired = reinterpret_cast<uintptr_t>(c) % (2 * sizeof(Out)) == 0 && stride % 2 == 0;
  return {c, stride, 0, isPaired, false};
}

}  // namespace crossmap::cuda
