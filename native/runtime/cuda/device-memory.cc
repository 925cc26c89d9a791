#include "runtime/cuda/device-memory.h"

namespace crossmap::cuda {

void* DeviceMemory::take(int64_t bytes) {
  void* memory = nullptr;
  if (cudaMalloc(&memory, static_cast<size_t>(bytes)) == cudaSuccess) return memory;
  cudaGetLastError();  // else the next launch would report it again
  return nullptr;
}

void DeviceMemory::give(void* memory) { cudaFree(memory); }

// cudaFree itself waits for all work of the device.
bool DeviceMemory::settle() { return true; }

std::string DeviceMemory::room() const {
  size_t free = 0;
  size_t total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) return "";
  return "; " + std::to_string(free) + " of the device's " + std::to_string(total) + " bytes are free";
}

void* PinnedMemory::take(int64_t bytes) {
  void* memory = nullptr;
  if (cudaHostAlloc(&memory, static_cast<size_t>(bytes), cudaHostAllocDefault) == cudaSuccess) return memory;
  cudaGetLastError();
  return nullptr;
}

void PinnedMemory::give(void* memory) { cudaFreeHost(memory); }

}  // namespace crossmap::cuda
