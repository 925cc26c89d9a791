#pragma once
// How AMX tiles are set up. Kernels only, within the files that AMX is enabled for.
#include <cstdint>

namespace crossmap::cpu {
namespace {

constexpr int kTileRows = 16;
constexpr int kTileColumns = 16;
constexpr int kTileRowBytes = 64;  // 16 words of two bfloat16, or 16 sums

// As LDTILECFG reads it.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1;
  uint8_t startRow = 0;
  uint8_t reserved[14] = {};
  uint16_t rowBytes[16] = {};
  uint8_t rows[16] = {};
};

constexpr TileConfiguration kEightWholeTiles = [] {
  TileConfiguration configuration;
  for (int tile = 0; tile < 8; tile++) {
    configuration.rowBytes[tile] = kTileRowBytes;
    configuration.rows[tile] = kTileRows;
  }
  return configuration;
}();

// A product of up to two tiles of rows and two of columns, from words of two bfloat16.
struct TileProduct {
  int64_t words;  // along the depth, a multiple of kTileRows
  const float* a;
  int64_t strideA;  // of rows, in words; so are the others
  int64_t stepA;    // from words of a row to those that follow them, kTileRows at a time
  const float* b;
  int64_t strideB;
  float* c;
  int64_t strideC;
  bool add;  // to what c holds
};

// Tiles 0 to 3 hold sums, 4 and 5 rows of a, 6 and 7 columns of b.
template <bool down, bool across>
inline void multiplyTiles(const TileProduct& product) {
  constexpr auto kWordBytes = static_cast<int64_t>(sizeof(float));
  const int64_t strideA = product.strideA * kWordBytes;
  const int64_t strideB = product.strideB * kWordBytes;
  const int64_t strideC = product.strideC * kWordBytes;
  const float* a = product.a;
  const float* b = product.b;
  float* const c = product.c;
  float* const lowerC = c + kTileRows * product.strideC;
  if (product.add) {
    _tile_loadd(0, c, strideC);
    if constexpr (across) _tile_loadd(1, c + kTileColumns, strideC);
    if constexpr (down) _tile_loadd(2, lowerC, strideC);
    if constexpr (down && across) _tile_loadd(3, lowerC + kTileColumns, strideC);
  } else {
    _tile_zero(0);
    if constexpr (across) _tile_zero(1);
    if constexpr (down) _tile_zero(2);
    if constexpr (down && across) _tile_zero(3);
  }
  for (int64_t word = 0; word < product.words; word += kTileRows) {
    _tile_loadd(6, b, strideB);
    _tile_loadd(4, a, strideA);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (across) {
      _tile_loadd(7, b + kTileColumns, strideB);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (down) {
      _tile_loadd(5, a + kTileRows * product.strideA, strideA);
      _tile_dpbf16ps(2, 5, 6);
    }
    if constexpr (down && across) _tile_dpbf16ps(3, 5, 7);
    a += product.stepA;
    b += kTileRows * product.strideB;
  }
  _tile_stored(0, c, strideC);
  if constexpr (across) _tile_stored(1, c + kTileColumns, strideC);
  if constexpr (down) _tile_stored(2, lowerC, strideC);
  if constexpr (down && across) _tile_stored(3, lowerC + kTileColumns, strideC);
}

// Between products tiles are released: while they are configured the system saves 8 KB at each switch of
// threads, and another library of the thread would find them in its way.
inline void enterTiles() { _tile_loadconfig(&kEightWholeTiles); }
inline void leaveTiles() { _tile_release(); }

}  // namespace
}  // namespace crossmap::cpu
