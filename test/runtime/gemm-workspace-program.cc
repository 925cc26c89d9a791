// Prints what products on the CPU need of working memory. Each line of input is
//   ROWS COLUMNS WORD_ELEMENTS WORD_STEP BLOCK_WORDS TILE_ROWS TILE_COLUMNS TASK_FLOPS DTYPE M N K MOST_M
//   MOST_N MOST_K
// and each line of output
//   WORDS_NEEDED WORDS_OF_THE_LARGEST
#include <iostream>
#include <string>

#include "runtime/cpu/gemm-operands.h"

int main() {
  using namespace crossmap;
  using namespace crossmap::cpu;
  MicroShape shape{};
  std::string dtype;
  int64_t m, n, k, mostM, mostN, mostK;
  while (std::cin >> shape.rows >> shape.columns >> shape.wordElements >> shape.wordStep >>
         shape.blockWords >> shape.tileRows >> shape.tileColumns >> shape.leastTaskFlops >> dtype >> m >> n >>
         k >> mostM >> mostN >> mostK) {
    const DType dtypeC = dtype == "float32" ? DType::float32 : DType::bfloat16;
    const Product product{m, n, k, {}, {}, nullptr, dtypeC, n};
    const MicroKernels kernels{Panels::singles, shape, nullptr, nullptr, nullptr};
    const Gemm gemm(product, kernels);
    std::cout << gemm.packedA() + gemm.packedB() + gemm.scratch() << ' '
              << gemmWorkspaceWords(mostM, mostN, mostK, shape, dtypeC != DType::float32) << '\n';
  }
}
