#pragma once
// Launching kernels: the one place where host code meets device code.
#include <cstdint>
#include <string>

#include "runtime/cuda/stream.h"
#include "runtime/error.h"

namespace crossmap::cuda {

struct Blocks {
  int64_t x;
  int64_t y = 1;
  int64_t z = 1;
};

struct Launch {
  const char* op;  // names the op in errors, and the kernel in the emulator's reports
  Blocks blocks;
  int threads;
  int64_t sharedBytes = 0;
};

// Enqueues kernel(args...). Nothing is launched where there are no blocks.
template <typename... Parameters, typename... Arguments>
void launch(Stream& stream, const Launch& shape, void (*kernel)(Parameters...), const Arguments&... args) {
  const auto& [x, y, z] = shape.blocks;
  if (x == 0 || y == 0 || z == 0) return;
  if (x < 0 || x > 0x7fffffff || y < 0 || y > 0xffff || z < 0 || z > 0xffff)
    throw Error(ErrorCode::internal, std::string(shape.op) + ": a grid of " + std::to_string(x) + " x " +
                                         std::to_string(y) + " x " + std::to_string(z) +
                                         " blocks cannot be launched");
  const dim3 grid(static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z));
  const dim3 block(static_cast<unsigned>(shape.threads));
#ifdef CROSSMAP_SIMT
  stream.launched(shape.op, simt::launch(shape.op, grid, block, static_cast<size_t>(shape.sharedBytes),
                                         stream.handle(), kernel, static_cast<Parameters>(args)...));
#else
  // What a block has without being asked.
  constexpr int64_t kFreeSharedBytes = 48 * 1024;
  if (shape.sharedBytes > kFreeSharedBytes)
    stream.launched(shape.op, cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                   static_cast<int>(shape.sharedBytes)));
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = static_cast<size_t>(shape.sharedBytes);
  config.stream = stream.handle();
  stream.launched(shape.op, cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(args)...));
#endif
}

// Enqueues a fill with zeros.
inline void clear(Stream& stream, const char* op, void* memory, int64_t bytes) {
  stream.launched(op, cudaMemsetAsync(memory, 0, static_cast<size_t>(bytes), stream.handle()));
}

}  // namespace crossmap::cuda
