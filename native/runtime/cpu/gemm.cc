#include "runtime/cpu/gemm.h"

#include <memory>

#include "runtime/cpu/gemm-bfloat16.h"
#include "runtime/cpu/gemm-micro.h"
#include "runtime/cpu/gemm-operands.h"
#include "runtime/cpu/gemm-plan.h"
#include "runtime/cpu/gemm-sums.h"
#include "runtime/cpu/gemm-tiles.h"
#include "runtime/cpu/kernel-scope.h"

namespace crossmap::cpu {

namespace {

constexpr MicroKernels kSingleKernels = vectorKernels<fma>(Panels::singles);

bool isBFloat16(const Product& product) {
  return product.a.dtype == DType::bfloat16 && product.b.dtype == DType::bfloat16;
}

const MicroKernels& vectorKernelsFor(const Product& product) {
  const MicroKernels* pairs = isBFloat16(product) ? pairKernels<kIsa>() : nullptr;
  return pairs ? *pairs : kSingleKernels;
}

// In smaller products the tiles' configuration takes longer than the sums: 16 x 16 x 16 is slower on them, 48
// x 48 x 48 faster, a single row in larger ones as fast as with vectors.
constexpr int64_t kLeastForTiles = 32 * 32 * 32;

const MicroKernels& kernelsFor(const Product& product) {
  const MicroKernels* tiles = isBFloat16(product) ? tileKernels<kIsa>() : nullptr;
  const bool isWorth = product.m * product.n >= ceilDiv(kLeastForTiles, product.k);
  return tiles && isWorth ? *tiles : vectorKernelsFor(product);
}

// c [rows, columns] (+)= alpha * a @ b of packed panels; only whole steps of c are written directly.
void multiplyPanels(const Gemm& gemm, int64_t rows, int64_t columns, MicroTile tile) {
  alignas(64) float edge[kMostMicroElements];
  const MicroShape& micro = gemm.micro;
  const MicroTile first = tile;
  for (int64_t column = 0; column < columns; column += micro.columns) {
    const int64_t width = std::min<int64_t>(micro.columns, columns - column);
    tile.b = first.b + column * first.words;
    for (int64_t row = 0; row < rows; row += micro.rows) {
      const int64_t height = std::min<int64_t>(micro.rows, rows - row);
      const MicroKernel kernel = gemm.kernels.kernel(height, width);
      float* c = first.c + row * first.strideC + column;
      tile.a = first.a + row * first.words;
      tile.c = c;
      if (height % micro.rowStep == 0 && width % micro.columnStep == 0) {
        kernel(tile);
        continue;
      }
      MicroTile apart = tile;
      apart.c = edge;
      apart.strideC = micro.columns;
      apart.add = false;
      kernel(apart);
      for (int64_t r = 0; r < height; r++)
        for (int64_t d = 0; d < width; d++)
          c[r * first.strideC + d] =
              edge[r * micro.columns + d] + (tile.add ? c[r * first.strideC + d] : 0.f);
    }
  }
}

// A tile of the super-block, over the blocks of k [firstBlock, endBlock). Its sums go to `c` of float32,
// which may be that of the product or our own.
struct TileTask {
  int64_t row, column;  // in the super-block
  int64_t rows, columns;
  int64_t firstBlock, endBlock;
  float* c;
  int64_t strideC;
  bool add;
  bool isStreamed;  // c is written past the caches
};

// The operands of block `index` of k, of the whole tile.
MicroTile operandsOf(const Gemm& gemm, const SuperBlock& block, const Packed& packed, const TileTask& task,
                     int64_t index) {
  const int64_t blockDepth = gemm.plan.blockDepth;
  const int64_t before = index * gemm.words(blockDepth);
  const int64_t words = gemm.words(std::min(blockDepth, block.depth - index * blockDepth));
  return {.words = words,
          .a = packed.a + before * roundUp(block.rows, gemm.micro.rows) + task.row * words,
          .b = packed.b + before * roundUp(block.columns, gemm.micro.columns) + task.column * words,
          .c = task.c,
          .strideC = task.strideC,
          .alpha = gemm.product.alpha,
          .add = task.add};
}

// Kernels of vectors: sums grow in c, block by block.
void multiplyInC(const Gemm& gemm, const SuperBlock& block, const Packed& packed, const TileTask& task) {
  for (int64_t index = task.firstBlock; index < task.endBlock; index++) {
    MicroTile tile = operandsOf(gemm, block, packed, task, index);
    tile.add |= index > task.firstBlock;
    multiplyPanels(gemm, task.rows, task.columns, tile);
  }
}

// Kernels of tiles: the sums of a micro-tile lie together, for rows of c that are a power of 2 apart would
// drive each other out of the caches; they go to c, of the type that it has, after the last block. That
// happens one micro-tile late, when the stores of the sums are done: a load cannot take them from the queue
// of stores.
template <typename E>
void multiplyApart(const Gemm& gemm, const SuperBlock& block, const Packed& packed, const TileTask& task,
                   E* c, int64_t strideC) {
  const MicroShape& micro = gemm.micro;
  const int64_t microElements = int64_t{micro.rows} * micro.columns;
  alignas(64) float alternating[2 * kMostMicroElements];
  std::unique_ptr<float[]> many;
  if (task.endBlock > task.firstBlock + 1)
    many = std::make_unique_for_overwrite<float[]>(
        static_cast<size_t>(roundUp(task.rows, micro.rows) * roundUp(task.columns, micro.columns)));
  FinishedSums<E> finished{};
  for (int64_t index = task.firstBlock; index < task.endBlock; index++) {
    const MicroTile whole = operandsOf(gemm, block, packed, task, index);
    int64_t micros = 0;
    for (int64_t column = 0; column < task.columns; column += micro.columns)
      for (int64_t row = 0; row < task.rows; row += micro.rows, micros++) {
        const int64_t width = std::min<int64_t>(micro.columns, task.columns - column);
        const int64_t height = std::min<int64_t>(micro.rows, task.rows - row);
        float* sums = many ? many.get() + micros * microElements : alternating + micros % 2 * microElements;
        E* to = c + row * strideC + column;
        if (index + 1 == task.endBlock && !task.isStreamed) prefetchToWrite(to, strideC, height);
        gemm.kernels.kernel(height, width)({.words = whole.words,
                                            .a = whole.a + row * whole.words,
                                            .b = whole.b + column * whole.words,
                                            .c = sums,
                                            .strideC = micro.columns,
                                            .alpha = 1,
                                            .add = index > task.firstBlock});
        if (index + 1 < task.endBlock) continue;
        if (micros > 0) writeSums(finished);
        finished = {sums,     micro.columns,   height, width,  gemm.product.alpha,
                    task.add, task.isStreamed, to,     strideC};
      }
  }
  writeSums(finished);
}

void multiplyTile(const Gemm& gemm, const SuperBlock& block, const Packed& packed, int64_t row,
                  int64_t column, int64_t split) {
  const GemmPlan& plan = gemm.plan;
  const Product& product = gemm.product;
  const int64_t blocks = ceilDiv(block.depth, plan.blockDepth);
  const int64_t perSplit = ceilDiv(plan.superDepth / plan.blockDepth, plan.splits);
  TileTask task{.row = row,
                .column = column,
                .rows = std::min(plan.tileRows, block.rows - row),
                .columns = std::min(plan.tileColumns, block.columns - column),
                .firstBlock = split * perSplit,
                .endBlock = std::min(blocks, (split + 1) * perSplit),
                .c = nullptr,
                .strideC = 0,
                .add = block.k > 0,
                .isStreamed = false};
  if (task.firstBlock >= task.endBlock) return;
  const KernelScope scope(gemm.kernels);
  const bool isApart = gemm.kernels.panels == Panels::tiles;
  if (gemm.sums == Sums::inScratch) {
    task.c = packed.scratch + (split * plan.superRows + row) * plan.superColumns + column;
    task.strideC = plan.superColumns;
    if (isApart) return multiplyApart(gemm, block, packed, task, task.c, task.strideC);
    return multiplyInC(gemm, block, packed, task);
  }
  task.add |= product.accumulate;
  task.isStreamed = !task.add && plan.superDepth >= product.k &&
                    product.m * product.n * sizeOf(product.dtypeC) > kMostCachedBytes;
  onFloatDType(product.dtypeC, [&]<typename E>(E) {
    E* c = static_cast<E*>(product.c) + (block.row + row) * product.strideC + block.column + column;
    if (isApart) return multiplyApart(gemm, block, packed, task, c, product.strideC);
    if constexpr (std::is_same_v<E, float>) {
      task.c = c;
      task.strideC = product.strideC;
      multiplyInC(gemm, block, packed, task);
    } else {
      const auto own = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(task.rows * task.columns));
      task.c = own.get();
      task.strideC = task.columns;
      multiplyInC(gemm, block, packed, task);
      for (int64_t r = 0; r < task.rows; r++)
        convertRow(c + r * product.strideC, own.get() + r * task.columns, task.columns);
    }
  });
}

// Threads have the parts of k each for themselves, then the longer side of c, of which each has packed its
// share.
void multiplySuperBlock(ThreadPool* pool, const Gemm& gemm, const SuperBlock& block, const Packed& packed) {
  const GemmPlan& plan = gemm.plan;
  const int64_t tileRows = ceilDiv(block.rows, plan.tileRows);
  const int64_t tileColumns = ceilDiv(block.columns, plan.tileColumns);
  const int64_t tiles = tileRows * tileColumns;
  share(pool, tiles * plan.splits, [&](int64_t task) {
    const int64_t tile = task % tiles;
    const bool isTall = block.rows > block.columns;
    const int64_t row = isTall ? tile / tileColumns : tile % tileRows;
    const int64_t column = isTall ? tile % tileColumns : tile / tileRows;
    multiplyTile(gemm, block, packed, row * plan.tileRows, column * plan.tileColumns, task / tiles);
  });
}

// Sums the parts of a super-block in their order.
template <typename E>
void finishRow(const Gemm& gemm, const SuperBlock& block, float* scratch, int64_t row) {
  const GemmPlan& plan = gemm.plan;
  float* sums = scratch + row * plan.superColumns;
  for (int64_t split = 1; split < plan.splits; split++) {
    const float* part = sums + split * plan.superRows * plan.superColumns;
    for (int64_t column = 0; column < block.columns; column++) sums[column] += part[column];
  }
  E* c = static_cast<E*>(gemm.product.c) + (block.row + row) * gemm.product.strideC + block.column;
  if constexpr (std::is_same_v<E, float>)
    if (gemm.product.accumulate)
      for (int64_t column = 0; column < block.columns; column++) sums[column] += c[column];
  convertRow(c, sums, block.columns);
}

void finish(ThreadPool* pool, const Gemm& gemm, const SuperBlock& block, const Packed& packed) {
  onFloatDType(gemm.product.dtypeC, [&]<typename E>(E) {
    share(pool, block.rows, [&](int64_t row) { finishRow<E>(gemm, block, packed.scratch, row); });
  });
}

void clear(const Product& product) {
  onFloatDType(product.dtypeC, [&]<typename E>(E) {
    for (int64_t row = 0; row < product.m; row++)
      std::fill_n(static_cast<E*>(product.c) + row * product.strideC, product.n, E{});
  });
}

}  // namespace

