#pragma once
// How a matrix product is divided: pure functions of its sizes, never of the number of threads, so that every
// sum has one order. Kernels only.
#include <algorithm>

#include "runtime/cpu/gemm-micro.h"
#include "runtime/numbers.h"

namespace crossmap::cpu {
namespace {

// A super-block of c has its operands packed as a whole, shared by all threads; its tiles are shared among
// them. Each tile goes through k block by block.
struct GemmPlan {
  int64_t superRows, superColumns;  // of c; multiples of a micro-tile's, but for the last
  int64_t superDepth;               // along k, in elements; a multiple of blockDepth, but for the last
  int64_t blockDepth;               // along k, in elements
  int64_t tileRows, tileColumns;    // of c
  int64_t splits;                   // parts of k that are summed apart, where tiles alone are too few
};

constexpr int64_t kPackedWords = int64_t{1} << 21;  // 8 MiB: packed operands stay in L3
constexpr int64_t kSuperRows = 1024;                // about, as a multiple of a micro-tile's
constexpr int64_t kSuperColumns = 2048;
constexpr int64_t kEnoughTasks = 32;

// Blocks of k are multiples of so many words, but for the last.
inline int64_t blockStep(const MicroShape& micro) { return std::max(micro.wordStep, 2); }

inline int64_t superRowsOf(const MicroShape& micro) { return kSuperRows / micro.rows * micro.rows; }

inline GemmPlan gemmPlan(int64_t m, int64_t n, int64_t k, const MicroShape& micro) {
  GemmPlan plan{};
  plan.superRows = evenPart(m, superRowsOf(micro), micro.rows);
  plan.superColumns = evenPart(n, kSuperColumns, micro.columns);
  const int64_t wordElements = micro.wordElements;
  plan.blockDepth = evenPart(k, micro.blockWords * wordElements, blockStep(micro) * wordElements);
  const int64_t lines = plan.superRows + plan.superColumns;
  const int64_t blocks = std::max<int64_t>(1, kPackedWords * wordElements / (lines * plan.blockDepth));
  plan.superDepth = std::min(blocks, ceilDiv(k, plan.blockDepth)) * plan.blockDepth;
  plan.tileRows = std::min<int64_t>(micro.tileRows, plan.superRows);
  plan.tileColumns = std::min<int64_t>(micro.tileColumns, plan.superColumns);
  const auto tasks = [&] {
    return ceilDiv(plan.superRows, plan.tileRows) * ceilDiv(plan.superColumns, plan.tileColumns);
  };
  const auto flops = [&] {
    return 2. * static_cast<double>(plan.tileRows * plan.tileColumns) *
           static_cast<double>(std::min(k, plan.superDepth));
  };
  while (tasks() < kEnoughTasks && flops() >= 2 * micro.leastTaskFlops) {
    if (plan.tileColumns > 2 * micro.columns)
      plan.tileColumns = roundUp(plan.tileColumns / 2, micro.columns);
    else if (plan.tileRows > micro.rows)
      plan.tileRows = roundUp(plan.tileRows / 2, micro.rows);
    else
      break;
  }
  const int64_t superBlocks = plan.superDepth / plan.blockDepth;
  plan.splits = std::min(superBlocks, ceilDiv(kEnoughTasks, tasks()));
  if (flops() / static_cast<double>(plan.splits) < micro.leastTaskFlops) plan.splits = 1;
  // A part takes whole blocks, so fewer parts may do.
  plan.splits = evenPart(superBlocks, plan.splits);
  return plan;
}

// Words of working memory that no plan exceeds for sizes up to these: packed operands, then sums that do not
// grow in c itself, where that is `narrow`, not float32.
inline int64_t gemmWorkspaceWords(int64_t m, int64_t n, int64_t k, const MicroShape& micro, bool narrow) {
  const int64_t rows = std::min(roundUp(m, micro.rows), superRowsOf(micro));
  const int64_t columns = std::min(roundUp(n, micro.columns), kSuperColumns);
  // Each block may be longer by a step than its part of k.
  const int64_t words = ceilDiv(k, micro.wordElements);
  const int64_t depth = words + blockStep(micro) * ceilDiv(words, micro.blockWords);
  const int64_t packed = std::min(kPackedWords, (rows + columns) * depth) + micro.columns;
  if (words <= micro.blockWords) return packed;
  // Parts are summed apart where tiles are as small as gemmPlan() makes them: of two micro-tiles, 2048
  // elements at most. Parts times tiles are fewer than twice the tasks that are enough.
  const int64_t parts = std::min(2 * kEnoughTasks * 2048, kEnoughTasks * rows * columns);
  return packed + (narrow ? std::max(parts, rows * columns) : parts);
}

}  // namespace
}  // namespace crossmap::cpu
