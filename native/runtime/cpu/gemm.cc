#include "runtime/cpu/gemm.h"

#include <functional>
#include <memory>

#include "runtime/cpu/gemm-bfloat16.h"
#include "runtime/cpu/gemm-micro.h"
#include "runtime/cpu/gemm-pack.h"
#include "runtime/cpu/gemm-plan.h"

namespace crossmap::cpu {

namespace {

constexpr MicroKernels kSingleKernels = microKernels<fma>();

bool takesPairs(const Product& product) {
  return product.a.dtype == DType::bfloat16 && product.b.dtype == DType::bfloat16 && pairKernels<kIsa>();
}

// Where sums of products grow: c itself, or float32 of our own that c is made from at the end.
enum class Sums { inC, inTile, inScratch };

struct Gemm {
  const Product& product;
  bool pairs;
  int64_t wordElements;
  const MicroKernels& kernels;
  GemmPlan plan;
  Sums sums;

  explicit Gemm(const Product& product)
      : product(product),
        pairs(takesPairs(product)),
        wordElements(pairs ? 2 : 1),
        kernels(pairs ? *pairKernels<kIsa>() : kSingleKernels),
        plan(gemmPlan(product.m, product.n, product.k, wordElements)),
        sums(chooseSums()) {}

  int64_t words(int64_t depth) const { return ceilDiv(depth, wordElements); }
  // Rounded up, so that the panels of b start a cache line like those of a.
  int64_t packedA() const { return roundUp(plan.superRows * words(plan.superDepth), kMicroColumns); }
  int64_t packedB() const { return plan.superColumns * words(plan.superDepth); }
  int64_t scratch() const {
    return sums == Sums::inScratch ? plan.splits * plan.superRows * plan.superColumns : 0;
  }

 private:
  Sums chooseSums() const {
    const bool once = plan.splits == 1 && plan.superDepth >= product.k;
    if (product.dtypeC == DType::float32 && plan.splits == 1) return Sums::inC;
    return once ? Sums::inTile : Sums::inScratch;
  }
};

// The part of c that is computed with one packing of a and b.
struct SuperBlock {
  int64_t row, rows;
  int64_t column, columns;
  int64_t k, depth;
};

void share(ThreadPool* pool, int64_t count, const std::function<void(int64_t)>& body) {
  const auto range = [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; index++) body(index);
  };
  if (pool)
    pool->parallelFor(count, 1, range);
  else
    range(0, count);
}

// Packed operands: block of k after block of k, in each the panels. The words of blocks before come first.
template <int width>
void packOperandPanel(const Gemm& gemm, const Matrix& matrix, bool alongK, int64_t line, int64_t lines,
                      int64_t panel, const SuperBlock& block, float* packed, int64_t packedLines) {
  const int64_t blockWords = gemm.words(gemm.plan.blockDepth);
  for (int64_t k = 0, index = 0; k < block.depth; k += gemm.plan.blockDepth, index++) {
    const int64_t depth = std::min(gemm.plan.blockDepth, block.depth - k);
    const Slab slab{matrix, alongK, line + panel * width, lines - panel * width, block.k + k, depth};
    float* to = packed + index * blockWords * packedLines + panel * width * gemm.words(depth);
    if (gemm.pairs)
      packPanel<Pairs, width>(slab, to);
    else
      onFloatDType(matrix.dtype, [&]<typename E>(E) { packPanel<Singles<E>, width>(slab, to); });
  }
}

struct Packed {
  float* a;
  float* b;
  float* scratch;
};

void pack(ThreadPool* pool, const Gemm& gemm, const SuperBlock& block, const Packed& packed, bool alsoA,
          bool alsoB) {
  const Product& product = gemm.product;
  const int64_t panelsA = alsoA ? ceilDiv(block.rows, kMicroRows) : 0;
  const int64_t panelsB = alsoB ? ceilDiv(block.columns, kMicroColumns) : 0;
  share(pool, panelsA + panelsB, [&](int64_t panel) {
    if (panel < panelsA)
      packOperandPanel<kMicroRows>(gemm, product.a, !product.a.transposed, block.row, product.m - block.row,
                                   panel, block, packed.a, roundUp(block.rows, kMicroRows));
    else
      packOperandPanel<kMicroColumns>(gemm, product.b, product.b.transposed, block.column,
                                      product.n - block.column, panel - panelsA, block, packed.b,
                                      roundUp(block.columns, kMicroColumns));
  });
}

// c [rows, columns] (+)= alpha * a @ b of packed panels; only whole vectors of c are written directly.
void multiplyPanels(const Gemm& gemm, int64_t rows, int64_t columns, MicroTile tile) {
  alignas(64) float edge[kMicroRows * kMicroColumns];
  const MicroTile first = tile;
  for (int64_t column = 0; column < columns; column += kMicroColumns) {
    const int64_t width = std::min<int64_t>(kMicroColumns, columns - column);
    const int64_t vectors = ceilDiv(width, kLanes);
    tile.b = first.b + column * first.words;
    for (int64_t row = 0; row < rows; row += kMicroRows) {
      const int64_t height = std::min<int64_t>(kMicroRows, rows - row);
      const MicroKernel kernel =
          gemm.kernels[static_cast<size_t>(height - 1)][static_cast<size_t>(vectors - 1)];
      float* c = first.c + row * first.strideC + column;
      tile.a = first.a + row * first.words;
      tile.c = c;
      if (width == vectors * kLanes) {
        kernel(tile);
        continue;
      }
      MicroTile apart = tile;
      apart.c = edge;
      apart.strideC = kMicroColumns;
      apart.add = false;
      kernel(apart);
      for (int64_t r = 0; r < height; r++)
        for (int64_t d = 0; d < width; d++)
          c[r * first.strideC + d] =
              edge[r * kMicroColumns + d] + (tile.add ? c[r * first.strideC + d] : 0.f);
    }
  }
}

template <typename E>
void convertRow(E* to, const float* from, int64_t count) {
  int64_t at = 0;
  for (; at + kLanes <= count; at += kLanes) store(to + at, load(from + at));
  if (at < count) storePartial(to + at, loadPartial(from + at, count - at), count - at);
}

// A tile of the super-block, over the blocks of k that its part takes.
void multiplyTile(const Gemm& gemm, const SuperBlock& block, const Packed& packed, int64_t row,
                  int64_t column, int64_t split) {
  const GemmPlan& plan = gemm.plan;
  const Product& product = gemm.product;
  const int64_t rows = std::min(plan.tileRows, block.rows - row);
  const int64_t columns = std::min(plan.tileColumns, block.columns - column);
  const int64_t blocks = ceilDiv(block.depth, plan.blockDepth);
  const int64_t perSplit = ceilDiv(plan.superDepth / plan.blockDepth, plan.splits);

  std::unique_ptr<float[]> own;
  MicroTile tile{.words = 0,
                 .a = nullptr,
                 .b = nullptr,
                 .c = nullptr,
                 .strideC = 0,
                 .alpha = product.alpha,
                 .add = block.k > 0};
  switch (gemm.sums) {
    case Sums::inC:
      tile.c = static_cast<float*>(product.c) + (block.row + row) * product.strideC + block.column + column;
      tile.strideC = product.strideC;
      tile.add |= product.accumulate;
      break;
    case Sums::inTile:
      own = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(rows * columns));
      tile.c = own.get();
      tile.strideC = columns;
      break;
    case Sums::inScratch:
      tile.c = packed.scratch + (split * plan.superRows + row) * plan.superColumns + column;
      tile.strideC = plan.superColumns;
      break;
  }

