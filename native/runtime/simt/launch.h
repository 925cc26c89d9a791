#pragma once
// Launches of kernels from the host.
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "runtime/simt/api/host.h"
#include "runtime/simt/grid.h"

namespace simt {

// The arguments stay where they are until the grid has been executed.
cudaError_t enqueueGrid(Grid grid, std::shared_ptr<const void> arguments, cudaStream_t stream);

template <typename... Parameters>
cudaError_t launch(const char* kernelName, dim3 blocks, dim3 threads, size_t sharedBytes, cudaStream_t stream,
                   void (*kernel)(Parameters...), std::type_identity_t<Parameters>... arguments) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  };
  auto call = std::make_shared<const Call>(Call{kernel, std::tuple<Parameters...>(std::move(arguments)...)});
  Grid grid;
  grid.kernel = kernelName;
  grid.entry = reinterpret_cast<const void*>(kernel);
  grid.blocks = blocks;
  grid.threads = threads;
  grid.sharedBytes = sharedBytes;
  grid.argumentBytes = sizeof(Call);
  grid.call = [](const void* packed) {
    const auto& each = *static_cast<const Call*>(packed);
    std::apply(each.kernel, each.arguments);
  };
  return enqueueGrid(std::move(grid), std::move(call), stream);
}

// For allocators that cut up what cudaMalloc gave them: from this point of the stream on, these bytes are a
// tensor of unknown contents, and what lies around them belongs to nobody; or they are not used any more.
cudaError_t claim(cudaStream_t stream, void* memory, size_t bytes);
cudaError_t disclaim(cudaStream_t stream, void* memory);

}  // namespace simt
