#include "runtime/cuda/device-info.h"

#include "runtime/cuda/architectures.h"
#include "runtime/cuda/cublas-lt.h"
#include "runtime/cuda/driver.h"
#include "runtime/cuda/language.h"

namespace crossmap::cuda {

namespace {

constexpr int kOldestCapability = 80;  // tensor cores for bfloat16, asynchronous copies

#ifdef CROSSMAP_SIMT
// The emulator is always there.
DriverState findDriverOfBuild() { return {0, ""}; }
constexpr std::string_view kArchitectures = "80";
constexpr int kPtx = 80;
constexpr int kRuntimeVersion = 0;
constexpr bool kUsesLibraries = false;
#else
DriverState findDriverOfBuild() { return findDriver(CUDART_VERSION); }
constexpr std::string_view kArchitectures = CROSSMAP_ARCHITECTURES;
constexpr int kPtx = CROSSMAP_PTX;
constexpr int kRuntimeVersion = CUDART_VERSION;
constexpr bool kUsesLibraries = true;
#endif

std::string versionOrNothing(int version) { return version == 0 ? "" : versionText(version); }

void describeGpu(CudaInfo& info) {
  cudaDeviceProp properties{};
  if (const cudaError_t status = cudaGetDeviceProperties(&properties, 0); status != cudaSuccess) {
    info.reason = std::string("the GPU cannot be used: ") + cudaGetErrorString(status);
    return;
  }
  const std::string capability = std::to_string(properties.major) + "." + std::to_string(properties.minor);
  const int number = properties.major * 10 + properties.minor;
  if (number < kOldestCapability) {
    info.reason = std::string(properties.name) + " has compute capability " + capability +
                  ", and crossmap needs 8.0 or later";
    return;
  }
  if (!runsOn(number, kArchitectures, kPtx)) {
    info.reason = std::string(properties.name) + " has compute capability " + capability +
                  ", which this build has no kernels for (" + std::string(kArchitectures) + ")";
    return;
  }
  info.name = properties.name;
  info.capability = capability;
  info.multiprocessors = properties.multiProcessorCount;
  size_t free = 0;
  size_t total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) return;
  info.totalBytes = static_cast<int64_t>(total);
  info.freeBytes = static_cast<int64_t>(free);
}

}  // namespace

CudaInfo cudaInfo() {
  const auto [driverVersion, reason] = findDriverOfBuild();
  CudaInfo info{};
  info.reason = reason;
  info.architectures = kArchitectures;
  info.driverVersion = versionOrNothing(driverVersion);
  info.runtimeVersion = versionOrNothing(kRuntimeVersion);
  info.cublasLt = kUsesLibraries ? CublasLt::find() : "";
  if (reason.empty()) describeGpu(info);
  return info;
}

}  // namespace crossmap::cuda
