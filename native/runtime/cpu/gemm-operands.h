#pragma once
// A product on its way through super-blocks, and the packing of their operands by all threads. Kernels only.
#include <functional>

#include "runtime/cpu/gemm-pack.h"
#include "runtime/cpu/gemm-plan.h"
#include "runtime/cpu/thread-pool.h"

namespace crossmap::cpu {
namespace {

// Where sums of products grow: c itself, or float32 of our own that c is made from at the end.
enum class Sums { inC, inTile, inScratch };

struct Gemm {
  const Product& product;
  const MicroKernels& kernels;
  const MicroShape& micro;
  GemmPlan plan;
  Sums sums;

  Gemm(const Product& product, const MicroKernels& kernels)
      : product(product),
        kernels(kernels),
        micro(kernels.shape),
        plan(gemmPlan(product.m, product.n, product.k, micro)),
        sums(chooseSums()) {}

  int64_t words(int64_t depth) const { return roundUp(ceilDiv(depth, micro.wordElements), micro.wordStep); }
  // Rounded up, so that the panels of b start a cache line like those of a.
  int64_t packedA() const { return roundUp(plan.superRows * words(plan.superDepth), micro.columns); }
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

inline void share(ThreadPool* pool, int64_t count, const std::function<void(int64_t)>& body) {
  const auto range = [&](int64_t begin, int64_t end) {
    for (int64_t index = begin; index < end; index++) body(index);
  };
  if (pool)
    pool->parallelFor(count, 1, range);
  else
    range(0, count);
}

enum class Operand { a, b };

template <Operand operand>
void packPart(const Gemm& gemm, const Slab& slab, const PackedPart& part, float* to) {
  constexpr int width = operand == Operand::a ? kMicroRows : kMicroColumns;
  if (gemm.kernels.panels == Panels::singles)
    return onFloatDType(slab.matrix.dtype,
                        [&]<typename E>(E) { packPanels<Singles<E>, width>(slab, part, to); });
  if (gemm.kernels.panels == Panels::pairs) return packPanels<Pairs, width>(slab, part, to);
  if constexpr (kLanes == kTileWords) {
    if constexpr (operand == Operand::a)
      packTileRows<2 * kTileWords>(slab, part, to);
    else
      packPanels<Pairs, 2 * kTileWords>(slab, part, to);
  }
}

// How an operand of a super-block is divided among threads. Packed it is block of k after block of k, in each
// the panels.
template <Operand operand>
class Packing {
 public:
  Packing(const Gemm& gemm, const SuperBlock& block, float* packed)
      : gemm_(gemm),
        matrix_(isA ? gemm.product.a : gemm.product.b),
        alongK_(isA ? !matrix_.transposed : matrix_.transposed),
        width_(isA ? gemm.micro.rows : gemm.micro.columns),
        block_(block),
        packed_(packed) {
    const bool wholePanels = alongK_ || (isA && gemm.kernels.panels == Panels::tiles);
    blockWords_ = gemm.words(std::min(gemm.plan.blockDepth, block.depth));
    panels_ = ceilDiv(isA ? block.rows : block.columns, width_);
    partPanels_ = wholePanels ? std::clamp<int64_t>(panels_ / kEnoughTasks, 1, kMostPanels)
                              : ceilDiv(kPartLines, width_);
    partWords_ = wholePanels ? blockWords_ : kPartWords;
  }

  int64_t parts() const { return blocks() * panelParts() * wordParts(); }

  void pack(int64_t index) const {
    const int64_t k = index / (panelParts() * wordParts());
    const int64_t panel = index / wordParts() % panelParts() * partPanels_;
    const int64_t word = index % wordParts() * partWords_;
    const int64_t blockDepth = gemm_.plan.blockDepth;
    const int64_t depth = std::min(blockDepth, block_.depth - k * blockDepth);
    const int64_t words = gemm_.words(depth);
    if (word >= words) return;  // of the last block, which may be shorter
    const int64_t line = isA ? block_.row : block_.column;
    const int64_t lines = (isA ? gemm_.product.m : gemm_.product.n) - line;
    const Slab slab{matrix_, alongK_, line, lines, block_.k + k * blockDepth, depth, words};
    packPart<operand>(
        gemm_, slab,
        {panel, std::min(panel + partPanels_, panels_), word, std::min(word + partWords_, words)},
        packed_ + k * gemm_.words(blockDepth) * panels_ * width_);
  }

 private:
  static constexpr bool isA = operand == Operand::a;
  // A thread that packs panels in sequence has fetched the next one itself.
  static constexpr int64_t kMostPanels = 4;
  // Across lines, 2 KB of a row of float32 at a time.
  static constexpr int64_t kPartLines = 512;
  static constexpr int64_t kPartWords = 64;

  int64_t blocks() const { return ceilDiv(block_.depth, gemm_.plan.blockDepth); }
  int64_t panelParts() const { return ceilDiv(panels_, partPanels_); }
  int64_t wordParts() const { return ceilDiv(blockWords_, partWords_); }

  const Gemm& gemm_;
  const Matrix& matrix_;
  bool alongK_;
  int64_t width_;
  const SuperBlock& block_;
  float* packed_;
  int64_t blockWords_, panels_, partPanels_, partWords_;
};

struct Packed {
  float* a;
  float* b;
  float* scratch;
};

inline void pack(ThreadPool* pool, const Gemm& gemm, const SuperBlock& block, const Packed& packed,
                 bool alsoA, bool alsoB) {
  const Packing<Operand::a> a(gemm, block, packed.a);
  const Packing<Operand::b> b(gemm, block, packed.b);
  const int64_t partsA = alsoA ? a.parts() : 0;
  const int64_t parts = partsA + (alsoB ? b.parts() : 0);
  // In even alternation, so that each thread packs the same share of a, and of b, as it multiplies.
  share(pool, parts, [&](int64_t part) {
    const int64_t before = part * partsA / parts;
    if ((part + 1) * partsA / parts > before)
      a.pack(before);
    else
      b.pack(part - before);
  });
}

}  // namespace
}  // namespace crossmap::cpu
