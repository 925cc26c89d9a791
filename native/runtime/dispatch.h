#pragma once
#include "runtime/cpu/cpu-device.h"
#include "runtime/device.h"
#ifdef CROSSMAP_CUDA
#include "runtime/cuda/cuda-device.h"
#endif

namespace crossmap {

// Runs the device's form of an op: on the CPU a lambda template over the instruction set, on CUDA a generic
// lambda of the stream, which a build without CUDA never instantiates.
//   onDevice(
//       x.device(), [&]<cpu::Isa isa>() { cpu::rmsNorm<isa>(x, weight, eps, out); },
//       [&](auto& stream) { cuda::rmsNorm(stream, x, weight, eps, out); });
template <typename OnCpu, typename OnCuda>
void onDevice(const Device& device, OnCpu&& onCpu, [[maybe_unused]] OnCuda&& onCuda) {
  if (device.kind() == DeviceKind::cpu) return cpu::onIsa(cpu::cpuOf(device).isa(), onCpu);
#ifdef CROSSMAP_CUDA
  onCuda(cuda::streamOf(device));
#endif
}

}  // namespace crossmap
