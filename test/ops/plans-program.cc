// Prints plans of kernels. Each line of input names a plan and what it depends on, and gets a line of output,
// the plan's fields as numbers:
//
//   gemm DTYPE MULTIPROCESSORS M N K
//     TILE SPLITS THREADS SHARED_BYTES
//   rmsNorm MULTIPROCESSORS SHARED_BYTES TOKENS FEATURES BYTES_OF_TEAM BYTES_OF_BLOCK
//     THREADS TEAMS BLOCKS IS_KEPT SHARED_BYTES
//   softmax SHARED_BYTES FEATURES WIDTH BYTES
//     LANES ROWS_PER_BLOCK THREADS IS_KEPT BYTES_PER_ROW SHARED_BYTES
//   reduce ROWS FEATURES WIDTH
//     LANES ROWS_PER_BLOCK SPLITS SPLIT_LENGTH
//   rowTiles ROWS FEATURES WIDTH ROWS_PER_THREAD MOST_ROW_BLOCKS
//     COLUMN_THREADS ROW_THREADS THREADS COLUMN_BLOCKS ROW_BLOCKS ROWS_PER_BLOCK
//   linearCrossEntropy MULTIPROCESSORS TOKENS VOCAB GRADIENT_BYTES WANTS_GRADIENTS
//     METHOD ROWS COLUMNS
#include <cstdint>
#include <iostream>
#include <map>
#include <string>

#include "ops/linear-cross-entropy/linear-cross-entropy-plan.h"
#include "ops/reduce/reduce-plan.h"
#include "ops/rms-norm/rms-norm-plan.h"
#include "ops/softmax/softmax-plan.h"
#include "runtime/cuda/gemm-plan.h"
#include "runtime/cuda/gemm.cuh"
#include "runtime/cuda/row-tiles.h"

namespace {

using namespace crossmap;

template <typename T>
T read() {
  T value{};
  std::cin >> value;
  return value;
}

int64_t number() { return read<int64_t>(); }

void print(std::initializer_list<int64_t> fields) {
  const char* between = "";
  for (const int64_t field : fields) {
    std::cout << between << field;
    between = " ";
  }
  std::cout << '\n';
}

template <typename Tile>
void printGemm(const cuda::GemmPlan& plan) {
  print({plan.tile, plan.splits, Tile::kThreads, Tile::kSharedBytes});
}

template <typename E>
void printGemmOf(const cuda::GemmPlan& plan) {
  plan.tile == 128 ? printGemm<cuda::GemmTile<E, 128>>(plan) : printGemm<cuda::GemmTile<E, 64>>(plan);
}

void gemm() {
  const auto dtype = read<std::string>();
  cuda::Architecture architecture{};
  architecture.multiprocessors = read<int>();
  const int64_t m = number(), n = number(), k = number();
  const cuda::GemmPlan plan = cuda::gemmPlan(architecture, m, n, k);
  dtype == "float32" ? printGemmOf<float>(plan) : printGemmOf<BFloat16>(plan);
}

void rmsNorm() {
  cuda::Architecture architecture{};
  architecture.multiprocessors = read<int>();
  architecture.sharedBytes = number();
  const int64_t tokens = number(), features = number(), bytesOfTeam = number(), bytesOfBlock = number();
  const auto plan = cuda::rmsNormPlan(architecture, tokens, features, bytesOfTeam, bytesOfBlock);
  print({plan.threads, plan.teams, plan.blocks, plan.isKept, plan.sharedBytes});
}

void softmax() {
  const int64_t sharedBytes = number(), features = number();
  const int width = read<int>();
  const auto plan = cuda::softmaxPlan(features, width, number(), sharedBytes);
  print({plan.lanes, plan.rowsPerBlock, plan.threads, plan.isKept, plan.bytesPerRow, plan.sharedBytes});
}

void reduce() {
  const int64_t rows = number(), features = number();
  const auto plan = cuda::reducePlan(rows, features, read<int>());
  print({plan.lanes, plan.rowsPerBlock, plan.splits, plan.splitLength});
}

void rowTiles() {
  const int64_t rows = number(), features = number();
  const int width = read<int>();
  const int64_t rowsPerThread = number(), mostRowBlocks = number();
  const auto tiles = cuda::rowTiles(rows, features, width, rowsPerThread, mostRowBlocks);
  print({tiles.columnThreads, tiles.rowThreads, tiles.threads, tiles.columnBlocks, tiles.rowBlocks,
         tiles.rowsPerBlock});
}

void linearCrossEntropy() {
  cuda::Architecture architecture{};
  architecture.multiprocessors = read<int>();
  const int64_t tokens = number(), vocab = number(), gradientBytes = number();
  const auto plan =
      cuda::linearCrossEntropyPlan(architecture, tokens, vocab, gradientBytes, read<int>() != 0);
  print({static_cast<int64_t>(plan.method), plan.rows, plan.columns});
}

}  // namespace

int main() {
  const std::map<std::string, void (*)()> plans = {
      {"gemm", gemm},     {"rmsNorm", rmsNorm},   {"softmax", softmax},
      {"reduce", reduce}, {"rowTiles", rowTiles}, {"linearCrossEntropy", linearCrossEntropy}};
  for (std::string name; std::cin >> name;) plans.at(name)();
}
