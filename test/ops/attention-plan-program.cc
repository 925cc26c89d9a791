// Prints the tilings of attention on CUDA. Each line of input is
//   PASS DTYPE HEAD_DIM TOKENS KEY_TOKENS SEGMENTS HEADS KV_HEADS SHARED_BYTES MULTIPROCESSORS
// and each line of output what attentionTiling gives for it:
//   THREADS OWNED STREAMED SPLITS TILES SHARED_BYTES PADDED_HEAD_DIM MOST_THREADS
#include <iostream>
#include <string>

#include "ops/attention/attention-cuda-plan.h"

int main() {
  using namespace crossmap;
  std::string pass, dtype;
  AttentionShape shape{};
  cuda::Architecture architecture{};
  while (std::cin >> pass >> dtype >> shape.headDim >> shape.tokens >> shape.keyTokens >> shape.segments >>
         shape.heads >> shape.kvHeads >> architecture.sharedBytes >> architecture.multiprocessors) {
    const cuda::AttentionPass of =
        pass == "forward" ? cuda::AttentionPass::forward : cuda::AttentionPass::backward;
    const DType type = dtype == "float32" ? DType::float32 : DType::bfloat16;
    const cuda::AttentionTiling tiling = cuda::attentionTiling(architecture, type, shape, of);
    const int padded = cuda::paddedHeadDim(shape.headDim);
    std::cout << tiling.threads << ' ' << tiling.owned << ' ' << tiling.streamed << ' ' << tiling.splits
              << ' ' << tiling.tiles << ' ' << tiling.sharedBytes << ' ' << padded << ' '
              << cuda::mostThreads(of, sizeOf(type), padded) << '\n';
  }
}
