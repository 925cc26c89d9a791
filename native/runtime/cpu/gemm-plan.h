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

constexpr int64_t kBlockWords = 512;  // a panel of b of this depth, 64 KB with AVX-512, is read from L2
constexpr int64_t kPackedWords = int64_t{1} << 21;  // 8 MiB: packed operands stay in L3
constexpr int64_t kSuperRows = 72 * kMicroRows;     // 1008 with AVX-512
constexpr int64_t kSuperColumns = 2048;
constexpr int64_t kTileRows = 8 * kMicroRows;  // 112: with 512 words 229 KB, half of a small L2 at most
constexpr int64_t kTileColumns = 256;
constexpr int64_t kEnoughTasks = 32;
constexpr double kLeastTaskFlops = 1e6;  // 10 µs: below, sharing costs more than it gains

// Parts of equal length, as few as the most allows, and each a multiple of `unit`.
inline int64_t evenPart(int64_t length, int64_t most, int64_t unit) {
  return roundUp(ceilDiv(length, ceilDiv(length, most)), unit);
}

inline GemmPlan gemmPlan(int64_t m, int64_t n, int64_t k, int64_t wordElements) {
  GemmPlan plan{};
  plan.superRows = evenPart(m, kSuperRows, kMicroRows);
  plan.superColumns = evenPart(n, kSuperColumns, kMicroColumns);
  plan.blockDepth = evenPart(k, kBlockWords * wordElements, 2 * wordElements);
  const int64_t lines = plan.superRows + plan.superColumns;
  const int64_t blocks = std::max<int64_t>(1, kPackedWords * wordElements / (lines * plan.blockDepth));
  plan.superDepth = std::min(blocks, ceilDiv(k, plan.blockDepth)) * plan.blockDepth;
  plan.tileRows = std::min(kTileRows, plan.superRows);
  plan.tileColumns = std::min(kTileColumns, plan.superColumns);
  const auto tasks = [&] {
    return ceilDiv(plan.superRows, plan.tileRows) * ceilDiv(plan.superColumns, plan.tileColumns);
  };
  const auto flops = [&] {
    return 2. * static_cast<double>(plan.tileRows * plan.tileColumns) *
           static_cast<double>(std::min(k, plan.superDepth));
  };
  while (tasks() < kEnoughTasks && flops() >= 2 * kLeastTaskFlops) {
    if (plan.tileColumns > 2 * kMicroColumns)
      plan.tileColumns = roundUp(plan.tileColumns / 2, kMicroColumns);
    else if (plan.tileRows > kMicroRows)
      plan.tileRows = roundUp(plan.tileRows / 2, kMicroRows);
    else
      break;
  }
  const int64_t superBlocks = plan.superDepth / plan.blockDepth;
  plan.splits = std::min(superBlocks, ceilDiv(kEnoughTasks, tasks()));
  if (flops() / static_cast<double>(plan.splits) < kLeastTaskFlops) plan.splits = 1;
  // A part takes whole blocks, so fewer parts may do.
  plan.splits = ceilDiv(superBlocks, ceilDiv(superBlocks, plan.splits));
  return plan;
}

// Words of working memory that no plan exceeds for sizes up to these: packed operands, then sums that do not
// grow in c itself, where that is `narrow`, not float32.
inline int64_t gemmWorkspaceWords(int64_t m, int64_t n, int64_t k, int64_t wordElements, bool narrow) {
  const int64_t rows = std::min(roundUp(m, kMicroRows), kSuperRows);
  const int64_t columns = std::min(roundUp(n, kMicroColumns), kSuperColumns);
  // Each block may be longer by 2 words than its part of k.
  const int64_t words = ceilDiv(k, wordElements);
  const int64_t depth = words + 2 * ceilDiv(words, kBlockWords);
  const int64_t packed = std::min(kPackedWords, (rows + columns) * depth) + kMicroColumns;
  if (words <= kBlockWords) return packed;
  // Parts are summed apart where tiles are as small as gemmPlan() makes them: 14 x 64, or 1e6 / 512 elements.
  // Parts times tiles are fewer than twice the tasks that are enough.
  const int64_t parts = std::min(2 * kEnoughTasks * 2048, kEnoughTasks * rows * columns);
  return packed + (narrow ? std::max(parts, rows * columns) : parts);
}

}  // namespace
}  // namespace crossmap::cpu