template <Isa isa>
int64_t gemmWorkspaceBytes(const Product& product) {
  if (product.m <= 0 || product.n <= 0 || product.k <= 0) return 0;
  // A smaller product may have other kernels.
  const auto words = [&](const MicroKernels& kernels) {
    return gemmWorkspaceWords(product.m, product.n, product.k, kernels.shape,
                              product.dtypeC != DType::float32);
  };
  return std::max(words(kernelsFor(product)), words(vectorKernelsFor(product))) * int64_t{sizeof(float)};
}

template <Isa isa>
void gemm(ThreadPool* pool, const Product& product, void* workspace) {
  if (product.m <= 0 || product.n <= 0) return;
  if (product.k <= 0) {
    if (!product.accumulate) clear(product);
    return;
  }
  const Gemm gemm(product, kernelsFor(product));
  const GemmPlan& plan = gemm.plan;
  auto* a = static_cast<float*>(workspace);
  const Packed packed{a, a + gemm.packedA(), a + gemm.packedA() + gemm.packedB()};
  // What is packed stays for the next super-block where that needs the same of a or b.
  int64_t rowOfA = -1;
  int64_t kOfA = -1;
  int64_t columnOfB = -1;
  int64_t kOfB = -1;
  for (int64_t column = 0; column < product.n; column += plan.superColumns)
    for (int64_t row = 0; row < product.m; row += plan.superRows) {
      SuperBlock block{row,    std::min(plan.superRows, product.m - row),
                       column, std::min(plan.superColumns, product.n - column),
                       0,      0};
      for (block.k = 0; block.k < product.k; block.k += plan.superDepth) {
        block.depth = std::min(plan.superDepth, product.k - block.k);
        pack(pool, gemm, block, packed, row != rowOfA || block.k != kOfA,
             column != columnOfB || block.k != kOfB);
        rowOfA = row;
        columnOfB = column;
        kOfA = kOfB = block.k;
        multiplySuperBlock(pool, gemm, block, packed);
      }
      if (gemm.sums == Sums::inScratch) finish(pool, gemm, block, packed);
    }
}

template <Isa isa>
bool multipliesBFloat16() {
  return pairKernels<kIsa>() || tileKernels<kIsa>();
}

template int64_t gemmWorkspaceBytes<kIsa>(const Product&);
template bool multipliesBFloat16<kIsa>();
template void gemm<kIsa>(ThreadPool*, const Product&, void*);

}  // namespace crossmap::cpu