  for (int64_t index = split * perSplit; index < std::min(blocks, (split + 1) * perSplit); index++) {
    const int64_t before = index * gemm.words(plan.blockDepth);
    tile.words = gemm.words(std::min(plan.blockDepth, block.depth - index * plan.blockDepth));
    tile.a = packed.a + before * roundUp(block.rows, kMicroRows) + row * tile.words;
    tile.b = packed.b + before * roundUp(block.columns, kMicroColumns) + column * tile.words;
    multiplyPanels(gemm, rows, columns, tile);
    tile.add = true;
  }

  if (gemm.sums == Sums::inTile)
    onFloatDType(product.dtypeC, [&]<typename E>(E) {
      E* c = static_cast<E*>(product.c) + (block.row + row) * product.strideC + block.column + column;
      for (int64_t r = 0; r < rows; r++)
        convertRow(c + r * product.strideC, own.get() + r * columns, columns);
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
  const int64_t words = gemmWorkspaceWords(product.m, product.n, product.k, takesPairs(product) ? 2 : 1,
                                           product.dtypeC != DType::float32);
  return words * int64_t{sizeof(float)};
}

template <Isa isa>
void gemm(ThreadPool* pool, const Product& product, void* workspace) {
  if (product.m <= 0 || product.n <= 0) return;
  if (product.k <= 0) {
    if (!product.accumulate) clear(product);
    return;
  }
  const Gemm gemm(product);
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
        const int64_t tileRows = ceilDiv(block.rows, plan.tileRows);
        const int64_t tileColumns = ceilDiv(block.columns, plan.tileColumns);
        share(pool, tileRows * tileColumns * plan.splits, [&](int64_t task) {
          const int64_t row = task % tileRows * plan.tileRows;
          const int64_t column = task / tileRows % tileColumns * plan.tileColumns;
          multiplyTile(gemm, block, packed, row, column, task / (tileRows * tileColumns));
        });
      }
      if (gemm.sums == Sums::inScratch) finish(pool, gemm, block, packed);
    }
}

template int64_t gemmWorkspaceBytes<kIsa>(const Product&);
template void gemm<kIsa>(ThreadPool*, const Product&, void*);

}  // namespace crossmap::cpu
