// ldmatrix and mma.sync, with the fragments of the PTX ISA (runtime/cuda/device/matrix.cuh shows them).
#include <cstdio>

#include "runtime/dtype.h"
#include "runtime/simt/access.h"
#include "runtime/simt/language.h"
#include "runtime/simt/warp.h"

namespace simt {

namespace {

// Whether all 32 lanes are there: ended lanes have given no fragment.
void requireWholeWarp(const char* what, Place place) {
  Thread& me = currentThread();
  if (me.warp->alive == 0xffffffffu) return;
  reportAt(me, "divergent warp instruction", place,
           std::string(what) + " by a warp of which lanes have ended");
  me.block->abandon();
}

struct Load {
  uint32_t* results;
  uint32_t address;
  int count;
  bool isTransposed;
  const void* instruction;
};

// The row at the address that the lane gives; refused where it is no row of 16 bytes in shared memory.
const uint16_t* rowAt(Block& block, const Load& load, Thread& lane) {
  if (load.address % 16 != 0) {
    char text[96];
    std::snprintf(text, sizeof text, "a matrix row at shared address 0x%x, which is no multiple of 16",
                  load.address);
    refuse(lane, "misaligned access", load.instruction, text);
  }
  if (block.checks)
    accessShared(lane, load.address, 16, Did::read, load.instruction);
  else if (load.address > kArenaBytes - 16)
    block.abandon();
  return reinterpret_cast<const uint16_t*>(block.arena + load.address);
}

void loadAll(Block& block, Meeting& meeting) {
  block.counts.matrixLoads++;
  const uint32_t first = currentThread().number / 32 * 32;
  const auto& any = argumentOf<Load>(meeting, __builtin_ctz(meeting.arrived));
  for (int matrix = 0; matrix < any.count; matrix++) {
    const uint16_t* rows[8];
    uint32_t addresses[8];
    for (int row = 0; row < 8; row++) {
      const int lane = matrix * 8 + row;
      const auto& load = argumentOf<Load>(meeting, lane);
      addresses[row] = load.address;
      rows[row] = rowAt(block, load, block.thread(first + static_cast<uint32_t>(lane)));
    }
    if (block.profiles) countMatrixRows(block.counts, addresses);
    for (int lane = 0; lane < 32; lane++) {
      const auto& load = argumentOf<Load>(meeting, lane);
      const int g = lane / 4;
      const int t = lane % 4;
      load.results[matrix] = any.isTransposed ? rows[2 * t][g] | uint32_t{rows[2 * t + 1][g]} << 16
                                              : rows[g][2 * t] | uint32_t{rows[g][2 * t + 1]} << 16;
    }
  }
}

}  // namespace

void loadMatrices(uint32_t* results, int count, uint32_t address, bool isTransposed, const char* file,
                  int line) {
  requireWholeWarp("ldmatrix", {file, line});
  Load mine{results, address, count, isTransposed, __builtin_return_address(0)};
  meet(0xffffffffu, loadAll, &mine, "ldmatrix", {file, line});
}

// ---- products

namespace {

struct Product {
  float* d;
  const uint32_t* a;
  uint32_t b0, b1;
  MatrixKind kind;
};

inline float low(uint32_t pair) { return crossmap::toFloat(crossmap::BFloat16{static_cast<uint16_t>(pair)}); }
inline float high(uint32_t pair) {
  return crossmap::toFloat(crossmap::BFloat16{static_cast<uint16_t>(pair >> 16)});
}
inline float halfLow(uint32_t pair) {
  return crossmap::toFloat(crossmap::Float16{static_cast<uint16_t>(pair)});
}
inline float halfHigh(uint32_t pair) {
  return crossmap::toFloat(crossmap::Float16{static_cast<uint16_t>(pair >> 16)});
}

// The 13 lowest bits of a factor are not looked at.
inline float truncated(uint32_t bits) {
  bits &= 0xffffe000u;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

using Row = float __attribute__((vector_size(32)));

struct alignas(64) Tiles {
  float a[16][16];
  Row b[16];  // by k
  Row d[16];
};

template <float (*low)(uint32_t), float (*high)(uint32_t)>
void unpackPairs(const Product& lane, int g, int t, Tiles& tiles) {
  for (int i = 0; i < 4; i++) {
    float* at = &tiles.a[g + i % 2 * 8][2 * t + i / 2 * 8];
    at[0] = low(lane.a[i]);
    at[1] = high(lane.a[i]);
  }
  tiles.b[2 * t][g] = low(lane.b0);
  tiles.b[2 * t + 1][g] = high(lane.b0);
  tiles.b[2 * t + 8][g] = low(lane.b1);
  tiles.b[2 * t + 9][g] = high(lane.b1);
}

void unpackTf32(const Product& lane, int g, int t, Tiles& tiles) {
  tiles.a[g][t] = truncated(lane.a[0]);
  tiles.a[g + 8][t] = truncated(lane.a[1]);
  tiles.a[g][t + 4] = truncated(lane.a[2]);
  tiles.a[g + 8][t + 4] = truncated(lane.a[3]);
  tiles.b[t][g] = truncated(lane.b0);
  tiles.b[t + 4][g] = truncated(lane.b1);
}

#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default"), noinline))
#endif
void multiplyTiles(Tiles& tiles, int depth) {
  for (int row = 0; row < 16; row++) {
    Row sum = tiles.d[row];
    for (int k = 0; k < depth; k++) sum += tiles.a[row][k] * tiles.b[k];
    tiles.d[row] = sum;
  }
}

void multiplyAll(Block& block, Meeting& meeting) {
  Tiles tiles;
  const MatrixKind kind = argumentOf<Product>(meeting, __builtin_ctz(meeting.arrived)).kind;
  block.counts.products[static_cast<int>(kind)]++;
  for (int lane = 0; lane < 32; lane++) {
    const auto& each = argumentOf<Product>(meeting, lane);
    const int g = lane / 4;
    const int t = lane % 4;
    if (kind == MatrixKind::bfloat16)
      unpackPairs<low, high>(each, g, t, tiles);
    else if (kind == MatrixKind::float16)
      unpackPairs<halfLow, halfHigh>(each, g, t, tiles);
    else
      unpackTf32(each, g, t, tiles);
    for (int i = 0; i < 4; i++) tiles.d[g + i / 2 * 8][2 * t + i % 2] = each.d[i];
  }
  multiplyTiles(tiles, kind == MatrixKind::tf32 ? 8 : 16);
  for (int lane = 0; lane < 32; lane++) {
    const auto& each = argumentOf<Product>(meeting, lane);
    for (int i = 0; i < 4; i++) each.d[i] = tiles.d[lane / 4 + i / 2 * 8][2 * (lane % 4) + i % 2];
  }
}

}  // namespace

void multiplyAdd(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, MatrixKind kind,
                 const char* file, int line) {
  requireWholeWarp("mma", {file, line});
  Product mine{d, a, b0, b1, kind};
  meet(0xffffffffu, multiplyAll, &mine, "mma", {file, line});
}

}  // namespace simt
